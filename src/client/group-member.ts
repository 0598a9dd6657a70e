/** What members of either protocol do alike: how they end, keep time and speak to the group's
 *  coordinator. */
import type { Api, ResponseOf } from '../protocol/schema.ts'
import { type ClusterClient, CoordinatorType } from './cluster-client.ts'
import type { BodyOf, RequestOptions } from './connection.ts'
import type { ResolvedConsumerSettings } from './consumer-options.ts'
import type { KafkaError } from './errors.ts'
import type { GroupHost } from './group.ts'
import type { Lane } from './transport.ts'

/** The settings of a consumer that has a group. */
export type MemberSettings = ResolvedConsumerSettings & { readonly groupId: string }

/** Lives with one consumer. */
export abstract class MemberBase {
  protected readonly cluster: ClusterClient
  protected readonly settings: MemberSettings
  protected readonly host: GroupHost
  /** Others may have the partitions; the user is told in the next step. */
  protected lost = false
  protected left = false
  /** Why it cannot go on. */
  protected failure: KafkaError | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(cluster: ClusterClient, settings: MemberSettings, host: GroupHost) {
    this.cluster = cluster
    this.settings = settings
    this.host = host
  }

  protected get groupInstanceId(): string | null {
    return this.settings.groupInstanceId ?? null
  }

  /** The beginning of each step. Throws what has ended the membership. */
  protected async stepFirst(): Promise<void> {
    if (this.failure !== undefined) throw this.failure
    if (!this.lost) return
    this.lost = false
    await this.host.lose(this.host.assigned())
  }

  /** Calls `act` after a while, in place of what was to be called before. */
  protected later(ms: number, act: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(act, ms)
  }

  protected stopTimer(): void {
    clearTimeout(this.#timer)
  }

  protected fail(failure: KafkaError): void {
    this.failure = failure
    this.host.wake()
  }

  protected warnOfLatePoll(): void {
    const { log } = this.cluster.settings
    log.warn('nobody asked for records within maxPollIntervalMs; the member leaves its group')
  }

  /** The session will end by itself. */
  protected cannotLeave(error: unknown): void {
    this.cluster.settings.log.debug('the group could not be left', { error })
  }

  protected forgetCoordinator(): void {
    this.cluster.forgetCoordinator(CoordinatorType.group, this.settings.groupId)
  }

  protected request<A extends Api>(
    api: A,
    body: BodyOf<A>,
    options: RequestOptions & { lane?: Lane } = {},
  ): Promise<ResponseOf<A>> {
    const { groupId } = this.settings
    const apart = { lane: 'coordinator', ...options } as const
    return this.cluster.requestCoordinator(CoordinatorType.group, groupId, api, body, apart)
  }
}

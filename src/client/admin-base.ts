/** What all calls of the admin client share: whom to ask, retries, and errors by item. */
import { ErrorCode } from '../protocol/errors.ts'
import type { Api, ResponseOf } from '../protocol/schema.ts'
import { ClusterClient, CoordinatorType } from './cluster-client.ts'
import type { BodyOf, RequestOptions } from './connection.ts'
import {
  InvalidMetadataError,
  KafkaError,
  kafkaError,
  PartialError,
  throwOnError,
} from './errors.ts'
import type { ClientOptions } from './options.ts'
import type { TopicPartition } from './topic-partition.ts'
import { closeWhenCollected, wasClosed } from './when-collected.ts'

/** Settings of an admin client beside those of all clients. */
export type AdminOptions = ClientOptions & {
  /** How long a call may take with its retries. Kafka's default.api.timeout.ms. Default: 1 min. */
  readonly apiTimeoutMs?: number
}

/** What one call may be told. */
export interface CallOptions {
  /** Default: apiTimeoutMs. */
  readonly timeoutMs?: number
}

/** What a call that describes something may be told. */
export interface DescribeOptions extends CallOptions {
  /** Whether to say what this client may do with it. KIP-430. Default: false. */
  readonly includeAuthorizedOperations?: boolean
}

/** A part of an answer that may have failed. */
export interface ItemAnswer {
  /** How the item is called in PartialError. */
  readonly item: string
  readonly code: number
  readonly message?: string | null
}

/** How long a topic that no broker knows may be one that was created a moment ago. */
const UNKNOWN_TOPIC_MS = 2000

/** The ground of the admin client. */
export class AdminBase {
  protected readonly cluster: ClusterClient
  readonly #apiTimeoutMs: number

  /** Connects at the first call. */
  constructor(options: AdminOptions) {
    this.cluster = new ClusterClient(options, { name: 'admin', allowAutoTopicCreation: false })
    this.#apiTimeoutMs = options.apiTimeoutMs ?? 60_000
    closeWhenCollected(this, this.cluster)
  }

  /** Closes the connections; calls under way reject. */
  async close(): Promise<void> {
    wasClosed(this)
    this.cluster.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  protected timeoutMs(options: CallOptions | undefined): number {
    return options?.timeoutMs ?? this.#apiTimeoutMs
  }

  /** Asks any broker. `codeOf`: the error of the whole answer; retried if that may help. */
  protected ask<A extends Api>(
    api: A,
    body: BodyOf<A>,
    options: CallOptions | undefined,
    codeOf: (answer: ResponseOf<A>) => ItemAnswer | undefined = () => undefined,
  ): Promise<ResponseOf<A>> {
    const timeoutMs = this.timeoutMs(options)
    return this.cluster.retry(
      async () => {
        const answer = await this.cluster.requestAny(api, body)
        const failed = codeOf(answer)
        if (failed !== undefined) throwOnError(failed.code, failed.message)
        return answer
      },
      timeoutMs,
      `answer to ${api.name}`,
    )
  }

  /** Asks every broker; answers by broker id. */
  protected async askAll<A extends Api>(
    api: A,
    body: BodyOf<A>,
    options: CallOptions | undefined,
    brokerIds?: readonly number[],
  ): Promise<Map<number, ResponseOf<A>>> {
    const timeoutMs = this.timeoutMs(options)
    await this.#knowBrokers(timeoutMs)
    const ids = brokerIds ?? [...this.cluster.metadata.brokers.keys()]
    const answers = await Promise.all(
      ids.map((id) =>
        this.cluster.retry(
          () => this.cluster.requestNode(id, api, body),
          timeoutMs,
          `answer to ${api.name} from broker ${id}`,
        ),
      ),
    )
    return new Map(ids.map((id, i) => [id, answers[i] as ResponseOf<A>]))
  }

  /** Asks one broker by id. */
  protected async askNode<A extends Api>(
    nodeId: number,
    api: A,
    body: BodyOf<A>,
    options: CallOptions | undefined,
  ): Promise<ResponseOf<A>> {
    return (await this.askAll(api, body, options, [nodeId])).get(nodeId) as ResponseOf<A>
  }

  /** Asks the coordinator of a group; `codesOf`: errors that mean another try if they may pass. */
  protected askCoordinator<A extends Api>(
    groupId: string,
    api: A,
    body: BodyOf<A>,
    options: (CallOptions & RequestOptions) | undefined,
    codesOf: (answer: ResponseOf<A>) => readonly number[],
  ): Promise<ResponseOf<A>> {
    const type = CoordinatorType.group
    const { versionMax } = options ?? {}
    const patient = patience()
    return this.cluster.retry(
      async () => {
        const answer = await this.cluster.requestCoordinator(type, groupId, api, body, {
          versionMax,
        })
        for (const code of codesOf(answer)) {
          if (code === ErrorCode.NONE) continue
          const error = kafkaError(code)
          if (!patient(error)) continue
          if (error instanceof InvalidMetadataError) this.cluster.forgetCoordinator(type, groupId)
          throw error
        }
        return answer
      },
      this.timeoutMs(options),
      `answer to ${api.name} of group '${groupId}'`,
    )
  }

  /**
   * Asks the leader of each partition. `send` gets partitions of one leader and answers one result
   * for each, or its error; those with a retriable error are asked again.
   */
  protected async askLeaders<T extends TopicPartition, R>(
    wanted: readonly T[],
    options: CallOptions | undefined,
    what: string,
    send: (leaderId: number, mine: readonly T[]) => Promise<readonly (R | KafkaError)[]>,
  ): Promise<R[]> {
    const results: (R | undefined)[] = new Array(wanted.length)
    const failures = new Map<string, KafkaError>()
    let left = wanted.map((one, at) => ({ one, at }))
    const patient = patience()
    const attempt = async () => {
      const topics = new Set(left.map(({ one }) => one.topic))
      await this.cluster.refreshMetadata(topics)
      let retriable: KafkaError | undefined
      const again: typeof left = []
      const settle = (asked: (typeof left)[number], answer: R | KafkaError) => {
        if (!(answer instanceof Error)) results[asked.at] = answer
        else if (patient(answer)) {
          retriable = answer
          again.push(asked)
        } else failures.set(`${asked.one.topic}-${asked.one.partition}`, answer)
      }
      const byLeader = new Map<number, typeof left>()
      for (const asked of left) {
        const { topic, partition } = asked.one
        const leaderId = this.cluster.metadata.leaderOf(topic, partition)
        if (leaderId < 0) settle(asked, this.#leaderless(topic, partition))
        else byLeader.set(leaderId, [...(byLeader.get(leaderId) ?? []), asked])
      }
      left = [...byLeader.values()].flat().concat(again)
      for (const [leaderId, mine] of byLeader) {
        const answers = await send(
          leaderId,
          mine.map(({ one }) => one),
        )
        mine.forEach((asked, i) => {
          settle(asked, answers[i] as R | KafkaError)
        })
      }
      left = again
      if (retriable !== undefined) throw retriable
    }
    await this.cluster.retry(attempt, this.timeoutMs(options), what)
    if (failures.size > 0) throw new PartialError(failures)
    return results as R[]
  }

  /** Calls for each group; results in the order of the ids. Rejects with PartialError. */
  protected async eachGroup<T>(
    groupIds: readonly string[],
    call: (groupId: string) => Promise<T>,
  ): Promise<T[]> {
    const settled = await Promise.allSettled(groupIds.map(call))
    const failures = new Map<string, KafkaError>()
    const results: T[] = []
    settled.forEach((one, i) => {
      if (one.status === 'fulfilled') results.push(one.value)
      else if (one.reason instanceof KafkaError) failures.set(groupIds[i] as string, one.reason)
      else throw one.reason
    })
    if (failures.size > 0) throw new PartialError(failures)
    return results
  }

  #leaderless(topic: string, partition: number): KafkaError {
    const { metadata } = this.cluster
    const code = metadata.errorOf(topic)
    if (code !== ErrorCode.NONE) return kafkaError(code)
    const exists = metadata.topic(topic)?.partitions[partition] !== undefined
    return kafkaError(
      exists ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      exists ? undefined : `Topic '${topic}' has no partition ${partition}.`,
    )
  }

  async #knowBrokers(timeoutMs: number): Promise<void> {
    const attempt = () => this.cluster.refreshMetadata([])
    await this.cluster.retry(attempt, timeoutMs, 'metadata')
  }
}

/** Which errors are worth another try from now on. */
function patience(): (error: KafkaError) => boolean {
  const beganMs = performance.now()
  return (error) =>
    error.retriable &&
    (error.code !== ErrorCode.UNKNOWN_TOPIC_OR_PARTITION ||
      performance.now() - beganMs < UNKNOWN_TOPIC_MS)
}

/** Throws PartialError if an item failed. */
export function throwOnItems(items: readonly ItemAnswer[]): void {
  const failures = new Map<string, KafkaError>()
  for (const { item, code, message } of items) {
    if (code !== ErrorCode.NONE) failures.set(item, kafkaError(code, message))
  }
  if (failures.size > 0) throw new PartialError(failures)
}

/** The first retriable failure, which makes a call be repeated as a whole. */
export function passing(items: readonly ItemAnswer[]): ItemAnswer | undefined {
  return items.find(({ code }) => code === ErrorCode.NOT_CONTROLLER)
}

/** What a consumer is subscribed to, and the partitions that come and go by it: the side of the
 *  consumer that a group sees. */
import type { ClusterClient } from './cluster-client.ts'
import type { ConsumerMetrics } from './consumer-metrics.ts'
import type { RebalanceListener, ResolvedConsumerSettings } from './consumer-options.ts'
import type { Positions } from './consumer-positions.ts'
import type { GroupHost, GroupMember, MemberIdentity } from './group.ts'
import { NO_MEMBER } from './group.ts'
import { ClassicMember } from './group-classic.ts'
import { ConsumerMember } from './group-consumer.ts'
import { keyOf, type TopicPartition } from './topic-partition.ts'

/** An expression in RE2's syntax that the broker matches with whole names. KIP-848. */
export interface Re2Pattern {
  readonly re2: string
}

/** What to subscribe to. A RegExp is matched here, anywhere in a name. */
export type SubscriptionTopics<T = string> = readonly T[] | RegExp | Re2Pattern

/** What the membership needs of its consumer. */
export interface MembershipOwner {
  /** Commits positions before partitions go, if that goes by itself. */
  commitBeforeRevoke(): Promise<void>
  readonly metrics: ConsumerMetrics
  wake(): void
}

/** Lives with one consumer. */
export class Membership implements GroupHost {
  readonly #cluster: ClusterClient
  readonly #settings: ResolvedConsumerSettings & { readonly groupId: string }
  readonly #positions: Positions
  readonly #owner: MembershipOwner
  readonly #member: GroupMember
  #subscribed: SubscriptionTopics = []
  #matched: readonly string[] = []
  #listener: RebalanceListener = {}
  /** Monotonic ms of the last look at all topics, or at those that are missing. */
  #lookedMs = -Infinity

  constructor(
    cluster: ClusterClient,
    settings: ResolvedConsumerSettings & { readonly groupId: string },
    positions: Positions,
    owner: MembershipOwner,
  ) {
    this.#cluster = cluster
    this.#settings = settings
    this.#positions = positions
    this.#owner = owner
    const Member = settings.groupProtocol === 'consumer' ? ConsumerMember : ClassicMember
    this.#member = new Member(cluster, settings, this)
  }

  get identity(): MemberIdentity {
    return this.#member.identity
  }

  /** Whether `step` has something to do. */
  get due(): boolean {
    return this.#member.due || this.#looksDue()
  }

  get topicRegex(): string | undefined {
    const subscribed = this.#subscribed
    return 're2' in subscribed ? subscribed.re2 : undefined
  }

  /** Throws TypeError for an RE2 expression with the classic protocol. */
  subscribe(topics: SubscriptionTopics, listener: RebalanceListener): void {
    if ('re2' in topics && this.#settings.groupProtocol !== 'consumer') {
      throw new TypeError("an RE2 expression needs groupProtocol 'consumer'")
    }
    this.#subscribed = topics
    this.#listener = listener
    this.#lookedMs = -Infinity
    if (Array.isArray(topics)) this.#matched = [...new Set(topics as readonly string[])].sort()
    else this.#matched = []
    this.#member.onSubscription()
  }

  topics(): readonly string[] {
    return this.#matched
  }

  assigned(): TopicPartition[] {
    return [...this.#positions.all()].map(({ topic, partition }) => ({ topic, partition }))
  }

  /** Partitions come and go here. */
  async step(): Promise<void> {
    if (this.#looksDue()) await this.#look()
    if (this.#member.due) await this.#member.step()
  }

  /** Nobody asked for records in time. */
  onPollLate(): void {
    this.#member.onPollLate()
  }

  /** The user is told, then the group. */
  async leave(): Promise<void> {
    await this.revoke(this.assigned())
    await this.#member.leave()
  }

  beforeRevoke(): Promise<void> {
    return this.#owner.commitBeforeRevoke()
  }

  async revoke(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return
    this.#owner.metrics.partitionsRevoked += partitions.length
    try {
      await this.#listener.onPartitionsRevoked?.(partitions)
    } finally {
      this.#positions.remove(partitions)
    }
  }

  async lose(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return
    this.#owner.metrics.partitionsLost += partitions.length
    this.#cluster.settings.log.info('partitions were lost', { partitions: partitions.map(keyOf) })
    const { onPartitionsLost } = this.#listener
    try {
      if (onPartitionsLost !== undefined) await onPartitionsLost.call(this.#listener, partitions)
      else await this.#listener.onPartitionsRevoked?.(partitions)
    } finally {
      this.#positions.remove(partitions)
    }
  }

  async assign(partitions: readonly TopicPartition[]): Promise<void> {
    this.#owner.metrics.partitionsAssigned += partitions.length
    this.#positions.add(partitions)
    await this.#listener.onPartitionsAssigned?.(partitions)
  }

  wake(): void {
    this.#owner.wake()
  }

  /** A pattern is matched anew, and topics that are missing are looked for. */
  #looksDue(): boolean {
    if (this.topicRegex !== undefined) return false
    const { metadataMaxAgeMs, retryBackoffMaxMs } = this.#cluster.settings
    const isPattern = this.#subscribed instanceof RegExp
    const { metadata } = this.#cluster
    const isMissing = !isPattern && this.#matched.some((name) => metadata.topic(name) === undefined)
    if (!isPattern && !isMissing) return false
    const ageMs = performance.now() - this.#lookedMs
    return ageMs >= (isPattern ? metadataMaxAgeMs : retryBackoffMaxMs)
  }

  async #look(): Promise<void> {
    this.#lookedMs = performance.now()
    const subscribed = this.#subscribed
    if (!(subscribed instanceof RegExp)) {
      this.#cluster.refreshMetadata(this.#matched).catch((error: unknown) => {
        this.#cluster.settings.log.debug('metadata could not be refreshed', { error })
      })
      return
    }
    const attempt = () => this.#cluster.refreshAllTopics()
    await this.#cluster.retry(attempt, this.#settings.defaultApiTimeoutMs, 'list of topics')
    const names = [...this.#cluster.metadata.topics()]
      .filter(({ name, isInternal }) => !isInternal && isMatch(subscribed, name))
      .map(({ name }) => name)
    this.#matched = names.sort()
    this.#member.onSubscription()
  }
}

/** The identity for commits of who may be no member. */
export function identityOf(membership: Membership | undefined): MemberIdentity {
  return membership?.identity ?? NO_MEMBER
}

function isMatch(pattern: RegExp, name: string): boolean {
  // A global expression remembers where it was.
  pattern.lastIndex = 0
  return pattern.test(name)
}

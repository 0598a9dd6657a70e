/** What goes on in a consumer whoever asks: its parts, its time, and how it begins and ends. */
import { crc32c } from '@node-rs/crc32'
import { createCodecs } from '../codecs/codecs.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { ClusterClient } from './cluster-client.ts'
import { Handover } from './consumer-handover.ts'
import { identityOf, Membership, type SubscriptionTopics } from './consumer-membership.ts'
import { newConsumerMetrics } from './consumer-metrics.ts'
import {
  type ConsumerOptions,
  type RebalanceListener,
  type ResolvedConsumerSettings,
  resolveConsumerSettings,
} from './consumer-options.ts'
import { PollGate } from './consumer-poll.ts'
import { difference, Positions } from './consumer-positions.ts'
import { asKafkaError, ClosedError, KafkaError } from './errors.ts'
import { Fetcher } from './fetcher.ts'
import type { MemberIdentity } from './group.ts'
import { Offsets, type OffsetToCommit } from './offsets.ts'
import { Commits } from './offsets-commits.ts'
import { PositionFinder } from './offsets-finder.ts'
import { type AnyTopic, nameOf, type TypedTopic } from './topic.ts'
import { TopicDeserializers } from './topic-deserializers.ts'
import type { TopicPartition } from './topic-partition.ts'
import { within } from './within.ts'

/** Longest tick: how exactly the intervals of auto commit and poll are kept. */
const TICK_MS_MAX = 1000
/** How long a rebalance waits for a commit at most. */
const REVOKE_COMMIT_MS_MAX = 10_000

/** Lives with one consumer, which is its only caller. */
export class ConsumerEngine<K, V> {
  readonly cluster: ClusterClient
  readonly settings: ResolvedConsumerSettings
  readonly positions = new Positions()
  readonly fetcher: Fetcher<K, V>
  readonly offsets: Offsets
  readonly commits: Commits
  readonly finder: PositionFinder
  readonly gate = new PollGate()
  readonly metrics = newConsumerMetrics()
  readonly handover: Handover<K, V>
  readonly #deserializers: TopicDeserializers<K, V>
  #membership: Membership | undefined
  #mode: 'none' | 'subscribed' | 'assigned' = 'none'
  #tick: NodeJS.Timeout | undefined
  #polledMs = 0
  #nextCommitMs = Infinity
  #closing: Promise<void> | undefined

  /** Throws TypeError for settings that contradict each other. */
  constructor(options: ConsumerOptions<K, V>, topics: readonly TypedTopic[] = []) {
    this.settings = resolveConsumerSettings(options)
    const cluster = new ClusterClient(options, {
      name: 'consumer',
      allowAutoTopicCreation: options.allowAutoCreateTopics ?? true,
    })
    this.cluster = cluster
    const { groupId, isolationLevel, checkCrcs } = this.settings
    const identity = () => identityOf(this.#membership)
    const wake = () => this.gate.wake()
    this.offsets = new Offsets(cluster, groupId, isolationLevel === 'read_committed')
    this.commits = new Commits(
      cluster,
      (offsets, member) => this.#commitOnce(offsets, member),
      identity,
    )
    this.finder = new PositionFinder(this.positions, this.offsets, this.settings, identity, wake)
    this.#deserializers = new TopicDeserializers(options.deserializers, topics)
    const tools = {
      codecs: createCodecs(),
      crc32c: (bytes: Buffer) => crc32c(bytes),
      checkCrcs,
      batchBytesMax: cluster.settings.responseBytesMax,
      deserializers: this.#deserializers,
    }
    this.handover = new Handover(options, this.#deserializers, cluster.settings.log)
    const { positions, settings, metrics } = this
    this.fetcher = new Fetcher(cluster, positions, settings, tools, metrics, wake)
  }

  get closing(): boolean {
    return this.#closing !== undefined
  }

  /** What commits say of this consumer. */
  get identity(): MemberIdentity {
    return identityOf(this.#membership)
  }

  async subscribe(
    topics: SubscriptionTopics<AnyTopic>,
    listener: RebalanceListener,
  ): Promise<void> {
    this.#throwIfClosing()
    if (isList(topics) && topics.length === 0) return this.unsubscribe()
    const { groupId } = this.settings
    if (groupId === undefined) throw noGroup()
    if (this.#mode === 'assigned') throw modeError()
    this.#membership ??= new Membership(
      this.cluster,
      { ...this.settings, groupId },
      this.positions,
      {
        commitBeforeRevoke: () => this.#commitBeforeRevoke(),
        wake: () => this.gate.attend(),
        metrics: this.metrics,
      },
    )
    if (isList(topics)) {
      for (const one of topics) if (typeof one !== 'string') this.#deserializers.add(one)
    }
    this.#membership.subscribe(isList(topics) ? topics.map(nameOf) : topics, listener)
    this.#mode = 'subscribed'
    this.#start()
  }

  assign(partitions: readonly TopicPartition[]): void {
    this.#throwIfClosing()
    if (this.#mode === 'subscribed') throw modeError()
    this.#mode = 'assigned'
    this.positions.remove(difference(this.positions.all(), partitions))
    this.positions.add(partitions)
    this.#start()
  }

  async unsubscribe(): Promise<void> {
    this.#throwIfClosing()
    const membership = this.#membership
    if (membership !== undefined) {
      await this.#commitBeforeRevoke()
      await membership.leave()
    }
    this.#membership = undefined
    this.positions.remove([...this.positions.all()])
    this.#mode = 'none'
  }

  /** Does what is due and waits until something lies ready; false: not in time. */
  async ready(deadlineMs: number, signal: AbortSignal | undefined): Promise<boolean> {
    for (;;) {
      this.#throwIfClosing()
      signal?.throwIfAborted()
      if (this.#mode === 'none') throw new Error('subscribe() or assign() comes first')
      this.gate.look()
      await this.#step()
      this.#throwIfClosing()
      if (this.fetcher.hasReady) return true
      if (performance.now() >= deadlineMs) return false
      await this.gate.wait(deadlineMs, signal)
    }
  }

  async #step(): Promise<void> {
    if (this.#membership?.due) await this.#membership.step()
    this.finder.throwFailure()
    void this.finder.find()
    if (performance.now() >= this.#nextCommitMs) this.#autoCommit()
    this.cluster.refreshIfStale()
    this.fetcher.pump()
  }

  #autoCommit(): void {
    this.#nextCommitMs = performance.now() + this.settings.autoCommitIntervalMs
    if (this.positions.size === 0) return
    const { log } = this.cluster.settings
    const { defaultApiTimeoutMs } = this.settings
    this.commits
      .commit(this.positionsToCommit(), defaultApiTimeoutMs, true)
      .catch((error: unknown) => {
        if (this.closing) return
        log.warn('offsets were not committed', { error: asKafkaError(error).message })
      })
  }

  async #commitBeforeRevoke(): Promise<void> {
    if (!this.settings.enableAutoCommit || this.positions.size === 0) return
    const timeoutMs = Math.min(REVOKE_COMMIT_MS_MAX, this.settings.maxPollIntervalMs)
    try {
      await this.commits.commit(this.positionsToCommit(), timeoutMs, false)
    } catch (error) {
      const { log } = this.cluster.settings
      log.warn('offsets were not committed', { error: asKafkaError(error).message })
    }
  }

  /** The position of every partition. */
  positionsToCommit(): OffsetToCommit[] {
    return [...this.positions.snapshot().values()]
  }

  /** Commits if that goes by itself, leaves, and closes the connections. */
  close(timeoutMs: number): Promise<void> {
    this.#closing ??= this.#close(timeoutMs)
    return this.#closing
  }

  /** Ends a consumer that was dropped. Nothing is committed: nobody says that what was handed out
   *  has been dealt with. */
  readonly dropped = {
    close: () => {
      this.#closing ??= this.#leave()
    },
  }

  async #leave(): Promise<void> {
    clearInterval(this.#tick)
    this.fetcher.close()
    // Nobody would see that a listener of the user's fails.
    await this.#membership?.leave().catch(() => {})
    this.cluster.close()
    this.handover.close()
  }

  /** Until the end of close: listeners may still commit. */
  throwIfClosed(): void {
    if (this.cluster.closed) throw new ClosedError('consumer')
  }

  async #commitOnce(offsets: readonly OffsetToCommit[], member: MemberIdentity): Promise<void> {
    // Without a member's identity the broker would take it for a commit from outside of the group,
    // which may overwrite what the partitions' new owner has committed.
    if (this.#membership !== undefined && member.generation < 0) {
      throw new KafkaError(ErrorCode.UNKNOWN_MEMBER_ID, {
        message: 'The consumer is no member of its group at present.',
      })
    }
    try {
      await this.offsets.commitOnce(offsets, member)
    } catch (error) {
      this.metrics.commitsFailed++
      throw error
    }
    this.metrics.commits++
    this.handover.onCommit(offsets)
  }

  /** Begins to keep time. */
  #start(): void {
    this.gate.attend()
    if (this.#tick !== undefined) return
    const { enableAutoCommit, autoCommitIntervalMs, maxPollIntervalMs } = this.settings
    this.#polledMs = performance.now()
    if (enableAutoCommit) this.#nextCommitMs = performance.now() + autoCommitIntervalMs
    const tickMs = Math.min(TICK_MS_MAX, autoCommitIntervalMs, Math.ceil(maxPollIntervalMs / 4))
    this.#tick = setInterval(() => this.#onTick(), Math.max(1, tickMs)).unref()
  }

  #onTick(): void {
    const now = performance.now()
    const gate = this.gate
    if (gate.inside || gate.polled) this.#polledMs = now
    gate.polled = false
    if (now - this.#polledMs > this.settings.maxPollIntervalMs) this.#membership?.onPollLate()
    gate.attend()
  }

  async #close(timeoutMs: number): Promise<void> {
    clearInterval(this.#tick)
    this.gate.attend()
    try {
      await within(this.#closeOrderly(), timeoutMs)
    } finally {
      this.fetcher.close()
      this.cluster.close()
      this.handover.close()
    }
  }

  async #closeOrderly(): Promise<void> {
    await this.gate.left()
    await this.#commitBeforeRevoke()
    await this.#membership?.leave()
    await this.commits.settled()
  }

  #throwIfClosing(): void {
    if (this.#closing !== undefined) throw new ClosedError('consumer')
  }
}

/** Why a call without a groupId is refused. */
export function noGroup(): KafkaError {
  return new KafkaError(ErrorCode.INVALID_GROUP_ID, {
    message: 'This needs a group.',
    hint: 'Give the consumer a groupId.',
  })
}

function modeError(): Error {
  return new Error('Either subscribe() or assign(): call unsubscribe() in between.')
}

function isList<T>(topics: SubscriptionTopics<T>): topics is readonly T[] {
  return Array.isArray(topics)
}

/** The consumer: what a program calls. Subscribes or is assigned, hands out records, commits. */
import { crc32c } from '@node-rs/crc32'
import { createCodecs } from '../codecs/codecs.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { ClusterClient } from './cluster-client.ts'
import { identityOf, Membership, type SubscriptionTopics } from './consumer-membership.ts'
import {
  type ConsumerOptions,
  type RebalanceListener,
  type ResolvedConsumerSettings,
  resolveConsumerSettings,
} from './consumer-options.ts'
import { PollGate, type PollOptions } from './consumer-poll.ts'
import {
  difference,
  Positions,
  pauseAt,
  resetTo,
  seekTo,
  type TopicPartition,
} from './consumer-positions.ts'
import type { ConsumerRecord } from './consumer-record.ts'
import { asKafkaError, ClosedError, KafkaError, TimeoutError } from './errors.ts'
import { Fetcher } from './fetcher.ts'
import type { MemberIdentity } from './group.ts'
import {
  type CommittedOffset,
  type FoundOffset,
  type OffsetQuery,
  Offsets,
  type OffsetToCommit,
} from './offsets.ts'
import { Commits } from './offsets-commits.ts'
import { PositionFinder } from './offsets-finder.ts'

/** Longest tick: how exactly the intervals of auto commit and poll are kept. */
const TICK_MS_MAX = 1000
/** How long a rebalance waits for a commit at most. */
const REVOKE_COMMIT_MS_MAX = 10_000

/** Records of one partition, in order. */
export interface RecordBatch<K = Buffer, V = Buffer> extends TopicPartition {
  /** At least one. */
  readonly records: readonly ConsumerRecord<K, V>[]
  /** The offset behind the last record that may be read as of the fetch. */
  readonly highWatermark: number
}

/** Reads records from a cluster, or from a broker in process. Lives on one thread; one caller at a
 *  time may ask for records. */
export class Consumer<K = Buffer, V = Buffer> implements AsyncIterable<ConsumerRecord<K, V>> {
  readonly #cluster: ClusterClient
  readonly #settings: ResolvedConsumerSettings
  readonly #positions = new Positions()
  readonly #fetcher: Fetcher<K, V>
  readonly #offsets: Offsets
  readonly #commits: Commits
  readonly #finder: PositionFinder
  readonly #gate = new PollGate()
  #membership: Membership | undefined
  #mode: 'none' | 'subscribed' | 'assigned' = 'none'
  #tick: NodeJS.Timeout | undefined
  #polledMs = 0
  #nextCommitMs = Infinity
  #closing: Promise<void> | undefined

  /** Connects when it is first needed. Throws TypeError for settings that contradict each other. */
  constructor(options: ConsumerOptions<K, V>) {
    this.#settings = resolveConsumerSettings(options)
    const cluster = new ClusterClient(options, {
      name: 'consumer',
      allowAutoTopicCreation: options.allowAutoCreateTopics ?? true,
    })
    this.#cluster = cluster
    const { groupId, isolationLevel, checkCrcs } = this.#settings
    const identity = () => identityOf(this.#membership)
    const wake = () => this.#gate.wake()
    this.#offsets = new Offsets(cluster, groupId, isolationLevel === 'read_committed')
    this.#commits = new Commits(
      cluster,
      (offsets, member) => this.#commitOnce(offsets, member),
      identity,
    )
    this.#finder = new PositionFinder(
      this.#positions,
      this.#offsets,
      this.#settings,
      identity,
      wake,
    )
    const tools = {
      codecs: createCodecs(),
      crc32c: (bytes: Buffer) => crc32c(bytes),
      checkCrcs,
      batchBytesMax: cluster.settings.responseBytesMax,
      deserializers: options.deserializers ?? {},
    }
    this.#fetcher = new Fetcher(cluster, this.#positions, this.#settings, tools, wake)
  }

  /**
   * Joins the group for these topics, in place of those before; the partitions come with the next
   * records that are asked for. No topics: as `unsubscribe`. Rejects with KafkaError without a
   * groupId.
   */
  async subscribe(topics: SubscriptionTopics, listener: RebalanceListener = {}): Promise<void> {
    this.#throwIfClosing()
    if (Array.isArray(topics) && topics.length === 0) return this.unsubscribe()
    const { groupId } = this.#settings
    if (groupId === undefined) throw noGroup()
    if (this.#mode === 'assigned') throw modeError()
    this.#membership ??= new Membership(
      this.#cluster,
      { ...this.#settings, groupId },
      this.#positions,
      {
        commitBeforeRevoke: () => this.#commitBeforeRevoke(),
        wake: () => this.#gate.attend(),
      },
    )
    this.#membership.subscribe(topics, listener)
    this.#mode = 'subscribed'
    this.#start()
  }

  /** Reads these partitions, in place of those before, without a group's assignment. */
  assign(partitions: readonly TopicPartition[]): void {
    this.#throwIfClosing()
    if (this.#mode === 'subscribed') throw modeError()
    this.#mode = 'assigned'
    this.#positions.remove(difference(this.#positions.all(), partitions))
    this.#positions.add(partitions)
    this.#start()
  }

  /** Leaves the group, or forgets what was assigned. */
  async unsubscribe(): Promise<void> {
    this.#throwIfClosing()
    const membership = this.#membership
    if (membership !== undefined) {
      await this.#commitBeforeRevoke()
      await membership.leave()
    }
    this.#membership = undefined
    this.#positions.remove([...this.#positions.all()])
    this.#mode = 'none'
  }

  /** What is assigned at present. */
  assignment(): TopicPartition[] {
    return [...this.#positions.all()].map(({ topic, partition }) => ({ topic, partition }))
  }

  /**
   * The next records: what lies ready, else waits for the first up to `timeoutMs`. Rejects with
   * KafkaError, or with the signal's reason. Records that were handed out count as read.
   */
  async poll(options: PollOptions = {}): Promise<ConsumerRecord<K, V>[]> {
    const { timeoutMs = 0, maxRecords = this.#settings.maxPollRecords, signal } = options
    const records: ConsumerRecord<K, V>[] = []
    const deadlineMs = performance.now() + timeoutMs
    this.#gate.enter()
    try {
      while (records.length === 0) {
        if (!(await this.#ready(deadlineMs, signal))) break
        this.#takeInto(records, maxRecords)
      }
      return records
    } finally {
      this.#gate.leave()
    }
  }

  /** Records one by one, until the consumer is closed; rejects with the signal's reason when it
   *  aborts. A record that was handed out counts as read, but a commit that goes by itself waits
   *  until the next one is asked for, or until close. */
  records({ signal }: { signal?: AbortSignal } = {}): AsyncIterableIterator<ConsumerRecord<K, V>> {
    let ended = false
    return {
      next: () => (ended ? DONE : this.#next(signal)),
      return: () => {
        ended = true
        return DONE
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<ConsumerRecord<K, V>> {
    return this.records()
  }

  /**
   * Calls `handle` with up to maxPollRecords records of one partition, one batch after the other,
   * until the consumer is closed; rejects with the signal's reason when it aborts. If `handle`
   * rejects, the position goes back to the start of its batch, and so does the call's promise.
   */
  async eachBatch(
    handle: (batch: RecordBatch<K, V>) => void | Promise<void>,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<void> {
    for (;;) {
      const batch = await this.#nextBatch(signal)
      if (batch === undefined) return
      try {
        await handle(batch)
      } catch (error) {
        const state = this.#positions.get(batch)
        if (state !== undefined) seekTo(state, batch.records[0]?.offset ?? 0)
        throw error
      }
    }
  }

  /**
   * Commits, and retries until it holds. Default: the position of all partitions. Rejects with
   * KafkaError, such as REBALANCE_IN_PROGRESS or ILLEGAL_GENERATION when the group has gone on.
   */
  async commit(offsets?: readonly OffsetToCommit[]): Promise<void> {
    this.#throwIfClosed()
    if (this.#settings.groupId === undefined) throw noGroup()
    const chosen = offsets ?? this.#positionsToCommit()
    await this.#commits.commit(chosen, this.#settings.defaultApiTimeoutMs, false)
  }

  /** The same without waiting: `callback` is told. A commit that fails is not retried when a newer
   *  one of the same partitions has been asked for, and never overwrites it. */
  commitAsync(
    offsets?: readonly OffsetToCommit[],
    callback: (error: KafkaError | null) => void = () => {},
  ): void {
    this.#throwIfClosed()
    if (this.#settings.groupId === undefined) throw noGroup()
    const chosen = offsets ?? this.#positionsToCommit()
    this.#commits.commit(chosen, this.#settings.defaultApiTimeoutMs, true).then(
      () => callback(null),
      (error: unknown) => callback(asKafkaError(error)),
    )
  }

  /** What the group has committed of these partitions, in any order. */
  async committed(partitions: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    this.#throwIfClosed()
    const identity = () => identityOf(this.#membership)
    return this.#offsets.committed(partitions, identity, this.#settings.defaultApiTimeoutMs)
  }

  /** The offset of the next record that is handed out, looked up if need be. */
  async position(partition: TopicPartition): Promise<number> {
    this.#throwIfClosed()
    const state = this.#positions.require(partition)
    const deadlineMs = performance.now() + this.#settings.defaultApiTimeoutMs
    while (state.position === undefined) {
      await this.#finder.find()
      this.#finder.throwFailure()
      if (this.#positions.get(partition) !== state) this.#positions.require(partition)
      if (performance.now() > deadlineMs) throw new TimeoutError(`No position of ${state.key}.`)
    }
    return state.position
  }

  /** How many offsets there are up to the end as of the last fetch; undefined: not known yet. */
  lag(partition: TopicPartition): number | undefined {
    const state = this.#positions.require(partition)
    const isCommitted = this.#settings.isolationLevel === 'read_committed'
    const end = isCommitted ? state.lastStableOffset : state.highWatermark
    if (state.position === undefined || end < 0) return undefined
    return Math.max(0, end - state.position)
  }

  /** Goes on at an offset. */
  seek({ offset, ...partition }: TopicPartition & { readonly offset: number }): void {
    if (!Number.isSafeInteger(offset) || offset < 0) throw new TypeError(`no offset: ${offset}`)
    seekTo(this.#positions.require(partition), offset)
    this.#gate.attend()
  }

  /** Goes on at the first records. Default: of all partitions that are assigned. */
  seekToBeginning(partitions: readonly TopicPartition[] = this.assignment()): void {
    this.#resetAll(partitions, 'earliest')
  }

  /** Goes on behind the last records. Default: of all partitions that are assigned. */
  seekToEnd(partitions: readonly TopicPartition[] = this.assignment()): void {
    this.#resetAll(partitions, 'latest')
  }

  /** Goes on at the first record of `timestamp` or later (milliseconds since 1970), else at the
   *  end. Default: in all partitions that are assigned. */
  seekToTimestamp(timestamp: number, partitions = this.assignment()): void {
    if (!Number.isSafeInteger(timestamp) || timestamp < 0) {
      throw new TypeError(`no timestamp: ${timestamp}`)
    }
    this.#resetAll(partitions, timestamp)
  }

  /** Hands out nothing of these partitions until `resume`. The member stays in its group as long as
   *  records are asked for. */
  pause(partitions: readonly TopicPartition[]): void {
    for (const one of partitions) pauseAt(this.#positions.require(one))
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const one of partitions) this.#positions.require(one).paused = false
    this.#gate.attend()
  }

  /** Partitions that are paused. */
  paused(): TopicPartition[] {
    return [...this.#positions.all()]
      .filter(({ paused }) => paused)
      .map(({ topic, partition }) => ({ topic, partition }))
  }

  /** Finds offsets: the first, the end, or by time; of any partitions, each once. */
  async listOffsets(queries: readonly OffsetQuery[]): Promise<FoundOffset[]> {
    this.#throwIfClosed()
    return this.#offsets.find(queries, this.#settings.defaultApiTimeoutMs)
  }

  /** Commits if that goes by itself, leaves the group, and closes the connections. Whoever waits
   *  for records gets no more. After `timeoutMs` it ends anyhow. Default: 30 s. */
  close({ timeoutMs = 30_000 } = {}): Promise<void> {
    this.#closing ??= this.#close(timeoutMs)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // hot
  #next(signal: AbortSignal | undefined): Promise<IteratorResult<ConsumerRecord<K, V>>> {
    const gate = this.#gate
    if (!gate.attention && !gate.inside && this.#fetcher.hasReady) {
      gate.polled = true
      const aborted = signal?.aborted ?? false
      if (!aborted) {
        try {
          const value = this.#fetcher.take()
          if (value !== undefined) return Promise.resolve({ done: false, value })
        } catch (error) {
          return Promise.reject(error)
        }
      }
    }
    return this.#nextSlowly(signal)
  }

  async #nextSlowly(
    signal: AbortSignal | undefined,
  ): Promise<IteratorResult<ConsumerRecord<K, V>>> {
    if (this.#closing !== undefined) return DONE
    this.#gate.enter()
    try {
      for (;;) {
        await this.#ready(Infinity, signal)
        const value = this.#fetcher.take()
        if (value !== undefined) return { done: false, value }
      }
    } catch (error) {
      if (error instanceof ClosedError && this.#closing !== undefined) return DONE
      throw error
    } finally {
      this.#gate.leave()
    }
  }

  async #nextBatch(signal: AbortSignal | undefined): Promise<RecordBatch<K, V> | undefined> {
    if (this.#closing !== undefined) return undefined
    this.#gate.enter()
    try {
      for (;;) {
        await this.#ready(Infinity, signal)
        const records = this.#fetcher.takeBatch(this.#settings.maxPollRecords)
        const first = records[0]
        if (first === undefined) continue
        const { topic, partition } = first
        const highWatermark = this.#positions.get(first)?.highWatermark ?? -1
        return { topic, partition, records, highWatermark }
      }
    } catch (error) {
      if (error instanceof ClosedError && this.#closing !== undefined) return undefined
      throw error
    } finally {
      this.#gate.leave()
    }
  }

  /** An error behind records waits for the next call, so that none of them is lost. */
  #takeInto(records: ConsumerRecord<K, V>[], recordsMax: number): void {
    try {
      while (records.length < recordsMax) {
        const record = this.#fetcher.take()
        if (record === undefined) return
        records.push(record)
      }
    } catch (error) {
      if (records.length === 0) throw error
      this.#fetcher.putBack(error)
    }
  }

  /** Does what is due and waits until something lies ready; false: not in time. */
  async #ready(deadlineMs: number, signal: AbortSignal | undefined): Promise<boolean> {
    for (;;) {
      this.#throwIfClosing()
      signal?.throwIfAborted()
      if (this.#mode === 'none') throw new Error('subscribe() or assign() comes first')
      this.#gate.look()
      await this.#step()
      this.#throwIfClosing()
      if (this.#fetcher.hasReady) return true
      if (performance.now() >= deadlineMs) return false
      await this.#gate.wait(deadlineMs, signal)
    }
  }

  async #step(): Promise<void> {
    if (this.#membership?.due) await this.#membership.step()
    this.#finder.throwFailure()
    void this.#finder.find()
    if (performance.now() >= this.#nextCommitMs) this.#autoCommit()
    this.#cluster.refreshIfStale()
    this.#fetcher.pump()
  }

  #autoCommit(): void {
    this.#nextCommitMs = performance.now() + this.#settings.autoCommitIntervalMs
    if (this.#positions.size === 0) return
    const { log } = this.#cluster.settings
    this.commitAsync(undefined, (error) => {
      if (error !== null && this.#closing === undefined) {
        log.warn('offsets were not committed', { error: error.message })
      }
    })
  }

  async #commitBeforeRevoke(): Promise<void> {
    if (!this.#settings.enableAutoCommit || this.#positions.size === 0) return
    const timeoutMs = Math.min(REVOKE_COMMIT_MS_MAX, this.#settings.maxPollIntervalMs)
    try {
      await this.#commits.commit(this.#positionsToCommit(), timeoutMs, false)
    } catch (error) {
      const { log } = this.#cluster.settings
      log.warn('offsets were not committed', { error: asKafkaError(error).message })
    }
  }

  async #commitOnce(offsets: readonly OffsetToCommit[], member: MemberIdentity): Promise<void> {
    // Without a member's identity the broker would take it for a commit from outside of the group,
    // which may overwrite what the partitions' new owner has committed.
    if (this.#membership !== undefined && member.generation < 0) {
      throw new KafkaError(ErrorCode.UNKNOWN_MEMBER_ID, {
        message: 'The consumer is no member of its group at present.',
      })
    }
    await this.#offsets.commitOnce(offsets, member)
  }

  #positionsToCommit(): OffsetToCommit[] {
    return [...this.#positions.snapshot().values()]
  }

  #resetAll(partitions: readonly TopicPartition[], to: 'earliest' | 'latest' | number): void {
    for (const one of partitions) resetTo(this.#positions.require(one), to)
    this.#gate.attend()
  }

  /** Begins to keep time. */
  #start(): void {
    this.#gate.attend()
    if (this.#tick !== undefined) return
    const { enableAutoCommit, autoCommitIntervalMs, maxPollIntervalMs } = this.#settings
    this.#polledMs = performance.now()
    if (enableAutoCommit) this.#nextCommitMs = performance.now() + autoCommitIntervalMs
    const tickMs = Math.min(TICK_MS_MAX, autoCommitIntervalMs, Math.ceil(maxPollIntervalMs / 4))
    this.#tick = setInterval(() => this.#onTick(), Math.max(1, tickMs)).unref()
  }

  #onTick(): void {
    const now = performance.now()
    const gate = this.#gate
    if (gate.inside || gate.polled) this.#polledMs = now
    gate.polled = false
    if (now - this.#polledMs > this.#settings.maxPollIntervalMs) this.#membership?.onPollLate()
    gate.attend()
  }

  async #close(timeoutMs: number): Promise<void> {
    clearInterval(this.#tick)
    this.#gate.attend()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs)
    })
    try {
      await Promise.race([this.#closeOrderly(), late])
    } finally {
      clearTimeout(timer)
      this.#fetcher.close()
      this.#cluster.close()
    }
  }

  async #closeOrderly(): Promise<void> {
    await this.#gate.left()
    await this.#commitBeforeRevoke()
    await this.#membership?.leave()
    await this.#commits.settled()
  }

  #throwIfClosing(): void {
    if (this.#closing !== undefined) throw new ClosedError('consumer')
  }

  /** Until the end of close: listeners may still commit. */
  #throwIfClosed(): void {
    if (this.#cluster.closed) throw new ClosedError('consumer')
  }
}

const DONE = Promise.resolve({ done: true as const, value: undefined })

function noGroup(): KafkaError {
  return new KafkaError(ErrorCode.INVALID_GROUP_ID, {
    message: 'This needs a group.',
    hint: 'Give the consumer a groupId.',
  })
}

function modeError(): Error {
  return new Error('Either subscribe() or assign(): call unsubscribe() in between.')
}

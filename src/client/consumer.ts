/** The consumer: what a program calls. Subscribes or is assigned, hands out records, commits. */
import { ConsumerEngine, noGroup } from './consumer-engine.ts'
import type { SubscriptionTopics } from './consumer-membership.ts'
import type { ConsumerMetrics } from './consumer-metrics.ts'
import type { ConsumerOptions, RebalanceListener } from './consumer-options.ts'
import type { PollOptions } from './consumer-poll.ts'
import { pauseAt, resetTo, seekTo } from './consumer-positions.ts'
import type { ConsumerRecord, RecordOf } from './consumer-record.ts'
import { asKafkaError, ClosedError, type KafkaError, TimeoutError } from './errors.ts'
import type { ConsumerGroupMetadata } from './group.ts'
import type { CommittedOffset, FoundOffset, OffsetQuery, OffsetToCommit } from './offsets.ts'
import type { AnyTopic, Topic, TypedTopic } from './topic.ts'
import type { TopicPartition } from './topic-partition.ts'
import { closeWhenCollected, wasClosed } from './when-collected.ts'

/** Records of one partition, in order. */
export interface RecordBatch<K = Buffer, V = Buffer, Name extends string = string>
  extends TopicPartition {
  readonly topic: Name
  /** At least one. */
  readonly records: readonly ConsumerRecord<K, V, Name>[]
  /** The offset behind the last record that may be read as of the fetch. */
  readonly highWatermark: number
}

/** A place to go on at. */
export interface SeekTarget extends TopicPartition {
  readonly offset: number
  readonly leaderEpoch?: number
}

/** The batches of typed topics, told apart by `topic`; without such topics those of `K` and `V`. */
export type BatchOf<K, V, T> = [T] extends [never]
  ? RecordBatch<K, V>
  : T extends Topic<never, never, infer Name, infer ReadK, infer ReadV>
    ? RecordBatch<ReadK, ReadV, Name>
    : never

/** What a consumer may subscribe to: names, or topics whose records are of its types. */
export type SubscriptionTopic<K, V, T> = [T] extends [never]
  ? string | Topic<never, never, string, K, V>
  : T extends TypedTopic
    ? T | T['topic']
    : never

/** Reads records from a cluster, or from a broker in process. Lives on one thread; one caller at a
 *  time may ask for records. `T`: the topics that it was given, by which its records are typed. */
export class Consumer<K = Buffer, V = Buffer, T extends TypedTopic = never>
  implements AsyncIterable<RecordOf<K, V, T>>
{
  readonly #engine: ConsumerEngine<K, V>

  /** Connects when it is first needed. Throws TypeError for settings that contradict each other. */
  constructor(options: ConsumerOptions<K, V, T>) {
    this.#engine = new ConsumerEngine<K, V>(options as ConsumerOptions<K, V>, options.topics)
    closeWhenCollected(this, this.#engine.dropped)
  }

  /**
   * Joins the group for these topics, in place of those before; the partitions come with the next
   * records that are asked for. No topics: as `unsubscribe`. Rejects with KafkaError without a
   * groupId. Typed topics are read by their serdes from now on.
   */
  subscribe(
    topics: SubscriptionTopics<SubscriptionTopic<K, V, T>>,
    listener: RebalanceListener = {},
  ): Promise<void> {
    return this.#engine.subscribe(topics as SubscriptionTopics<AnyTopic>, listener)
  }

  /** Reads these partitions, in place of those before, without a group's assignment. */
  assign(partitions: readonly TopicPartition[]): void {
    this.#engine.assign(partitions)
  }

  /** Leaves the group, or forgets what was assigned. */
  unsubscribe(): Promise<void> {
    return this.#engine.unsubscribe()
  }

  /** What is assigned at present. */
  assignment(): TopicPartition[] {
    return [...this.#engine.positions.all()].map(({ topic, partition }) => ({ topic, partition }))
  }

  /**
   * The next records: what lies ready, else waits for the first up to `timeoutMs`. Rejects with
   * KafkaError, or with the signal's reason. Records that were handed out count as read.
   */
  async poll(options: PollOptions = {}): Promise<RecordOf<K, V, T>[]> {
    const { timeoutMs = 0, maxRecords = this.#engine.settings.maxPollRecords, signal } = options
    let records: readonly ConsumerRecord<K, V>[] = []
    const deadlineMs = performance.now() + timeoutMs
    this.#engine.gate.enter()
    try {
      while (records.length === 0) {
        if (!(await this.#engine.ready(deadlineMs, signal))) break
        const taken: ConsumerRecord<K, V>[] = []
        this.#takeInto(taken, maxRecords)
        records = await this.#engine.handover.pass(taken)
      }
      return [...records] as RecordOf<K, V, T>[]
    } finally {
      this.#engine.gate.leave()
    }
  }

  /** Records one by one, until the consumer is closed; rejects with the signal's reason when it
   *  aborts. A record that was handed out counts as read, but a commit that goes by itself waits
   *  until the next one is asked for, or until close. */
  records({ signal }: { signal?: AbortSignal } = {}): AsyncIterableIterator<RecordOf<K, V, T>> {
    let ended = false
    return {
      next: () => (ended ? DONE : (this.#next(signal) as Promise<Next<K, V, T>>)),
      return: () => {
        ended = true
        return DONE
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<RecordOf<K, V, T>> {
    return this.records()
  }

  /**
   * Calls `handle` with up to maxPollRecords records of one partition, one batch after the other,
   * until the consumer is closed; rejects with the signal's reason when it aborts. If `handle`
   * rejects, the position goes back to the start of its batch, and so does the call's promise.
   */
  async eachBatch(
    handle: (batch: BatchOf<K, V, T>) => void | Promise<void>,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<void> {
    for (;;) {
      const batch = await this.#nextBatch(signal)
      if (batch === undefined) return
      try {
        await handle(batch as BatchOf<K, V, T>)
      } catch (error) {
        const state = this.#engine.positions.get(batch)
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
    this.#engine.throwIfClosed()
    if (this.#engine.settings.groupId === undefined) throw noGroup()
    const chosen = offsets ?? this.#engine.positionsToCommit()
    await this.#engine.commits.commit(chosen, this.#engine.settings.defaultApiTimeoutMs, false)
  }

  /** The same without waiting: `callback` is told. A commit that fails is not retried when a newer
   *  one of the same partitions has been asked for, and never overwrites it. */
  commitAsync(
    offsets?: readonly OffsetToCommit[],
    callback: (error: KafkaError | null) => void = () => {},
  ): void {
    this.#engine.throwIfClosed()
    if (this.#engine.settings.groupId === undefined) throw noGroup()
    const chosen = offsets ?? this.#engine.positionsToCommit()
    this.#engine.commits.commit(chosen, this.#engine.settings.defaultApiTimeoutMs, true).then(
      () => callback(null),
      (error: unknown) => callback(asKafkaError(error)),
    )
  }

  /**
   * The group and this consumer's place in it, as a transaction that stores the group's offsets
   * names them. Throws KafkaError without a groupId. KIP-447.
   */
  groupMetadata(): ConsumerGroupMetadata {
    const { groupId } = this.#engine.settings
    if (groupId === undefined) throw noGroup()
    return { groupId, ...this.#engine.identity }
  }

  /** The position of each partition, as `commit()` would commit it. */
  positions(): OffsetToCommit[] {
    return this.#engine.positionsToCommit()
  }

  /** What the group has committed of these partitions, in any order. */
  async committed(partitions: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    this.#engine.throwIfClosed()
    const identity = () => this.#engine.identity
    return this.#engine.offsets.committed(
      partitions,
      identity,
      this.#engine.settings.defaultApiTimeoutMs,
    )
  }

  /** The offset of the next record that is handed out, looked up if need be. */
  async position(partition: TopicPartition): Promise<number> {
    this.#engine.throwIfClosed()
    const state = this.#engine.positions.require(partition)
    const deadlineMs = performance.now() + this.#engine.settings.defaultApiTimeoutMs
    while (state.position === undefined) {
      await this.#engine.finder.find()
      this.#engine.finder.throwFailure()
      if (this.#engine.positions.get(partition) !== state) this.#engine.positions.require(partition)
      if (performance.now() > deadlineMs) throw new TimeoutError(`No position of ${state.key}.`)
    }
    return state.position
  }

  /** How many offsets there are up to the end as of the last fetch; undefined: not known yet. */
  lag(partition: TopicPartition): number | undefined {
    const state = this.#engine.positions.require(partition)
    const isCommitted = this.#engine.settings.isolationLevel === 'read_committed'
    const end = isCommitted ? state.lastStableOffset : state.highWatermark
    if (state.position === undefined || end < 0) return undefined
    return Math.max(0, end - state.position)
  }

  /** Goes on at an offset. `leaderEpoch`: that of the record before it; with it the leader is asked
   *  first whether it has that record. Default: not known. */
  seek({ offset, leaderEpoch = -1, ...partition }: SeekTarget): void {
    if (!Number.isSafeInteger(offset) || offset < 0) throw new TypeError(`no offset: ${offset}`)
    seekTo(this.#engine.positions.require(partition), offset, leaderEpoch)
    this.#engine.gate.attend()
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
    for (const one of partitions) pauseAt(this.#engine.positions.require(one))
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const one of partitions) this.#engine.positions.require(one).paused = false
    this.#engine.gate.attend()
  }

  /** Partitions that are paused. */
  paused(): TopicPartition[] {
    return [...this.#engine.positions.all()]
      .filter(({ paused }) => paused)
      .map(({ topic, partition }) => ({ topic, partition }))
  }

  /** Finds offsets: the first, the end, or by time; of any partitions, each once. */
  async listOffsets(queries: readonly OffsetQuery[]): Promise<FoundOffset[]> {
    this.#engine.throwIfClosed()
    return this.#engine.offsets.find(queries, this.#engine.settings.defaultApiTimeoutMs)
  }

  /** A copy of the counters. */
  metrics(): ConsumerMetrics {
    return { ...this.#engine.metrics, bufferBytes: this.#engine.fetcher.queuedBytes }
  }

  /** Commits if that goes by itself, leaves the group, and closes the connections. Whoever waits
   *  for records gets no more. After `timeoutMs` it ends anyhow. Default: 30 s. */
  close({ timeoutMs = 30_000 } = {}): Promise<void> {
    wasClosed(this)
    return this.#engine.close(timeoutMs)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // hot
  #next(signal: AbortSignal | undefined): Promise<IteratorResult<ConsumerRecord<K, V>>> {
    const { gate, handover } = this.#engine
    if (!gate.attention && !gate.inside && !handover.filters && this.#engine.fetcher.hasReady) {
      gate.polled = true
      const aborted = signal?.aborted ?? false
      if (!aborted) {
        try {
          const value = this.#engine.fetcher.take()
          if (value !== undefined) {
            const later = handover.settle(value)
            if (later === undefined) return Promise.resolve({ done: false, value })
            return later.then(() => ({ done: false, value }))
          }
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
    if (this.#engine.closing) return DONE
    this.#engine.gate.enter()
    try {
      for (;;) {
        await this.#engine.ready(Infinity, signal)
        const taken = this.#engine.fetcher.take()
        if (taken === undefined) continue
        const [value] = await this.#engine.handover.pass([taken])
        if (value !== undefined) return { done: false, value }
      }
    } catch (error) {
      if (error instanceof ClosedError && this.#engine.closing) return DONE
      throw error
    } finally {
      this.#engine.gate.leave()
    }
  }

  async #nextBatch(signal: AbortSignal | undefined): Promise<RecordBatch<K, V> | undefined> {
    if (this.#engine.closing) return undefined
    this.#engine.gate.enter()
    try {
      for (;;) {
        await this.#engine.ready(Infinity, signal)
        const taken = this.#engine.fetcher.takeBatch(this.#engine.settings.maxPollRecords)
        const first = taken[0]
        if (first === undefined) continue
        const records = await this.#engine.handover.pass(taken)
        if (records.length === 0) continue
        const { topic, partition } = first
        const highWatermark = this.#engine.positions.get(first)?.highWatermark ?? -1
        return { topic, partition, records, highWatermark }
      }
    } catch (error) {
      if (error instanceof ClosedError && this.#engine.closing) return undefined
      throw error
    } finally {
      this.#engine.gate.leave()
    }
  }

  /** An error behind records waits for the next call, so that none of them is lost. */
  #takeInto(records: ConsumerRecord<K, V>[], recordsMax: number): void {
    try {
      while (records.length < recordsMax) {
        const record = this.#engine.fetcher.take()
        if (record === undefined) return
        records.push(record)
      }
    } catch (error) {
      if (records.length === 0) throw error
      this.#engine.fetcher.putBack(error)
    }
  }

  #resetAll(partitions: readonly TopicPartition[], to: 'earliest' | 'latest' | number): void {
    for (const one of partitions) resetTo(this.#engine.positions.require(one), to)
    this.#engine.gate.attend()
  }
}

type Next<K, V, T> = IteratorResult<RecordOf<K, V, T>>

const DONE = Promise.resolve({ done: true as const, value: undefined })

/**
 * The partitions that one thread owns: opens them, gives them the clock, writes their index
 * journals, and brings back those that failed. Lives on that thread.
 */

import { Cleaner } from '../actors/cleaner.ts'
import { type ReadOrder, readRequestOf } from '../actors/mailbox/hot.ts'
import type { PartitionAnswers, PartitionCommand } from '../actors/mailbox/partition.ts'
import type { RunTask } from '../actors/mailbox/task.ts'
import { Partition, type PartitionHost } from '../actors/partition.ts'
import { onPartitionCommand } from '../actors/partition-commands.ts'
import {
  type AppendOrigin,
  type AppendSink,
  FAILED,
  type ReadResult,
} from '../actors/partition-requests.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { ClusterImage, ImageChange, PartitionImage } from '../cluster/image.ts'
import type { Codecs } from '../protocol/compression.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { Crc32c } from '../protocol/record-batch.ts'
import type { BufferPool } from '../ring/arena.ts'
import type { Storage } from '../storage/storage.ts'
import { StorageError } from '../storage/storage-error.ts'
import { JournalWriter } from './journal-writer.ts'

/** How often index journals are written and due flushes started. */
const TICK_MS = 1000
/** A failed partition is reopened after this, doubled with each further failure. */
const REOPEN_MS = 1000
const REOPEN_MS_MAX = 60_000
/** Silent producers are looked for this often, as in Kafka. */
const EXPIRY_CHECK_MS = 600_000

/** What a table needs of its thread. */
export interface TableParts {
  readonly thread: number
  readonly image: ClusterImage
  readonly storage: Storage
  readonly clock: Clock
  readonly pool: BufferPool
  readonly codecs: Codecs
  readonly crc32c: Crc32c
  readonly random: () => number
  readonly log: Log
  /**
   * What the index says is believed up to its checkpoint: no power was lost since it was written.
   */
  readonly trustCheckpoint: boolean
  /** A stop flushes the logs. */
  readonly durable: boolean
  /** Threads of the broker that hold partitions. */
  readonly threadCount: number
  /** Gives work to the pool of task threads. */
  readonly runTask: RunTask
  /** Somebody reads a partition or appends to it. */
  onAccess(): void
  /** Somebody on `thread` waits for `slot`, which advanced. */
  wake(thread: number, slot: number): void
  after(delayMs: number, then: () => void): () => void
}

export class PartitionTable implements PartitionHost {
  readonly pool: BufferPool
  readonly codecs: Codecs
  readonly #parts: TableParts
  readonly #bySlot = new Map<number, Partition>()
  readonly #watchers = new Map<number, number>()
  readonly #journals: JournalWriter
  readonly #cleaner: Cleaner
  /** How often a partition failed in a row, and when last (monotonic ms). */
  readonly #failures = new Map<number, { count: number; atMs: number }>()
  /** Opened once in this life: no power was lost since, so their checkpoints are believed. */
  readonly #opened = new Set<number>()
  readonly #stopListening: () => void
  #cancelTick: (() => void) | undefined
  #lastExpiryMs: number

  constructor(parts: TableParts) {
    this.#parts = parts
    const owns = (partition: Partition) => this.#bySlot.get(partition.slot) === partition
    this.#journals = new JournalWriter({ index: parts.storage.index, log: parts.log, owns })
    this.#cleaner = new Cleaner({
      clock: parts.clock,
      log: parts.log,
      runTask: parts.runTask,
      threadCount: parts.threadCount,
      brokerConfig: () => parts.image.brokerConfig,
      partitions: () => this.#bySlot.values(),
      owns,
      changed: (partition) => {
        this.advanced(partition)
        this.#journals.write()
      },
      failed: (partition, error) => this.failed(partition, error),
    })
    this.pool = parts.pool
    this.codecs = parts.codecs
    this.#lastExpiryMs = parts.clock.wallMs()
    this.#stopListening = parts.image.onChange((change) => this.#onChange(change))
  }

  get decompressedBytesMax(): number {
    return this.#parts.image.brokerConfig['odradek.decompressed.batch.bytes.max']
  }

  get groupCommit(): boolean {
    return this.#parts.image.brokerConfig['odradek.flush.policy'] === 'group-commit'
  }

  /** Partitions of this thread. */
  get count(): number {
    return this.#bySlot.size
  }

  /** Opens all partitions that the image gives to this thread and starts the clock. */
  openAll(): void {
    const { image, thread, storage } = this.#parts
    const known = new Set(storage.index.slots())
    for (const topic of image.topics()) {
      for (const partition of topic.partitions) {
        known.delete(partition.slot)
        if (partition.thread === thread) this.#open(partition)
      }
    }
    if (thread === 0 && known.size > 0) storage.index.remove([...known])
    this.#scheduleTick()
  }

  // hot
  append(
    slot: number,
    records: Buffer,
    acksAll: boolean,
    sink: AppendSink,
    tag: number,
    origin: AppendOrigin,
  ): void {
    this.#parts.onAccess()
    const partition = this.#bySlot.get(slot)
    if (partition === undefined) {
      sink.onAppended(tag, { ...FAILED, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION })
      return
    }
    try {
      partition.append(records, acksAll, sink, tag, origin)
    } catch (error) {
      // Thrown behind the answer, it is the asker's failure and not the partition's.
      if (partition.answered) throw error
      this.#broken(partition, error as Error)
      sink.onAppended(tag, { ...FAILED, errorCode: ErrorCode.KAFKA_STORAGE_ERROR })
    }
  }

  // hot
  /**
   * Reads what `asker` (a thread) ordered, within the order's budget; the first batch found is
   * whole.
   */
  read(asker: number, order: ReadOrder): ReadResult[] {
    this.#parts.onAccess()
    const results: ReadResult[] = []
    let budget = Math.min(order.maxBytes, this.#memoryLeft())
    let minOneBatch = true
    for (const one of order.partitions) {
      const partition = this.#bySlot.get(one.slot)
      if (partition === undefined) {
        results.push(missing())
        continue
      }
      if (order.watch) this.#watch(one.slot, asker)
      if (budget <= 0 && !minOneBatch) {
        results.push(partition.status(readRequestOf(one, order, 0, false)))
        continue
      }
      const result = this.#readOne(partition, readRequestOf(one, order, budget, minOneBatch))
      if (result.read !== undefined) {
        budget -= result.availableBytes
        minOneBatch = false
      }
      results.push(result)
    }
    return results
  }

  /** What reads may still hold: many readers that take nothing must not fill the memory. */
  #memoryLeft(): number {
    const limit = this.#parts.image.brokerConfig['odradek.requests.bytes.max']
    // The other half is for requests: readers must not keep writers out.
    return Math.max(0, limit / 2 - this.pool.largeBytesInUse)
  }

  /** The first offset of a partition; -1 while it is offline or not here. */
  startOffset(slot: number): number {
    const partition = this.#bySlot.get(slot)
    return partition?.online ? partition.log.logStartOffset : -1
  }

  /** The offset behind the last one of a partition; -1 while it is offline or not here. */
  endOffset(slot: number): number {
    const partition = this.#bySlot.get(slot)
    return partition?.online ? partition.log.logEndOffset : -1
  }

  /** Whole batches from `fetchOffset` up to the high watermark, for an actor of this thread. */
  readOne(slot: number, fetchOffset: number, maxBytes: number): ReadResult {
    const partition = this.#bySlot.get(slot)
    if (partition === undefined) return missing()
    return this.#readOne(partition, {
      fetchOffset,
      maxBytes,
      currentLeaderEpoch: -1,
      lastFetchedEpoch: -1,
      readCommitted: false,
      minOneBatch: true,
      measure: false,
    })
  }

  command<C extends PartitionCommand>(
    command: C,
    answer: (result: PartitionAnswers[C['kind']]) => void,
  ): void {
    onPartitionCommand(
      (slot) => this.#bySlot.get(slot),
      command,
      answer as (result: PartitionAnswers[PartitionCommand['kind']]) => void,
    )
  }

  advanced(partition: Partition): void {
    this.#journals.add(partition)
    if (!partition.watched) return
    partition.watched = false
    const mask = this.#watchers.get(partition.slot) ?? 0
    this.#watchers.delete(partition.slot)
    for (let thread = 0; thread < 32; thread++) {
      if ((mask & (1 << thread)) !== 0) this.#parts.wake(thread, partition.slot)
    }
  }

  diskRefused(partition: Partition, error: Error): void {
    this.#parts.log.error(`${partition.log.parts.name}: ${error.message}`)
  }

  failed(partition: Partition, error: Error): void {
    partition.log.abandon()
    this.#cleaner.abort(partition)
    const delayMs = this.#reopenDelayMs(partition.slot)
    const { name } = partition.log.parts
    this.#parts.log.error(`${name} is offline: ${error.message}; reopening in ${delayMs} ms`)
    this.advanced(partition)
    this.#parts.after(delayMs, () => this.#reopen(partition))
  }

  /** Writes all journals and forces every log to the disk: what a clean stop leaves behind. */
  async close(): Promise<void> {
    this.#stopListening()
    this.#cancelTick?.()
    this.#cleaner.close()
    for (const partition of this.#bySlot.values()) {
      try {
        if (partition.online && this.#parts.durable) partition.log.flushState.flushNow()
      } catch (error) {
        this.#parts.log.error(`${partition.log.parts.name}: ${(error as Error).message}`)
      }
      partition.goOffline()
      this.#journals.add(partition)
    }
    await this.#journals.close()
    for (const partition of this.#bySlot.values()) partition.log.close()
    this.#bySlot.clear()
  }

  #readOne(partition: Partition, request: Parameters<Partition['read']>[0]): ReadResult {
    try {
      return partition.read(request)
    } catch (error) {
      this.#broken(partition, error as Error)
      return { ...missing(), errorCode: ErrorCode.KAFKA_STORAGE_ERROR }
    }
  }

  #watch(slot: number, thread: number): void {
    const partition = this.#bySlot.get(slot) as Partition
    partition.watched = true
    this.#watchers.set(slot, (this.#watchers.get(slot) ?? 0) | (1 << thread))
  }

  /** An assertion failed inside a partition: it stops, loudly, and comes back through recovery. */
  #broken(partition: Partition, error: Error): void {
    this.#parts.log.error(`${partition.log.parts.name} broke: ${error.stack ?? error.message}`)
    partition.goOffline()
    this.failed(partition, error)
  }

  #onChange(change: ImageChange): void {
    switch (change.kind) {
      case 'partition-created':
        if (change.partition.thread === this.#parts.thread) this.#open(change.partition)
        return
      case 'partition-deleted':
        if (change.partition.thread === this.#parts.thread) this.#delete(change.partition)
        return
      case 'topic-config-changed':
        for (const one of change.topic.partitions) {
          this.#bySlot.get(one.slot)?.configure(one.topic.config)
        }
        return
      case 'broker-config-changed':
        for (const [slot, partition] of this.#bySlot) {
          const image = this.#parts.image.partition(slot)
          if (image !== undefined) partition.configure(image.topic.config)
        }
        return
      default:
    }
  }

  #open(image: PartitionImage): void {
    const { storage, clock, crc32c, random } = this.#parts
    const { topic, index, slot } = image
    const name = `${topic.name}-${index}`
    let partition: Partition
    try {
      const directory = storage.directory(topic.name, index, topic.id)
      const parts = { name, slot, directory, index: storage.index, clock, crc32c, random }
      partition = new Partition(parts, image.leaderEpoch, topic.config, this)
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      this.#parts.log.error(`${name} cannot be opened: ${error.message}`)
      this.#parts.after(REOPEN_MS, () => {
        if (this.#parts.image.partition(slot) !== undefined) this.#open(image)
      })
      return
    }
    this.#bySlot.set(slot, partition)
    this.#recover(partition)
  }

  #recover(partition: Partition): void {
    const { name } = partition.log.parts
    try {
      const trusted = this.#parts.trustCheckpoint || this.#opened.has(partition.slot)
      const report = partition.log.open(trusted)
      this.#opened.add(partition.slot)
      if (report.rebuilt) this.#parts.log.info(`${name}: the index was rebuilt from the segments`)
      if (report.tornBytes > 0) {
        this.#parts.log.warn(
          `${name}: cut a torn tail of ${report.tornBytes} bytes; the log ends at ${partition.log.logEndOffset}`,
        )
      }
      if (report.damagedRanges > 0) {
        this.#parts.log.error(
          `${name}: ${report.damagedRanges} damaged ranges; they answer CORRUPT_MESSAGE`,
        )
      }
      partition.goOnline()
      if (report.scannedBytes > 0 || report.rebuilt) this.#journals.add(partition)
    } catch (error) {
      this.failed(partition, error as Error)
    }
  }

  /**
   * Doubled with each failure in a row; one that held for longer than the longest wait counts
   * afresh.
   */
  #reopenDelayMs(slot: number): number {
    const nowMs = this.#parts.clock.monotonicMs()
    const last = this.#failures.get(slot)
    const inARow = last !== undefined && nowMs - last.atMs < 2 * REOPEN_MS_MAX
    const count = inARow ? last.count + 1 : 1
    this.#failures.set(slot, { count, atMs: nowMs })
    return Math.min(REOPEN_MS_MAX, REOPEN_MS * 2 ** (count - 1))
  }

  #reopen(broken: Partition): void {
    const image = this.#parts.image.partition(broken.slot)
    if (image === undefined || this.#bySlot.get(broken.slot) !== broken) return
    broken.log.close()
    this.#journals.delete(broken)
    this.#open(image)
  }

  #delete(image: PartitionImage): void {
    const partition = this.#bySlot.get(image.slot)
    if (partition === undefined) return
    this.#bySlot.delete(image.slot)
    this.#opened.delete(image.slot)
    this.#failures.delete(image.slot)
    this.#cleaner.abort(partition)
    partition.goOffline()
    partition.log.close()
    this.advanced(partition)
    this.#journals.delete(partition)
    const { storage, log } = this.#parts
    try {
      storage.removePartition(image.topic.name, image.index, image.topic.id)
      storage.index.remove([image.slot])
    } catch (error) {
      log.error(`${partition.log.parts.name} cannot be removed: ${(error as Error).message}`)
    }
  }

  #scheduleTick(): void {
    this.#cancelTick = this.#parts.after(TICK_MS, () => {
      this.#onTick()
      this.#scheduleTick()
    })
  }

  #onTick(): void {
    const nowMs = this.#parts.clock.wallMs()
    this.#journals.onTick(nowMs)
    if (nowMs - this.#lastExpiryMs >= EXPIRY_CHECK_MS) {
      this.#lastExpiryMs = nowMs
      const expirationMs = this.#parts.image.brokerConfig['producer.id.expiration.ms']
      for (const partition of this.#bySlot.values()) {
        if (partition.log.producers.expire(nowMs, expirationMs) > 0) this.#journals.add(partition)
      }
    }
    this.#cleaner.onTick()
    this.#journals.write()
  }
}

function missing(): ReadResult {
  return {
    errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    read: undefined,
    availableBytes: 0,
    aborted: null,
    divergingEpoch: undefined,
  }
}

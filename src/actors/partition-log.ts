/**
 * The log of one partition: segments, index journal, producer state, leader epochs. It does what
 * the decisions in `log/` say; it decides nothing about requests (partition.ts does). Lives on its
 * partition's thread, which alone writes it.
 */
import { assert } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import type { TopicConfig } from '../config/topic.ts'
import { LeaderEpochs } from '../log/leader-epochs.ts'
import { type AbortedTransaction, ProducerStates } from '../log/producer-state.ts'
import { newSegment, segmentIndexOf, shouldRoll } from '../log/segments.ts'
import type { Crc32c } from '../protocol/record-batch.ts'
import type { BufferPool } from '../ring/arena.ts'
import type {
  Checkpoint,
  IndexEntry,
  IndexUpdate,
  OffsetIndex,
  SegmentDirectory,
} from '../storage/storage.ts'
import { FlushState } from './flush-state.ts'
import { floorIn, IndexJournal } from './index-journal.ts'
import { type Located, locateBatch, readBatches } from './log-reader.ts'
import { openLog, type RecoveryReport } from './log-recovery.ts'
import {
  type AppendFacts,
  type CleanedSegment,
  type LogRead,
  type LogSegment,
  summaryOf,
} from './log-segment.ts'
import { ReadCursors } from './read-cursors.ts'

/** Log bytes between two entries of the offset index. */
const INDEX_INTERVAL_BYTES = 64 * 1024

/** What a log is made of. */
export interface LogParts {
  name: string
  slot: number
  directory: SegmentDirectory
  index: OffsetIndex
  clock: Clock
  crc32c: Crc32c
  /** 0 up to and without 1; for `segment.jitter.ms`. */
  random: () => number
}

export class PartitionLog {
  readonly parts: LogParts
  readonly segments: LogSegment[] = []
  readonly producers: ProducerStates
  readonly epochs = new LeaderEpochs()
  readonly journal = new IndexJournal()
  logStartOffset = 0
  logEndOffset = 0
  readonly flushState = new FlushState(this)
  /** Where the last round of compaction ended, or `undefined`: there was none. */
  cleanedOffset: number | undefined
  /** Entries of compacted segments that the index does not hold yet, by base offset. */
  readonly #rewritten = new Map<number, readonly IndexEntry[]>()
  /** What the index holds of this log, if it was ever written. */
  #indexed: Checkpoint | undefined
  /** Whether the log is what its segments say: opened, and not failed since. */
  #sound = false
  #config: TopicConfig
  #jitterMs = 0
  readonly #cursors = new ReadCursors()

  constructor(parts: LogParts, config: TopicConfig) {
    this.parts = parts
    this.producers = new ProducerStates(1 + Math.floor(parts.random() * 0x7ffffffe))
    this.#config = config
  }

  set config(config: TopicConfig) {
    this.#config = config
  }

  /**
   * Finds the segments, trusts what the index knows of them, scans the rest. Throws StorageError.
   */
  open(trustCheckpoint: boolean): RecoveryReport {
    const report = openLog(this, trustCheckpoint)
    const rolled = this.segments.slice(0, -1)
    this.flushState.opened(rolled, this.logStartOffset, this.parts.clock.wallMs())
    this.#newJitter()
    this.#sound = true
    return report
  }

  /** Bytes of all segments. */
  get size(): number {
    let bytes = 0
    for (const segment of this.segments) bytes += segment.file.size
    return bytes
  }

  /** End of what read_committed consumers may see. */
  get lastStableOffset(): number {
    return this.producers.firstUnstableOffset() ?? this.logEndOffset
  }

  get activeSegment(): LogSegment | undefined {
    return this.segments[this.segments.length - 1]
  }

  /**
   * Appends one batch whose header was completed (offset, epoch, CRC), rolling first if it is time.
   * Throws StorageError, after which the log is as it was.
   */
  // hot
  append(batch: Buffer, facts: AppendFacts, nowMs: number): void {
    assert(facts.baseOffset === this.logEndOffset, 'a batch is appended at the log end')
    const bytes = batch.length
    let segment = this.activeSegment
    if (segment === undefined || this.#mustRoll(segment, batch, facts, nowMs)) {
      segment = this.roll(nowMs)
    }
    const position = segment.file.size
    segment.file.append([batch], bytes)
    this.#cursors.set(facts.baseOffset, segment.baseOffset, position)
    this.noteBatch(segment, facts, position)
    segment.verified.add(position, position + bytes)
    segment.modifiedMs = nowMs
    this.flushState.appended(facts.lastOffset - facts.baseOffset + 1, nowMs)
  }

  /** Records that `segment` has a batch at `position`: after an append, and in recovery's scan. */
  noteBatch(segment: LogSegment, facts: AppendFacts, position: number): void {
    const due = position - segment.indexedPosition >= INDEX_INTERVAL_BYTES
    if (segment.indexedPosition < 0 || due) {
      segment.indexedPosition = position
      this.journal.entries.push({
        offset: facts.baseOffset,
        segmentBase: segment.baseOffset,
        position,
        maxTimestampBefore: segment.maxTimestamp,
      })
    }
    if (facts.maxTimestamp > segment.maxTimestamp) {
      segment.maxTimestamp = facts.maxTimestamp
      segment.maxTimestampPosition = position
    }
    if (position === 0) segment.firstTimestamp = facts.maxTimestamp
    segment.nextOffset = facts.lastOffset + 1
    this.logEndOffset = segment.nextOffset
  }

  /**
   * Closes the active segment and begins a new one at the log end. Its bytes go to disk behind the
   * back.
   */
  roll(nowMs: number): LogSegment {
    const old = this.activeSegment
    const base = this.logEndOffset
    const segment = newSegment(base, this.parts.directory.create(base), nowMs)
    if (old !== undefined) {
      this.journal.summaries.push(summaryOf(old))
      this.flushState.rolled(old)
    }
    this.segments.push(segment)
    this.#newJitter()
    return segment
  }

  /**
   * Reads whole batches from the one that holds `offset` on, below `upperOffset`, at most
   * `maxBytes` but at least one when `minOneBatch`. From one segment only, as Kafka does.
   */
  // hot
  read(
    offset: number,
    maxBytes: number,
    upperOffset: number,
    minOneBatch: boolean,
    pool: BufferPool,
  ): LogRead {
    let index = segmentIndexOf(this.segments, offset)
    // A gap between segments (compaction, a dropped-in file): the next batch is in a later one.
    if (index < 0) index = 0
    for (; index < this.segments.length; index++) {
      const segment = this.segments[index] as LogSegment
      if (segment.baseOffset >= upperOffset) break
      if (offset >= segment.nextOffset && index < this.segments.length - 1) continue
      const place = this.#placeOf(segment, offset)
      // The last batches of the segment may be gone, and its end be where a read went on from.
      if (place === undefined || place.position >= segment.file.size) continue
      const { position, expected } = place
      const read = readBatches(
        this,
        segment,
        { position, expected, maxBytes, upperOffset, minOneBatch },
        pool,
      )
      if (read.nextOffset >= 0) {
        this.#cursors.set(read.nextOffset, segment.baseOffset, position + read.to - read.from)
      }
      return read
    }
    return NOTHING
  }

  /**
   * Bytes of whole batches from the one that holds `offset` to the one that holds `upperOffset`.
   */
  bytesBetween(offset: number, upperOffset: number): number {
    let bytes = 0
    const first = Math.max(0, segmentIndexOf(this.segments, offset))
    for (let index = first; index < this.segments.length; index++) {
      const segment = this.segments[index] as LogSegment
      if (segment.baseOffset >= upperOffset) break
      const from = index === first ? (this.#placeOf(segment, offset)?.position ?? 0) : 0
      const to =
        upperOffset >= segment.nextOffset
          ? segment.file.size
          : (this.#placeOf(segment, upperOffset)?.position ?? 0)
      bytes += Math.max(0, to - from)
    }
    return bytes
  }

  /** The index entry with the greatest offset not above `offset`, maybe of another segment. */
  floorEntry(segment: LogSegment, offset: number): IndexEntry | undefined {
    const rewritten = this.#rewritten.get(segment.baseOffset)
    if (rewritten !== undefined) return floorIn(rewritten, offset)
    return this.journal.floor(offset) ?? this.parts.index.floor(this.parts.slot, offset)
  }

  /** The nearest place in `segment`, not behind `offset`, that the index knows. */
  floorPlace(segment: LogSegment, offset: number): Located {
    const entry = this.floorEntry(segment, offset)
    if (entry === undefined || entry.segmentBase !== segment.baseOffset) {
      return { position: 0, expected: segment.baseOffset }
    }
    return { position: entry.position, expected: entry.offset }
  }

  /** Aborted transactions that overlap [fromOffset, toOffset), in order of their first offset. */
  abortedBetween(fromOffset: number, toOffset: number): AbortedTransaction[] {
    const found = this.parts.index.aborted(this.parts.slot, fromOffset, toOffset)
    for (const transaction of this.journal.pendingAborted()) {
      if (transaction.lastOffset < fromOffset || transaction.firstOffset >= toOffset) continue
      if (found.some((one) => one.lastOffset === transaction.lastOffset)) continue
      found.push(transaction)
    }
    return found.sort((a, b) => a.firstOffset - b.firstOffset)
  }

  /**
   * Raises the log start offset and removes the segments wholly below it. `durable`: the new start
   * outlives a loss of power.
   */
  advanceStartTo(offset: number, nowMs: number, durable: boolean): void {
    if (offset > this.logStartOffset) {
      this.parts.directory.writeLogStartOffset(offset, durable)
      this.logStartOffset = offset
      this.epochs.advanceStartTo(offset)
      const active = this.activeSegment
      const isEmptied = offset === this.logEndOffset && active !== undefined && active.file.size > 0
      if (isEmptied) this.roll(nowMs)
    }
    this.removeDeleted()
  }

  /** Takes away the segments wholly below the start. */
  removeDeleted(): void {
    for (;;) {
      const next = this.segments[1]
      if (next === undefined || next.baseOffset > this.logStartOffset) return
      this.removeOldest()
    }
  }

  /**
   * Takes the oldest segment away. Its file goes when the index knows what producers wrote into it,
   * since that has to outlive the records.
   */
  removeOldest(): void {
    const segment = this.segments.shift()
    assert(segment !== undefined, 'there is a segment to remove')
    this.flushState.forget(segment)
    this.journal.forgetSegment(segment.baseOffset)
    this.journal.segmentsRemoved.push(segment.baseOffset)
  }

  /**
   * Segments from this offset on may not be replaced: the index does not know them whole, their
   * bytes are not on the disk for sure, or an earlier replacement is not in the index yet.
   */
  get settledOffset(): number {
    if (this.#rewritten.size > 0) return this.logStartOffset
    const { segmentBase = 0, recoveryPoint = 0 } = this.#indexed ?? {}
    return Math.min(segmentBase, recoveryPoint)
  }

  /**
   * Puts a compacted segment that was read from `replaced` (neighbours, none of them active) into
   * their place. Throws StorageError, after which the log has to be opened again.
   */
  replace(replaced: readonly LogSegment[], cleaned: CleanedSegment): void {
    const [first] = replaced
    assert(first !== undefined, 'a compacted segment has predecessors')
    const { baseOffset } = first
    const at = this.segments.indexOf(first)
    assert(at >= 0 && at + replaced.length < this.segments.length, 'the active segment stays')
    const bases = replaced.map((one) => one.baseOffset)
    const file = this.parts.directory.swapCleaned(bases, cleaned.size)
    const segment = newSegment(baseOffset, file, cleaned.modifiedMs)
    segment.nextOffset = cleaned.nextOffset
    segment.maxTimestamp = cleaned.maxTimestamp
    segment.maxTimestampPosition = cleaned.maxTimestampPosition
    segment.firstTimestamp = cleaned.firstTimestamp
    segment.indexedPosition = cleaned.size
    segment.verified.add(0, cleaned.size)
    this.segments.splice(at, replaced.length, segment)
    for (const one of replaced) this.flushState.forget(one)
    this.forgetCursors()
    this.#rewritten.set(baseOffset, cleaned.entries)
    for (const base of bases) this.journal.forgetSegment(base)
    this.journal.rewrites.push({ bases, entries: cleaned.entries })
    this.journal.summaries.push(summaryOf(segment))
    this.journal.abortedRemoved.push(...cleaned.abortedGone)
  }

  /** A round of compaction is done: the next one begins at `offset`. */
  cleanedTo(offset: number): void {
    this.cleanedOffset = offset
    this.parts.directory.writeCleanedOffset(offset)
  }

  /** What waits to be written to the index, or `undefined`: nothing changed. */
  takeIndexUpdate(): IndexUpdate | undefined {
    if (!this.#sound) return undefined
    const dirty = this.producers.takeDirty()
    const epochsDirty = this.epochs.takeDirty()
    if (this.journal.isEmpty && dirty.length === 0 && !epochsDirty && !this.#checkpointMoved()) {
      return undefined
    }
    const producers = []
    const producersRemoved = []
    for (const id of dirty) {
      const entry = this.producers.get(id)
      if (entry === undefined) producersRemoved.push(id)
      else producers.push(entry)
    }
    return {
      slot: this.parts.slot,
      ...this.journal.take(),
      producers,
      producersRemoved,
      epochs: epochsDirty ? this.epochs.entries() : undefined,
      checkpoint: this.#checkpoint(),
    }
  }

  /** Called when the index holds `update`. */
  indexWritten(update: IndexUpdate): void {
    this.journal.written(update.entries.length, update.aborted.length)
    this.#indexed = update.checkpoint
    for (const { bases, entries } of update.rewrites) {
      const [base = -1] = bases
      if (this.#rewritten.get(base) === entries) this.#rewritten.delete(base)
      this.parts.directory.removeReplaced(bases, this.#config['file.delete.delay.ms'])
    }
    for (const base of update.segmentsRemoved) {
      this.parts.directory.remove(base, this.#config['file.delete.delay.ms'])
    }
  }

  /** Called when the index could not write `update`: its contents wait for the next one. */
  indexFailed(update: IndexUpdate): void {
    this.journal.failed(update)
    for (const { producerId } of update.producers) this.producers.markDirty(producerId)
    for (const id of update.producersRemoved) this.producers.markDirty(id)
    if (update.epochs !== undefined) this.epochs.markDirty()
    this.#lastCheckpoint = undefined
  }

  /** The log failed in some way: what it knows must not reach the index any more. */
  abandon(): void {
    this.#sound = false
  }

  /** Closes the descriptors; the log may be opened again. */
  close(): void {
    for (const segment of this.segments) segment.file.close()
  }

  /** Forgets every remembered read position (segments were removed or cut). */
  forgetCursors(): void {
    this.#cursors.clear()
  }

  #lastCheckpoint: Checkpoint | undefined

  #checkpoint(): Checkpoint {
    const active = this.activeSegment
    this.#lastCheckpoint = {
      segmentBase: active?.baseOffset ?? this.logEndOffset,
      position: active?.file.size ?? 0,
      endOffset: this.logEndOffset,
      recoveryPoint: this.flushState.recoveryPoint,
      maxTimestamp: active?.maxTimestamp ?? -1,
      maxTimestampPosition: active?.maxTimestampPosition ?? 0,
      firstTimestamp: active?.firstTimestamp ?? -1,
      indexedPosition: active?.indexedPosition ?? -1,
    }
    return this.#lastCheckpoint
  }

  #checkpointMoved(): boolean {
    const last = this.#lastCheckpoint
    if (last === undefined) return this.logEndOffset > 0
    return (
      last.endOffset !== this.logEndOffset || last.recoveryPoint !== this.flushState.recoveryPoint
    )
  }

  /** Called by recovery: the index already says this. */
  checkpointIs(checkpoint: Checkpoint): void {
    this.#lastCheckpoint = checkpoint
    this.#indexed = checkpoint
  }

  #mustRoll(segment: LogSegment, batch: Buffer, facts: AppendFacts, nowMs: number): boolean {
    return shouldRoll(
      segment,
      segment.file.size,
      { bytes: batch.length, maxTimestamp: facts.maxTimestamp, lastOffset: facts.lastOffset },
      {
        segmentBytes: this.#config['segment.bytes'],
        segmentMs: this.#segmentMs,
      },
      nowMs,
    )
  }

  /** How long the active segment may take records: compaction waits for its end. KIP-354. */
  get #segmentMs(): number {
    const { 'segment.ms': ofTopic, 'max.compaction.lag.ms': lagMs } = this.#config
    const isCompacted = this.#config['cleanup.policy'].includes('compact')
    return (isCompacted ? Math.min(ofTopic, lagMs) : ofTopic) - this.#jitterMs
  }

  #newJitter(): void {
    const jitterMs = Math.min(this.#config['segment.jitter.ms'], this.#config['segment.ms'])
    this.#jitterMs = jitterMs === 0 ? 0 : Math.floor(this.parts.random() * jitterMs)
  }

  #placeOf(segment: LogSegment, offset: number): Located | undefined {
    const position = this.#cursors.get(offset, segment.baseOffset)
    return position >= 0 ? { position, expected: offset } : locateBatch(this, segment, offset)
  }
}

const NOTHING: LogRead = Object.freeze({
  buffer: undefined,
  from: 0,
  to: 0,
  nextOffset: -1,
  corrupt: false,
})

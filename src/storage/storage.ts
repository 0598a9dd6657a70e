/**
 * What a partition's log needs of the world: segment files and the index. Two implementations: disk
 * (`directory.ts`, `offset-index.ts`) and memory (`memory.ts`: simulation, brokers without files).
 * All calls are synchronous but where a callback is given: the page cache answers in microseconds.
 */
import type { EpochStart } from '../log/leader-epochs.ts'
import type { AbortedTransaction, ProducerEntry } from '../log/producer-state.ts'

/** A segment file found in a partition's directory. */
export interface SegmentListing {
  baseOffset: number
  /** Bytes. */
  size: number
  /** Milliseconds since 1970. */
  modifiedMs: number
}

/**
 * One segment's bytes. One writer, its partition actor; `size` is the end of what was written
 * whole.
 */
export interface SegmentFile {
  readonly size: number
  /**
   * Writes all of `views` (`bytes` in total) at the end. After a failed or short write the file is
   * cut back to its old size, then StorageError is thrown: half a batch is never left behind.
   */
  append(views: readonly Uint8Array[], bytes: number): void
  /** Reads up to `length` bytes at `position` into `into` at `at`; returns how many there were. */
  read(into: Uint8Array, at: number, length: number, position: number): number
  /** Cuts the file to `size` bytes. */
  truncate(size: number): void
  /** Forces the file to the disk before it returns. */
  syncNow(): void
  /** Forces the file to the disk on another thread; `done` gets the error if there was one. */
  sync(done: (error: Error | undefined) => void): void
  /** Closes the descriptor; the next use opens it again. */
  close(): void
}

/** The segment files of one partition. */
export interface SegmentDirectory {
  /** Segments by base offset, ascending. Leftovers of interrupted deletions are removed. */
  list(): SegmentListing[]
  open(baseOffset: number, size: number): SegmentFile
  create(baseOffset: number): SegmentFile
  /**
   * Takes a segment away at once and removes its bytes after `delayMs`, when open reads are done.
   */
  remove(baseOffset: number, delayMs: number): void
  /** The persisted log start offset, or `undefined` where none was written. */
  readLogStartOffset(): number | undefined
  /** Durably. */
  writeLogStartOffset(offset: number): void
}

/** One entry of the offset index: the batch with `offset` starts at `position`. */
export interface IndexEntry {
  offset: number
  segmentBase: number
  position: number
  /** Largest timestamp of the segment before this batch, ms; -1 at the segment's start. */
  maxTimestampBefore: number
}

/** Up to where the index describes the log; recovery scans what lies behind. */
export interface Checkpoint {
  segmentBase: number
  position: number
  endOffset: number
  /** Everything below this offset was forced to the disk. */
  recoveryPoint: number
  /** Of the segment at `segmentBase`, up to `position`. */
  maxTimestamp: number
  maxTimestampPosition: number
  firstTimestamp: number
  indexedPosition: number
}

/** What is known of a whole segment, written when it is rolled. */
export interface SegmentSummary {
  baseOffset: number
  size: number
  nextOffset: number
  maxTimestamp: number
  maxTimestampPosition: number
  firstTimestamp: number
}

/** One partition's changes for one index transaction. */
export interface IndexUpdate {
  slot: number
  /** First remove everything that is known of the partition. */
  clear: boolean
  entries: readonly IndexEntry[]
  summaries: readonly SegmentSummary[]
  aborted: readonly AbortedTransaction[]
  producers: readonly ProducerEntry[]
  producersRemoved: readonly number[]
  epochs: readonly EpochStart[] | undefined
  /** Segments whose entries and summaries go away. */
  segmentsRemoved: readonly number[]
  checkpoint: Checkpoint
}

/** Everything the index knows of one partition but its offset entries. */
export interface IndexedPartition {
  checkpoint: Checkpoint
  summaries: SegmentSummary[]
  producers: ProducerEntry[]
  epochs: EpochStart[]
}

/** The index of all partitions: derived from the segments, deletable, rebuilt from them. */
export interface OffsetIndex {
  /** What is known of a partition, or `undefined`: nothing. */
  load(slot: number): IndexedPartition | undefined
  /** The entry with the greatest offset not above `offset`, or `undefined`. */
  floor(slot: number, offset: number): IndexEntry | undefined
  /** All aborted transactions with `lastOffset` >= `fromOffset` and `firstOffset` < `toOffset`. */
  aborted(slot: number, fromOffset: number, toOffset: number): AbortedTransaction[]
  /**
   * Writes the updates of several partitions in one transaction; `done` is called when it holds.
   */
  write(updates: readonly IndexUpdate[], done: (error: Error | undefined) => void): void
  /** Forgets partitions. */
  remove(slots: readonly number[]): void
  /** Slots that the index knows. */
  slots(): number[]
  close(): Promise<void>
}

/** Where a thread's partitions keep their logs. */
export interface Storage {
  directory(topic: string, partition: number, topicId: string): SegmentDirectory
  readonly index: OffsetIndex
  /** Removes a deleted partition's files. */
  removePartition(topic: string, partition: number, topicId: string): void
  close(): Promise<void>
}

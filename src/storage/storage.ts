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
  /** Compaction put it in the place of others, and what the index holds may be of those. */
  swapped: boolean
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
  /** By this a thread that compacts finds the files. */
  readonly path: string
  /**
   * Segments by base offset, ascending. Leftovers of interrupted deletions and compactions are
   * removed, swaps that had begun are finished.
   */
  list(): SegmentListing[]
  open(baseOffset: number, size: number): SegmentFile
  create(baseOffset: number): SegmentFile
  /**
   * Takes a segment away at once and removes its bytes after `delayMs`, when open reads are done.
   */
  remove(baseOffset: number, delayMs: number): void
  /**
   * Says of the finished compacted segment `baseOffset` that it counts; `done` hears when the disk
   * knows, or the error. From then on a start would finish the swap.
   */
  offerCleaned(baseOffset: number, done: (error: Error | undefined) => void): void
  /** Removes a compacted segment that was offered and is not wanted any more. */
  withdrawCleaned(baseOffset: number): void
  /**
   * Puts the offered segment with the base `bases[0]` into the place of the segments `bases`
   * (ascending). After a crash at any point either they or it are found. The bytes of those
   * replaced stay until `removeReplaced`.
   */
  swapCleaned(bases: readonly number[], size: number): SegmentFile
  /** Removes the bytes of segments that a swap replaced, after `delayMs`. */
  removeReplaced(bases: readonly number[], delayMs: number): void
  /** The persisted log start offset, or `undefined` where none was written. */
  readLogStartOffset(): number | undefined
  /** `durable`: also through a loss of power. */
  writeLogStartOffset(offset: number, durable: boolean): void
  /** Where the last round of compaction ended, or `undefined`: none is known. */
  readCleanedOffset(): number | undefined
  writeCleanedOffset(offset: number): void
}

/** The files of a partition as a compaction reads and writes them, on whatever thread. */
export interface CleaningFiles {
  /** Reads up to `length` bytes of a segment; returns how many there were. */
  read(baseOffset: number, into: Uint8Array, length: number, position: number): number
  /** Begins a compacted segment; what an interrupted compaction left under its name goes. */
  create(baseOffset: number): CleanedFile
  /** Closes what is open. */
  close(): void
}

/** A compacted segment before its swap. */
export interface CleanedFile {
  append(bytes: Uint8Array): void
  /** Forces it to the disk; it counts as last written at `modifiedMs`. */
  finish(modifiedMs: number): void
  /** Removes it: the compaction was given up. */
  discard(): void
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

/** A compacted segment and the entries of its batches; `bases`: the segments that it replaced. */
export interface SegmentRewrite {
  bases: readonly number[]
  entries: readonly IndexEntry[]
}

/** One partition's changes for one index transaction. */
export interface IndexUpdate {
  slot: number
  /** First remove everything that is known of the partition. */
  clear: boolean
  /** First what is known of the replaced segments goes, then the entries come. */
  rewrites: readonly SegmentRewrite[]
  entries: readonly IndexEntry[]
  summaries: readonly SegmentSummary[]
  aborted: readonly AbortedTransaction[]
  /** By their last offsets: of these no record is left. */
  abortedRemoved: readonly number[]
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

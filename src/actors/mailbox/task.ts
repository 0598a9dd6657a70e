/**
 * Finite work that a partition's thread gives to the pool of task threads: file paths, plain values
 * and shared memory go there, plain values come back.
 */
import type { LastOfProducer } from '../../log/clean-batch.ts'
import type { TransactionsState } from '../../log/cleaned-transactions.ts'
import type { HashKey } from '../../log/key-hash.ts'
import type { LiveOffsetsState } from '../../log/live-offsets.ts'
import type { OffsetMapState } from '../../log/offset-map.ts'
import type { AbortedTransaction } from '../../log/producer-state.ts'
import type { SegmentSummary } from '../../storage/storage.ts'

/** A segment that a task reads. */
export interface TaskSegment {
  readonly baseOffset: number
  /** Bytes. */
  readonly size: number
}

/** What all tasks over a partition's segments are told. */
interface SegmentsTask {
  /** `SegmentDirectory.path`. */
  readonly directory: string
  /** Ascending. */
  readonly segments: readonly TaskSegment[]
  /** Those that overlap the segments, by first offset. */
  readonly aborted: readonly AbortedTransaction[]
  /** One int32: not 0 ends the task. */
  readonly abort: SharedArrayBuffer
  /** Bytes of each of its buffers. */
  readonly bufferBytes: number
  /** Bytes a second that it may read and write. */
  readonly bytesPerSecondMax: number
  readonly decompressedBytesMax: number
  /** Batches from this offset on are known to have the right checksum. */
  readonly checkedFrom: number
}

/** First pass of compaction: the last offset of each key in the dirty segments. */
export interface MapKeysTask extends SegmentsTask {
  readonly kind: 'map-keys'
  /** Position in the first segment of a batch at or before the first dirty offset. */
  readonly fromPosition: number
  readonly firstDirtyOffset: number
  /** Base offset of the segment behind the last one. */
  readonly endOffset: number
  readonly mapBytesMax: number
  readonly loadFactor: number
  readonly hashKey: HashKey
}

/** What the first pass found in the dirty part, for the second one. */
export interface MappedKeys {
  readonly map: OffsetMapState
  readonly live: LiveOffsetsState
  /** See `StretchCollector`. */
  readonly stretches: SharedArrayBuffer
}

/** Second pass of compaction: rewrites neighbouring segments into one. */
export interface CleanGroupTask extends SegmentsTask {
  readonly kind: 'clean-group'
  readonly mapped: MappedKeys
  /** As the group before left it. */
  readonly transactions: TransactionsState
  readonly nowMs: number
  readonly deleteRetentionMs: number
  /** See `CleaningRules`. */
  readonly upperOffset: number
  readonly lastOfProducers: readonly LastOfProducer[]
  /** When the youngest of the segments was last written, ms. */
  readonly modifiedMs: number
}

/** Any task. */
export type Task = MapKeysTask | CleanGroupTask

/** What a finished task answers. */
export interface TaskResults {
  'map-keys': {
    kind: 'map-keys'
    mapped: MappedKeys
    /** How many there are. */
    keys: number
  }
  'clean-group': {
    kind: 'clean-group'
    summary: Omit<SegmentSummary, 'baseOffset'>
    /** Index entries of the new segment: offset, position, largest timestamp before, and so on. */
    entries: Float64Array
    /** Last offsets of aborted transactions of which no record is left. */
    abortedGone: readonly number[]
    transactions: TransactionsState
    recordsRead: number
    recordsKept: number
  }
}

/** How a task ended. */
export type TaskOutcome =
  | TaskResults[Task['kind']]
  | { kind: 'aborted' }
  /** `passing`: the disk has no room; it may work later. */
  | { kind: 'failed'; message: string; passing: boolean }

/** Numbers of one entry in `TaskResults['clean-group'].entries`. */
export const ENTRY_NUMBERS = 3

/** Gives a task to the pool; never rejects. */
export type RunTask = (task: Task) => Promise<TaskOutcome>

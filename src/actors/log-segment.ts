/** The nouns that the parts of a partition's log share. */
import type { Segment } from '../log/segments.ts'
import { baseOffset, batchSize, lastOffset, maxTimestamp } from '../protocol/record-batch.ts'
import type { PooledBuffer } from '../ring/arena.ts'
import type { IndexEntry, SegmentFile, SegmentSummary } from '../storage/storage.ts'

/** A segment and its file. */
export type LogSegment = Segment<SegmentFile>

/**
 * Bytes read from a log: whole batches, the first of which holds the asked offset or is the next
 * after it.
 */
export interface LogRead {
  /** Holds the batches from `from` to `to`; the taker releases it. `undefined`: none. */
  buffer: PooledBuffer | undefined
  from: number
  to: number
  /** One behind the last offset in them, or -1. */
  nextOffset: number
  /** The first batch is damaged: nothing can be served from this offset. */
  corrupt: boolean
}

/** What `append` needs to know of a batch beside its bytes. */
export interface AppendFacts {
  baseOffset: number
  lastOffset: number
  maxTimestamp: number
}

/** A compacted segment, finished but not yet in its place. */
export interface CleanedSegment extends Omit<SegmentSummary, 'baseOffset'> {
  /** When the youngest of its predecessors was last written, ms. */
  modifiedMs: number
  entries: readonly IndexEntry[]
  /** Last offsets of aborted transactions of which no record is left. */
  abortedGone: readonly number[]
}

/** What the index keeps of a segment once it is closed. */
export function summaryOf(segment: LogSegment): SegmentSummary {
  return {
    baseOffset: segment.baseOffset,
    size: segment.file.size,
    nextOffset: segment.nextOffset,
    maxTimestamp: segment.maxTimestamp,
    maxTimestampPosition: segment.maxTimestampPosition,
    firstTimestamp: segment.firstTimestamp,
  }
}

/** The facts of a whole batch as it lies in the log. */
export function factsOf(bytes: Buffer, at: number): AppendFacts & { length: number } {
  return {
    baseOffset: baseOffset(bytes, at),
    lastOffset: lastOffset(bytes, at),
    maxTimestamp: maxTimestamp(bytes, at),
    length: batchSize(bytes, at),
  }
}

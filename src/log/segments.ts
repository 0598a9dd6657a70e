/**
 * The segments of one log as its actor sees them, and the decisions about them: which holds an
 * offset, when to roll. Source: Kafka's LogSegments and LogSegment.shouldRoll.
 */
import { Intervals } from './intervals.ts'

/** One segment. `File` is the shell's handle; the last of a log is active, it alone grows. */
export interface Segment<File> {
  readonly baseOffset: number
  readonly file: File
  /** One behind the last offset in it; the base offset while empty. */
  nextOffset: number
  /** Largest timestamp in it, ms, or -1; and the position of the batch that has it. */
  maxTimestamp: number
  maxTimestampPosition: number
  /** Largest timestamp of its first batch, ms, or -1 while empty: `segment.ms` counts from it. */
  firstTimestamp: number
  /** When this process opened or created it, ms; stands in where records have no timestamps. */
  createdMs: number
  /** When it was last written, ms. */
  modifiedMs: number
  /** Position of the last batch that has an index entry, or -1. */
  indexedPosition: number
  /** Bytes whose CRC was right when this process wrote or read them. */
  readonly verified: Intervals
}

/** A new or found segment with nothing known of its contents yet. */
export function newSegment<File>(baseOffset: number, file: File, nowMs: number): Segment<File> {
  return {
    baseOffset,
    file,
    nextOffset: baseOffset,
    maxTimestamp: -1,
    maxTimestampPosition: 0,
    firstTimestamp: -1,
    createdMs: nowMs,
    modifiedMs: nowMs,
    indexedPosition: -1,
    verified: new Intervals(),
  }
}

/**
 * Index in `segments` (ascending) of the one with the greatest base offset not above `offset`, or
 * -1.
 */
export function segmentIndexOf(
  segments: readonly { readonly baseOffset: number }[],
  offset: number,
): number {
  let low = 0
  let high = segments.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    if ((segments[middle] as { baseOffset: number }).baseOffset <= offset) low = middle + 1
    else high = middle - 1
  }
  return high
}

/** When a segment must be rolled before an append. */
export interface RollRules {
  segmentBytes: number
  /** `segment.ms` less this segment's jitter. */
  segmentMs: number
}

/** Whether `segment` (of `size` bytes) is closed before a batch of `bytes` goes into the log. */
export function shouldRoll(
  segment: Segment<unknown>,
  size: number,
  batch: { bytes: number; maxTimestamp: number; lastOffset: number },
  rules: RollRules,
  nowMs: number,
): boolean {
  if (size + batch.bytes > rules.segmentBytes) return size > 0
  if (batch.lastOffset - segment.baseOffset > 0x7fffffff) return true
  if (size === 0) return false
  const age =
    segment.firstTimestamp >= 0 && batch.maxTimestamp >= 0
      ? batch.maxTimestamp - segment.firstTimestamp
      : nowMs - segment.createdMs
  return age > rules.segmentMs
}

/**
 * Which of a log's oldest segments are no longer wanted. Source: Kafka's
 * UnifiedLog.deleteOldSegments and deletableSegments; KIP-32, KIP-107.
 */

/** A segment as retention sees it. */
export interface RetainedSegment {
  readonly baseOffset: number
  /** Bytes. */
  readonly size: number
  /** Largest timestamp in it, ms; of one without timestamps, when it was last written. */
  readonly largestTimestamp: number
}

/** What a topic wants of its old segments. */
export interface RetentionRules {
  /** The policy has `delete` in it: without, only what is below the log start goes. */
  readonly deletes: boolean
  /** -1: no limit. */
  readonly retentionMs: number
  /** -1: no limit. */
  readonly retentionBytes: number
}

/** Why segments go. */
export type RetentionReason = 'log-start' | 'size' | 'time'

/** Where a log begins from now on, how many whole segments that takes away, and why. */
export interface RetentionVerdict {
  readonly newStart: number
  readonly count: number
  readonly reasons: readonly RetentionReason[]
}

/** Where a log begins and ends. */
export interface LogBounds {
  readonly logStartOffset: number
  readonly highWatermark: number
  readonly logEndOffset: number
}

/**
 * What goes of `segments` (oldest first; the last is active), or `undefined`: nothing. Only whole
 * segments that end at or below the high watermark go, and the first that stays ends the walk. When
 * all go, the new start is the log end, where the caller has to begin a new segment; an empty
 * active one stays.
 */
export function expired(
  segments: readonly RetainedSegment[],
  bounds: LogBounds,
  rules: RetentionRules,
  nowMs: number,
): RetentionVerdict | undefined {
  const reasons: RetentionReason[] = []
  let from = 0
  const drop = (reason: RetentionReason, isOld: (index: number) => boolean) => {
    const to = walk(segments, from, bounds, isOld)
    if (to > from) reasons.push(reason)
    from = to
  }
  drop('log-start', (i) => {
    const next = segments[i + 1]
    return next !== undefined && next.baseOffset <= bounds.logStartOffset
  })
  if (rules.deletes && rules.retentionBytes >= 0) {
    let excess = sizeFrom(segments, from) - rules.retentionBytes
    drop('size', (i) => {
      // Dropping one more must not take the log below what it may keep.
      const { size } = segments[i] as RetainedSegment
      if (excess < size) return false
      excess -= size
      return true
    })
  }
  if (rules.deletes && rules.retentionMs >= 0) {
    drop('time', (i) => {
      const { largestTimestamp } = segments[i] as RetainedSegment
      return nowMs - largestTimestamp > rules.retentionMs
    })
  }
  if (from === 0) return undefined
  const newStart = segments[from]?.baseOffset ?? bounds.logEndOffset
  return { newStart: Math.max(newStart, bounds.logStartOffset), count: from, reasons }
}

/** Index of the first segment from `from` on that stays. */
function walk(
  segments: readonly RetainedSegment[],
  from: number,
  bounds: LogBounds,
  isOld: (index: number) => boolean,
): number {
  let at = from
  for (; at < segments.length; at++) {
    const next = segments[at + 1]
    const end = next?.baseOffset ?? bounds.logEndOffset
    const isEmptyActive = next === undefined && segments[at]?.size === 0
    if (isEmptyActive || end > bounds.highWatermark || !isOld(at)) return at
  }
  return at
}

function sizeFrom(segments: readonly RetainedSegment[], from: number): number {
  let bytes = 0
  for (let i = from; i < segments.length; i++) bytes += (segments[i] as RetainedSegment).size
  return bytes
}

/**
 * Which part of a log compaction may look at, when that is worth it, and which segments are
 * rewritten into one. Source: Kafka's LogCleanerManager.cleanableOffsets, LogToClean and
 * Cleaner.groupSegmentsBySize; KIP-58, KIP-354.
 */

/** A segment as compaction sees it. */
export interface CompactedSegment {
  readonly baseOffset: number
  /** Bytes. */
  readonly size: number
  /** Largest timestamp in it, ms; of one without timestamps, when it was last written. */
  readonly largestTimestamp: number
  /** Largest timestamp of its first batch, ms, or -1. */
  readonly firstTimestamp: number
}

/** A log as compaction sees it. */
export interface CompactedLog {
  /** Oldest first; the last is active and is never compacted. */
  readonly segments: readonly CompactedSegment[]
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly lastStableOffset: number
  /** Where the last round ended, or `undefined`: there was none. */
  readonly cleanedOffset: number | undefined
  /** Segments from this offset on may not be rewritten yet for reasons of the storage. */
  readonly settledOffset: number
}

/** What a topic wants of compaction. */
export interface CompactionRules {
  readonly minCleanableDirtyRatio: number
  readonly minCompactionLagMs: number
  readonly maxCompactionLagMs: number
}

/** What a round may look at. */
export interface Cleanable {
  /** The first offset that no round has looked at. */
  readonly firstDirtyOffset: number
  /** Base offset of the first segment that has to stay as it is. */
  readonly firstUncleanableOffset: number
  readonly cleanBytes: number
  readonly cleanableBytes: number
  /** Share of the bytes that is dirty; a log without bytes has 0. */
  readonly dirtyRatio: number
  /** Records wait for compaction longer than they may. */
  readonly overdue: boolean
  /** The round is due. */
  readonly due: boolean
}

/** What a round over `log` would look at, and whether it is due. */
export function cleanable(log: CompactedLog, rules: CompactionRules, nowMs: number): Cleanable {
  const { segments } = log
  const firstDirtyOffset = firstDirty(log)
  const activeBase = segments.at(-1)?.baseOffset ?? log.logEndOffset
  const dirty = segments.slice(floorIndex(segments, firstDirtyOffset), -1)
  const young =
    rules.minCompactionLagMs > 0
      ? dirty.find((one) => one.largestTimestamp > nowMs - rules.minCompactionLagMs)
      : undefined
  const bound = Math.min(
    log.lastStableOffset,
    activeBase,
    log.settledOffset,
    young?.baseOffset ?? Number.MAX_SAFE_INTEGER,
  )
  // Whole segments: the one that holds the bound stays.
  const held = segments[floorIndex(segments, Math.max(firstDirtyOffset, bound))]
  const firstUncleanableOffset = Math.min(held?.baseOffset ?? activeBase, activeBase)
  let cleanBytes = 0
  let cleanableBytes = 0
  for (const [i, { baseOffset, size }] of segments.entries()) {
    const end = segments[i + 1]?.baseOffset ?? log.logEndOffset
    if (baseOffset < firstDirtyOffset) cleanBytes += size
    if (end > firstDirtyOffset && baseOffset < firstUncleanableOffset) cleanableBytes += size
  }
  const total = cleanBytes + cleanableBytes
  const dirtyRatio = total === 0 ? 0 : cleanableBytes / total
  const overdue = dirty.some(
    ({ firstTimestamp }) => firstTimestamp > 0 && firstTimestamp < nowMs - rules.maxCompactionLagMs,
  )
  const due = cleanableBytes > 0 && (overdue || dirtyRatio > rules.minCleanableDirtyRatio)
  return {
    firstDirtyOffset,
    firstUncleanableOffset,
    cleanBytes,
    cleanableBytes,
    dirtyRatio,
    overdue,
    due,
  }
}

/** A checkpoint outside of the log says nothing about it. */
function firstDirty({ cleanedOffset, logStartOffset, logEndOffset }: CompactedLog): number {
  if (cleanedOffset === undefined || cleanedOffset < logStartOffset) return logStartOffset
  return cleanedOffset > logEndOffset ? logStartOffset : cleanedOffset
}

/** Index of the segment that holds `offset`, 0 if it is below all. */
function floorIndex(segments: readonly CompactedSegment[], offset: number): number {
  let index = 0
  while (index + 1 < segments.length && (segments[index + 1]?.baseOffset ?? 0) <= offset) index++
  return index
}

/** Offsets in one segment are relative to its base and have 31 bits. */
const OFFSETS_IN_SEGMENT_MAX = 0x7fffffff

/**
 * Segments that are rewritten into one each: as many neighbours as fit `bytesMax` by their present
 * sizes. `endOffset`: of the last segment.
 */
export function groupSegments<S extends { readonly baseOffset: number; readonly size: number }>(
  segments: readonly S[],
  bytesMax: number,
  endOffset: number,
): S[][] {
  const groups: S[][] = []
  let group: S[] = []
  let bytes = 0
  for (const [i, segment] of segments.entries()) {
    const last = (segments[i + 1]?.baseOffset ?? endOffset) - 1
    const base = group[0]?.baseOffset ?? segment.baseOffset
    // An empty segment adds nothing, however far its offsets reach.
    const spans = segment.size === 0 || last - base <= OFFSETS_IN_SEGMENT_MAX
    if (group.length > 0 && bytes + segment.size <= bytesMax && spans) {
      group.push(segment)
      bytes += segment.size
      continue
    }
    group = [segment]
    bytes = segment.size
    groups.push(group)
  }
  return groups
}

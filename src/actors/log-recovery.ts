/**
 * Opening a log: trust what the index knows, scan what lies behind its checkpoint, cut a torn tail.
 * A clean stop leaves nothing behind the checkpoint, so a clean start scans nothing.
 */

import { readMarker } from '../log/marker.ts'
import { scanSegment } from '../log/recovery.ts'
import { newSegment } from '../log/segments.ts'
import {
  baseOffset,
  baseSequence,
  isControl,
  isTransactional,
  lastOffset,
  lastOffsetDelta,
  maxTimestamp,
  partitionLeaderEpoch,
  producerEpoch,
  producerId,
} from '../protocol/record-batch.ts'
import type { IndexedPartition, SegmentListing, SegmentSummary } from '../storage/storage.ts'
import { readerOf } from './log-reader.ts'
import { factsOf, type LogSegment, summaryOf } from './log-segment.ts'
import type { PartitionLog } from './partition-log.ts'

/** What opening a log found and did. */
export interface RecoveryReport {
  /** Bytes that were read and checked. */
  scannedBytes: number
  /** Bytes cut from the end because they held no whole batch. */
  tornBytes: number
  /** Ranges in the middle that hold no whole batch; they are never served. */
  damagedRanges: number
  /** The index knew nothing that could be used: it is rebuilt from the segments. */
  rebuilt: boolean
}

/**
 * Fills an empty `log` from its directory and the index. `trustCheckpoint`: no power was lost
 * since.
 */
export function openLog(log: PartitionLog, trustCheckpoint: boolean): RecoveryReport {
  const report: RecoveryReport = {
    scannedBytes: 0,
    tornBytes: 0,
    damagedRanges: 0,
    rebuilt: false,
  }
  const listing = log.parts.directory.list()
  const known = log.parts.index.load(log.parts.slot)
  const start = log.parts.directory.readLogStartOffset()
  // A start that was lost with the power is not below the first segment.
  log.logStartOffset = Math.max(start ?? 0, listing[0]?.baseOffset ?? 0)
  log.logEndOffset = log.logStartOffset
  log.cleanedOffset = log.parts.directory.readCleanedOffset()
  if (known !== undefined) dropRemoved(log, listing, known)
  if (listing.length === 0) {
    openEmpty(log, known)
    return report
  }
  const summaries = new Map(known?.summaries.map((one) => [one.baseOffset, one]))
  const usable = trustCheckpoint ? usableIndex(listing, known, summaries) : undefined
  if (usable === undefined) {
    log.journal.clear = known !== undefined
    report.rebuilt = known !== undefined || listing.some((one) => one.size > 0)
  } else {
    restoreKnown(log, usable)
    forgetRemoved(log, listing, usable)
  }
  // A disk without power loses what was not forced in any order. Records behind a hole would keep
  // their producers from ever filling it, so what is kept is a prefix, as in Kafka.
  // Where nothing tells what was forced to the disk, that is all but the last segment: a segment is
  // forced when it is rolled.
  const forcedTo = known?.checkpoint.recoveryPoint ?? listing.at(-1)?.baseOffset
  const prefixFrom = trustCheckpoint ? undefined : forcedTo
  for (const [i, one] of listing.entries()) {
    const summary = summaries.get(one.baseOffset)
    const nextBase = listing[i + 1]?.baseOffset
    const whole = openSegment(log, one, { usable, summary, nextBase, prefixFrom }, report)
    if (whole) continue
    for (const { baseOffset: base, size } of listing.slice(i + 1)) {
      report.tornBytes += size
      log.parts.directory.remove(base, 0)
    }
    break
  }
  log.logEndOffset = Math.max(log.logEndOffset, log.logStartOffset)
  log.epochs.truncateTo(log.logEndOffset)
  log.epochs.advanceStartTo(log.logStartOffset)
  log.removeDeleted()
  return report
}

/**
 * No segments: all records were deleted, or there were never any. Producers outlive their records.
 */
function openEmpty(log: PartitionLog, known: IndexedPartition | undefined): void {
  if (known === undefined) return
  if (known.checkpoint.endOffset === log.logEndOffset) restoreKnown(log, known)
  else log.journal.clear = true
}

function restoreKnown(log: PartitionLog, known: IndexedPartition): void {
  for (const entry of known.producers) log.producers.restore(entry)
  log.epochs.restore(known.epochs)
  log.flushState.recoveryPoint = known.checkpoint.recoveryPoint
  log.checkpointIs(known.checkpoint)
}

/**
 * A crash came when the index knew of the removal of segments, and before their files were gone.
 */
function dropRemoved(log: PartitionLog, listing: SegmentListing[], known: IndexedPartition): void {
  const { segmentBase } = known.checkpoint
  const summarized = new Set(known.summaries.map((one) => one.baseOffset))
  for (let first = listing[0]; first !== undefined; first = listing[0]) {
    const end = listing[1]?.baseOffset ?? segmentBase
    if (first.baseOffset >= segmentBase || summarized.has(first.baseOffset)) return
    if (end > log.logStartOffset) return
    log.parts.directory.remove(first.baseOffset, 0)
    listing.shift()
  }
}

/** A crash came between the removal of a segment and the index's knowledge of it. */
function forgetRemoved(
  log: PartitionLog,
  listing: readonly SegmentListing[],
  known: IndexedPartition,
): void {
  const there = new Set(listing.map((one) => one.baseOffset))
  for (const { baseOffset } of known.summaries) {
    if (!there.has(baseOffset)) log.journal.segmentsRemoved.push(baseOffset)
  }
}

/** The index's knowledge if it fits the files that are there, else `undefined`. */
function usableIndex(
  listing: readonly SegmentListing[],
  known: IndexedPartition | undefined,
  summaries: ReadonlyMap<number, SegmentSummary>,
): IndexedPartition | undefined {
  if (known === undefined) return undefined
  const { checkpoint } = known
  let seen = false
  for (const one of listing) {
    if (one.baseOffset < checkpoint.segmentBase) {
      if (summaries.get(one.baseOffset)?.size !== one.size && !one.swapped) return undefined
    } else if (one.baseOffset === checkpoint.segmentBase) {
      if (one.size < checkpoint.position) return undefined
      seen = true
    }
  }
  return seen || checkpoint.position === 0 ? known : undefined
}

function openSegment(
  log: PartitionLog,
  one: SegmentListing,
  about: {
    usable: IndexedPartition | undefined
    summary: SegmentSummary | undefined
    /** Base offset of the segment behind; `undefined`: this is the last. */
    nextBase: number | undefined
    /** Damage at this offset or behind ends the log, if defined. */
    prefixFrom: number | undefined
  },
  report: RecoveryReport,
): boolean {
  const file = log.parts.directory.open(one.baseOffset, one.size)
  const segment = newSegment(one.baseOffset, file, one.modifiedMs)
  log.segments.push(segment)
  const checkpoint = about.usable?.checkpoint
  if (checkpoint !== undefined && one.baseOffset < checkpoint.segmentBase) {
    if (about.summary?.size === one.size) restoreSummary(segment, about.summary)
    else reindex(log, segment, about, report)
    log.logEndOffset = segment.nextOffset
    return true
  }
  let from = 0
  if (checkpoint !== undefined && one.baseOffset === checkpoint.segmentBase) {
    from = checkpoint.position
    restoreActive(log, segment, about.usable as IndexedPartition)
  }
  const whole = scan(log, segment, from, about, report)
  if (whole && about.nextBase !== undefined) log.journal.summaries.push(summaryOf(segment))
  return whole
}

/**
 * A compacted segment whose swap the index has not heard of. What producers and leaders did is
 * known: compaction does not change it.
 */
function reindex(
  log: PartitionLog,
  segment: LogSegment,
  about: { nextBase: number | undefined; prefixFrom: number | undefined },
  report: RecoveryReport,
): void {
  log.journal.rewrites.push({ bases: [segment.baseOffset], entries: [] })
  scan(log, segment, 0, { ...about, replays: false }, report)
  log.journal.summaries.push(summaryOf(segment))
}

function restoreSummary(segment: LogSegment, summary: SegmentSummary): void {
  segment.nextOffset = summary.nextOffset
  segment.maxTimestamp = summary.maxTimestamp
  segment.maxTimestampPosition = summary.maxTimestampPosition
  segment.firstTimestamp = summary.firstTimestamp
  segment.indexedPosition = summary.size
}

/** The active segment up to the checkpoint: its timestamps stand in a summary written beside it. */
function restoreActive(log: PartitionLog, segment: LogSegment, known: IndexedPartition): void {
  const { checkpoint } = known
  log.logEndOffset = checkpoint.endOffset
  segment.nextOffset = checkpoint.endOffset
  segment.maxTimestamp = checkpoint.maxTimestamp
  segment.maxTimestampPosition = checkpoint.maxTimestampPosition
  segment.firstTimestamp = checkpoint.firstTimestamp
  segment.indexedPosition = checkpoint.indexedPosition
}

/** Scans [from, size), notes every whole batch, cuts a torn tail. False: the log ends here. */
function scan(
  log: PartitionLog,
  segment: LogSegment,
  from: number,
  about: { nextBase: number | undefined; prefixFrom: number | undefined; replays?: boolean },
  report: RecoveryReport,
): boolean {
  const { size } = segment.file
  const { nextBase, prefixFrom, replays = true } = about
  const cutFrom = prefixFrom ?? Number.POSITIVE_INFINITY
  log.logEndOffset = Math.max(log.logEndOffset, segment.baseOffset)
  if (from >= size) return true
  report.scannedBytes += size - from
  const minOffset = Math.max(segment.baseOffset, from > 0 ? segment.nextOffset : 0)
  const found = scanSegment(
    readerOf(segment),
    { from, size, minOffset, ...(prefixFrom === undefined ? {} : { prefixFrom }) },
    log.parts.crc32c,
    (bytes, at, position) => {
      const facts = factsOf(bytes, at)
      log.noteBatch(segment, facts, position)
      segment.verified.add(position, position + facts.length)
      if (replays) replayBatch(log, bytes, at)
    },
  )
  report.damagedRanges += found.damaged.length
  const { nextOffset } = segment
  // Where a segment ends too early, what is missing stood before the next one.
  const isHole = nextBase !== undefined && nextOffset < nextBase && nextOffset >= cutFrom
  if (found.end === size && !isHole) return true
  if (nextBase === undefined || nextOffset >= cutFrom) {
    report.tornBytes += size - found.end
    segment.file.truncate(found.end)
    return false
  }
  // What stood here was followed by the next segment: its offsets are damaged, not free.
  report.damagedRanges++
  segment.nextOffset = Math.max(nextOffset, nextBase)
  log.logEndOffset = segment.nextOffset
  return true
}

/** What a batch that is already in the log means for producers and epochs. */
export function replayBatch(log: PartitionLog, bytes: Buffer, at: number): void {
  const base = baseOffset(bytes, at)
  log.epochs.observe(partitionLeaderEpoch(bytes, at), base)
  const id = producerId(bytes, at)
  if (id < 0) return
  const nowMs = maxTimestamp(bytes, at)
  if (isControl(bytes, at)) {
    const marker = readMarker(bytes, at)
    if (marker === undefined) return
    const aborted = log.producers.marked(
      { producerId: id, producerEpoch: producerEpoch(bytes, at), ...marker },
      base,
      nowMs,
    )
    if (aborted !== undefined) log.journal.aborted.push(aborted)
    return
  }
  log.producers.appended(
    {
      producerId: id,
      producerEpoch: producerEpoch(bytes, at),
      baseSequence: baseSequence(bytes, at),
      // Compaction takes records away, but the batch keeps its range of sequences.
      recordsCount: lastOffsetDelta(bytes, at) + 1,
      transactional: isTransactional(bytes, at),
    },
    {
      baseOffset: base,
      lastOffset: lastOffset(bytes, at),
      timestamp: nowMs,
      nowMs,
    },
  )
}

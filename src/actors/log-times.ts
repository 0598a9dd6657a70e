/**
 * Searching a log by time. Segments know their largest timestamp, index entries the largest one of
 * their segment before them, batch headers that of their records: only the batches that may hold
 * the answer are opened. Damaged batches are stepped over, deleted offsets are never answered.
 * Source: KIP-33, KIP-734; Kafka's LogSegment.findOffsetByTimestamp,
 * FileRecords.searchForTimestamp.
 */
import {
  baseOffset,
  baseTimestamp,
  batchSize,
  CRC_FROM,
  crc as crcOf,
  InvalidRecord,
  isLogAppendTime,
  lastOffset,
  maxTimestamp,
  partitionLeaderEpoch,
  RecordCursor,
  recordsCount,
} from '../protocol/record-batch.ts'
import { type Located, walkHeaders } from './log-reader.ts'
import type { LogSegment } from './log-segment.ts'
import type { PartitionLog } from './partition-log.ts'

/** A record that a search found. `leaderEpoch`: -1 where its batch has none. */
export interface TimedOffset {
  timestamp: number
  offset: number
  leaderEpoch: number
}

/** The records of a sound batch without compression, or `undefined`: they cannot be read. */
export type RecordsOf = (batch: Buffer) => Buffer | undefined

/**
 * The first record, in order of offsets, with a timestamp of at least `timestamp`. Throws
 * StorageError.
 */
export function firstAtOrAfter(
  log: PartitionLog,
  timestamp: number,
  recordsOf: RecordsOf,
): TimedOffset | undefined {
  for (const segment of log.segments) {
    if (segment.maxTimestamp < timestamp || segment.nextOffset <= log.logStartOffset) continue
    let found: TimedOffset | undefined
    walkHeaders(log, segment, placeBefore(log, segment, timestamp), {
      onBatch: (bytes, at, position) => {
        if (maxTimestamp(bytes, at) < timestamp) return false
        if (lastOffset(bytes, at) < log.logStartOffset) return false
        const batch = wholeBatch(log, segment, position, batchSize(bytes, at))
        if (batch !== undefined) found = firstIn(batch, recordsOf, timestamp, log.logStartOffset)
        return found !== undefined
      },
    })
    if (found !== undefined) return found
  }
  return undefined
}

/** The first of the records with the largest timestamp. Throws StorageError. */
export function latestRecord(log: PartitionLog, recordsOf: RecordsOf): TimedOffset | undefined {
  let best: { segment: LogSegment; position: number; timestamp: number } | undefined
  for (const segment of log.segments) {
    if (segment.nextOffset <= log.logStartOffset || segment.file.size === 0) continue
    // What the segment remembers may be of a record that was deleted.
    if (segment.baseOffset < log.logStartOffset) return latestByWalk(log, recordsOf)
    if (best !== undefined && segment.maxTimestamp <= best.timestamp) continue
    const { maxTimestampPosition: position, maxTimestamp: largest } = segment
    best = { segment, position, timestamp: largest }
  }
  if (best === undefined) return undefined
  let found: TimedOffset | undefined
  const from = { position: best.position, expected: best.segment.baseOffset }
  const { segment, timestamp } = best
  walkHeaders(log, segment, from, {
    onBatch: (bytes, at, position) => {
      const batch = wholeBatch(log, segment, position, batchSize(bytes, at))
      if (batch !== undefined) found = firstIn(batch, recordsOf, timestamp, log.logStartOffset)
      return true
    },
  })
  // The batch is damaged or was emptied.
  return found ?? latestByWalk(log, recordsOf)
}

/** Looks at each batch, and into each that has a larger timestamp than those before. */
function latestByWalk(log: PartitionLog, recordsOf: RecordsOf): TimedOffset | undefined {
  const { logStartOffset } = log
  let best: TimedOffset | undefined
  for (const segment of log.segments) {
    if (segment.nextOffset <= logStartOffset) continue
    const from = log.floorPlace(segment, Math.max(logStartOffset, segment.baseOffset))
    walkHeaders(log, segment, from, {
      onBatch: (bytes, at, position) => {
        if (lastOffset(bytes, at) < logStartOffset) return false
        if (best !== undefined && maxTimestamp(bytes, at) <= best.timestamp) return false
        const batch = wholeBatch(log, segment, position, batchSize(bytes, at))
        const found = batch && latestIn(batch, recordsOf, logStartOffset)
        if (found && (best === undefined || found.timestamp > best.timestamp)) best = found
        return false
      },
    })
  }
  return best
}

/** The last place that the index knows in `segment` with only smaller timestamps before it. */
function placeBefore(log: PartitionLog, segment: LogSegment, timestamp: number): Located {
  let best: Located = { position: 0, expected: segment.baseOffset }
  let low = segment.baseOffset
  let high = segment.nextOffset - 1
  while (low <= high) {
    const middle = low + Math.floor((high - low) / 2)
    const entry = log.floorEntry(segment, middle)
    if (entry === undefined || entry.segmentBase !== segment.baseOffset) {
      low = middle + 1
    } else if (entry.maxTimestampBefore < timestamp) {
      best = { position: entry.position, expected: entry.offset }
      low = middle + 1
    } else {
      high = entry.offset - 1
    }
  }
  const start = log.floorPlace(segment, Math.max(log.logStartOffset, segment.baseOffset))
  return start.position > best.position ? start : best
}

/** The batch at `position`, or `undefined`: its CRC is wrong. */
function wholeBatch(
  log: PartitionLog,
  segment: LogSegment,
  position: number,
  length: number,
): Buffer | undefined {
  const batch = Buffer.allocUnsafe(length)
  if (segment.file.read(batch, 0, length, position) < length) return undefined
  return log.parts.crc32c(batch.subarray(CRC_FROM)) === crcOf(batch, 0) ? batch : undefined
}

function firstIn(
  batch: Buffer,
  recordsOf: RecordsOf,
  timestamp: number,
  minOffset: number,
): TimedOffset | undefined {
  let found: TimedOffset | undefined
  eachRecord(batch, recordsOf, (offset, time) => {
    if (offset < minOffset || time < timestamp) return false
    found = { timestamp: time, offset, leaderEpoch: partitionLeaderEpoch(batch, 0) }
    return true
  })
  return found
}

function latestIn(batch: Buffer, recordsOf: RecordsOf, minOffset: number): TimedOffset | undefined {
  let found: TimedOffset | undefined
  eachRecord(batch, recordsOf, (offset, time) => {
    if (offset >= minOffset && (found === undefined || time > found.timestamp)) {
      found = { timestamp: time, offset, leaderEpoch: partitionLeaderEpoch(batch, 0) }
    }
    return false
  })
  return found
}

const cursor = new RecordCursor()

/**
 * Shows offset and timestamp of each record until `visit` has enough or the records turn out
 * malformed.
 */
function eachRecord(
  batch: Buffer,
  recordsOf: RecordsOf,
  visit: (offset: number, timestamp: number) => boolean,
): void {
  const records = recordsOf(batch)
  if (records === undefined) return
  const first = baseOffset(batch, 0)
  const appendedMs = isLogAppendTime(batch, 0) ? maxTimestamp(batch, 0) : undefined
  const base = baseTimestamp(batch, 0)
  try {
    cursor.reset(records, 0, records.length, recordsCount(batch, 0))
    while (cursor.next()) {
      const timestamp = appendedMs ?? base + cursor.timestampDelta
      if (visit(first + cursor.offsetDelta, timestamp)) return
    }
  } catch (error) {
    if (!(error instanceof InvalidRecord)) throw error
  }
}

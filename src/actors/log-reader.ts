/**
 * Reading a log: from an offset to a position, and from a position to whole batches whose CRC was
 * right at least once since this process opened the file.
 */
import { isContradicted, isWholeBatch, nextBehindDamage, plausibleLength } from '../log/recovery.ts'
import {
  baseOffset,
  batchSize,
  CRC_FROM,
  crc as crcOf,
  lastOffset,
  MAGIC_V2,
  magic,
  RECORD_BATCH_OVERHEAD,
} from '../protocol/record-batch.ts'
import type { BufferPool } from '../ring/arena.ts'
import type { LogRead, LogSegment } from './log-segment.ts'
import type { PartitionLog } from './partition-log.ts'

/** Scratch memory of this thread for walks over headers. */
const WALK_BYTES = 128 * 1024
let walkBuffer: Buffer | undefined

/** A reader over `segment` into one reused buffer, for the scans of recovery. */
export function readerOf(segment: LogSegment): (position: number, length: number) => Buffer {
  let buffer = Buffer.allocUnsafe(0)
  return (position, length) => {
    if (buffer.length < length) buffer = Buffer.allocUnsafeSlow(length)
    const n = segment.file.read(buffer, 0, length, position)
    return buffer.subarray(0, n)
  }
}

/** A place in a segment, and the lowest offset that may stand there. */
export interface Located {
  position: number
  expected: number
}

/**
 * The place of the batch in `segment` that holds `offset`, or of the first one behind it;
 * `undefined`: there is none. Walks headers from the nearest index entry. Damage that may have held
 * the offset is answered as its place: which offsets it held, it cannot say.
 */
export function locateBatch(
  log: PartitionLog,
  segment: LogSegment,
  offset: number,
): Located | undefined {
  let found: Located | undefined
  walkHeaders(log, segment, log.floorPlace(segment, offset), {
    onBatch: (bytes, at, position, expected) => {
      if (lastOffset(bytes, at) >= offset) found = { position, expected }
      return found !== undefined
    },
    onDamage: (position, expected, end) => {
      if (end > offset) found = { position, expected }
      return found !== undefined
    },
  })
  return found
}

/** Sees what a walk comes by; true ends the walk. */
export interface HeaderVisitor {
  /**
   * `bytes` holds the header at `at`; the batch begins at `position`, its offsets not below
   * `expected`.
   */
  onBatch(bytes: Buffer, at: number, position: number, expected: number): boolean
  /** The bytes at `position` may have held the offsets from `expected` up to and without `end`. */
  onDamage?(position: number, expected: number, end: number): boolean
}

/**
 * Shows the headers from `from` on; the CRC is looked at only where two headers do not fit
 * together.
 */
export function walkHeaders(
  log: PartitionLog,
  segment: LogSegment,
  from: Located,
  visitor: HeaderVisitor,
): void {
  walkBuffer ??= Buffer.allocUnsafeSlow(WALK_BYTES)
  const { size } = segment.file
  let { position, expected } = from
  let previous: Located | undefined
  // What is too short for a header is damage as well: a cut batch, or one whose length led there.
  while (position < size) {
    const n = segment.file.read(walkBuffer, 0, Math.min(WALK_BYTES, size - position), position)
    const window = walkBuffer.subarray(0, n)
    let at = 0
    let damaged = n < RECORD_BATCH_OVERHEAD
    while (n - at >= RECORD_BATCH_OVERHEAD) {
      const length = plausibleLength(window, at, size - position - at, expected)
      const place = { position: position + at, expected }
      if (length < 0 || isDamage(log, segment, window, at, length, place, previous)) {
        damaged = true
        break
      }
      if (visitor.onBatch(window, at, place.position, expected)) return
      previous = place
      expected = lastOffset(window, at) + 1
      at += length
    }
    position += at
    if (!damaged) continue
    // Damage may begin one batch earlier: its length or its last offset could be what led here.
    if (previous && !isSound(log, segment, previous.position)) ({ position, expected } = previous)
    previous = undefined
    const read = readerOf(segment)
    const next = nextBehindDamage(read, position, size, expected, log.parts.crc32c)
    const end = next < 0 ? segment.nextOffset : baseOffset(read(next, RECORD_BATCH_OVERHEAD), 0)
    if (visitor.onDamage?.(position, expected, end) || next < 0) return
    expected = end
    position = next
  }
  if (expected >= segment.nextOffset || previous === undefined) return
  // Offsets are missing at the end: they were removed, or the last batch lies about its own.
  if (isSound(log, segment, previous.position)) return
  visitor.onDamage?.(previous.position, previous.expected, segment.nextOffset)
}

/** Whether the batch at `place`, or the one before it, is not what its header says. */
function isDamage(
  log: PartitionLog,
  segment: LogSegment,
  window: Buffer,
  at: number,
  length: number,
  place: Located,
  previous: Located | undefined,
): boolean {
  const isGap = baseOffset(window, at) > place.expected
  if (hasWrongOffset(segment, window, at, place.position + length, place.expected)) {
    // A wrong last offset is covered by the CRC; if that is right, the batch behind is the wrong
    // one.
    return isGap || !isSound(log, segment, place.position)
  }
  return isGap && previous !== undefined && !isSound(log, segment, previous.position)
}

/** Whether the batch at `position` has the right CRC. */
function isSound(log: PartitionLog, segment: LogSegment, position: number): boolean {
  if (segment.verified.covers(position, position + 1)) return true
  return isWholeBatch(readerOf(segment), position, segment.file.size, 0, log.parts.crc32c)
}

const nextHeader = Buffer.allocUnsafeSlow(RECORD_BATCH_OVERHEAD)

/** Whether what follows (at `next`) does not fit the offsets of the batch at `at`. */
function hasWrongOffset(
  segment: LogSegment,
  bytes: Buffer,
  at: number,
  next: number,
  expected: number,
): boolean {
  if (baseOffset(bytes, at) < expected) return true
  const last = lastOffset(bytes, at)
  if (last >= segment.nextOffset) return true
  const nextAt = at + batchSize(bytes, at)
  if (bytes.length - nextAt >= RECORD_BATCH_OVERHEAD) {
    return isContradicted(last, expected, bytes, nextAt)
  }
  const n = segment.file.read(nextHeader, 0, RECORD_BATCH_OVERHEAD, next)
  return n === RECORD_BATCH_OVERHEAD && isContradicted(last, expected, nextHeader, 0)
}

/** How much of a segment is asked for. */
export interface ReadRange extends Located {
  maxBytes: number
  upperOffset: number
  minOneBatch: boolean
}

/**
 * Reads whole batches at `range.position` into a pooled buffer. `nextOffset` is where the next read
 * goes on, or -1. The walk looks at 12 bytes of each batch (all of the header of the last).
 */
// hot
export function readBatches(
  log: PartitionLog,
  segment: LogSegment,
  range: ReadRange,
  pool: BufferPool,
): LogRead {
  const left = segment.file.size - range.position
  let want = Math.min(Math.max(range.maxBytes, RECORD_BATCH_OVERHEAD), left)
  let buffer = pool.take(want)
  let bytes = buffer.bytes
  let n = segment.file.read(bytes, 0, want, range.position)
  let at = 0
  let last = -1
  let corrupt = n < RECORD_BATCH_OVERHEAD
  while (n - at >= RECORD_BATCH_OVERHEAD) {
    const length = batchSize(bytes, at)
    if (length < RECORD_BATCH_OVERHEAD || length > left - at || magic(bytes, at) !== MAGIC_V2) {
      corrupt = true
      break
    }
    if (at + length > n) {
      if (last >= 0 || (length > range.maxBytes && !range.minOneBatch)) break
      // The first batch alone is larger than what was asked for: it is served whole.
      pool.release(buffer)
      want = length
      buffer = pool.take(want)
      bytes = buffer.bytes
      n = segment.file.read(bytes, 0, want, range.position)
      if (n < want) {
        corrupt = true
        break
      }
    }
    const from = range.position + at
    const verified = segment.verified.covers(from, from + length)
    if (!verified) {
      const expected = last < 0 ? range.expected : lastOffset(bytes, last) + 1
      // A gap may be a raised base offset, which no CRC covers.
      const isGap = baseOffset(bytes, at) !== expected
      if (isGap && hasWrongOffset(segment, bytes.subarray(0, n), at, from + length, expected)) {
        corrupt = true
        break
      }
    }
    if (baseOffset(bytes, at) >= range.upperOffset) break
    if (!verified) {
      if (log.parts.crc32c(bytes.subarray(at + CRC_FROM, at + length)) !== crcOf(bytes, at)) {
        corrupt = true
        break
      }
      segment.verified.add(from, from + length)
    }
    last = at
    at += length
    if (at >= range.maxBytes) break
  }
  if (last < 0) {
    pool.release(buffer)
    return { buffer: undefined, from: 0, to: 0, corrupt, nextOffset: -1 }
  }
  const nextOffset = lastOffset(bytes, last) + 1
  return { buffer, from: 0, to: at, corrupt: false, nextOffset }
}

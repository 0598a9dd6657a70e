/**
 * Reading a log: from an offset to a position, and from a position to whole batches whose CRC was
 * right at least once since this process opened the file.
 */
import { isContradicted, nextBehindDamage, plausibleLength } from '../log/recovery.ts'
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
 * The place of the batch in `segment` that holds `offset`, or of the first one behind it; `undefined`:
 * there is none. Walks headers from the nearest index entry. Damage that may have held the offset is
 * answered as its place; other damage is stepped over.
 */
export function locateBatch(
  log: PartitionLog,
  segment: LogSegment,
  offset: number,
): Located | undefined {
  walkBuffer ??= Buffer.allocUnsafeSlow(WALK_BYTES)
  const { size } = segment.file
  let { position, expected } = log.floorPlace(segment, offset)
  while (size - position >= RECORD_BATCH_OVERHEAD) {
    const n = segment.file.read(walkBuffer, 0, Math.min(WALK_BYTES, size - position), position)
    let at = 0
    let damaged = n < RECORD_BATCH_OVERHEAD
    while (n - at >= RECORD_BATCH_OVERHEAD) {
      const length = plausibleLength(walkBuffer, at, size - position - at, expected)
      const next = position + at + length
      if (length < 0 || hasWrongOffset(segment, walkBuffer, at, next, expected)) {
        damaged = true
        break
      }
      const last = lastOffset(walkBuffer, at)
      if (last >= offset) return { position: position + at, expected }
      expected = last + 1
      at += length
    }
    position += at
    if (!damaged) continue
    const read = readerOf(segment)
    const next = nextBehindDamage(read, position, size, expected, log.parts.crc32c)
    // The damaged range cannot say which offsets it held: the asked one is taken to be among them.
    const end = next < 0 ? segment.nextOffset : baseOffset(read(next, RECORD_BATCH_OVERHEAD), 0)
    if (end > offset) return { position, expected }
    if (next < 0) return undefined
    expected = end
    position = next
  }
  return undefined
}

const nextHeader = Buffer.allocUnsafeSlow(RECORD_BATCH_OVERHEAD)

/** Whether what follows (at `next`) shows that the base offset of the batch at `at` is wrong. */
function hasWrongOffset(
  segment: LogSegment,
  bytes: Buffer,
  at: number,
  next: number,
  expected: number,
): boolean {
  if (baseOffset(bytes, at) === expected) return false
  if (baseOffset(bytes, at) < expected) return true
  const last = lastOffset(bytes, at)
  if (last >= segment.nextOffset) return true
  const n = segment.file.read(nextHeader, 0, RECORD_BATCH_OVERHEAD, next)
  return isContradicted(last, expected, nextHeader.subarray(0, n))
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
): LogRead & { nextOffset: number } {
  const left = segment.file.size - range.position
  let want = Math.min(Math.max(range.maxBytes, RECORD_BATCH_OVERHEAD), left)
  let buffer = pool.take(want)
  let bytes = buffer.bytes
  let n = segment.file.read(bytes, 0, want, range.position)
  let at = 0
  let last = -1
  let corrupt = false
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
      if (hasWrongOffset(segment, bytes, at, from + length, expected)) {
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

/**
 * Reading a log: from an offset to a position, and from a position to whole batches whose CRC was
 * right at least once since this process opened the file.
 */
import { nextWholeBatch, plausibleLength } from '../log/recovery.ts'
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

/**
 * Position of the batch in `segment` that holds `offset`, or of the first one behind it; -1: there is
 * none. Walks headers from the nearest index entry; steps over damage.
 */
export function locateBatch(log: PartitionLog, segment: LogSegment, offset: number): number {
  walkBuffer ??= Buffer.allocUnsafeSlow(WALK_BYTES)
  const { size } = segment.file
  let position = log.floorPosition(segment, offset)
  while (size - position >= RECORD_BATCH_OVERHEAD) {
    const n = segment.file.read(walkBuffer, 0, Math.min(WALK_BYTES, size - position), position)
    let at = 0
    while (n - at >= RECORD_BATCH_OVERHEAD) {
      const length = plausibleLength(walkBuffer, at, size - position - at, 0)
      if (length < 0) break
      if (lastOffset(walkBuffer, at) >= offset) return position + at
      at += length
      if (at > n) break
    }
    position += at
    if (at > 0 && (at > n || n - at < RECORD_BATCH_OVERHEAD)) continue
    if (n - at >= RECORD_BATCH_OVERHEAD || at === 0) {
      const next = nextWholeBatch(readerOf(segment), position + 1, size, 0, log.parts.crc32c)
      if (next < 0) return -1
      // The damaged range cannot say which offsets it held: the asked one is taken to be among them.
      const header = readerOf(segment)(next, RECORD_BATCH_OVERHEAD)
      if (baseOffset(header, 0) > offset) return position
      position = next
    }
  }
  return -1
}

/** How much of a segment is asked for. */
export interface ReadRange {
  position: number
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
      if (n < want) break
    }
    if (baseOffset(bytes, at) >= range.upperOffset) break
    if (!sound(log, segment, bytes, at, length, range.position)) {
      corrupt = true
      break
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

/** Whether the CRC of a batch is right, looked at once per process and batch. */
function sound(
  log: PartitionLog,
  segment: LogSegment,
  bytes: Buffer,
  at: number,
  length: number,
  position: number,
): boolean {
  const from = position + at
  if (segment.verified.covers(from, from + length)) return true
  const crc = log.parts.crc32c(bytes.subarray(at + CRC_FROM, at + length))
  if (crc !== crcOf(bytes, at)) return false
  segment.verified.add(from, from + length)
  return true
}

/**
 * Recovery's view of a segment: which bytes are whole batches, which are damaged in the middle, and
 * where a torn tail begins. Pure but for the reads, which the caller supplies.
 */
import {
  baseOffset,
  batchSize,
  CRC_FROM,
  type Crc32c,
  crc,
  lastOffset,
  MAGIC_AT,
  MAGIC_V2,
  magic,
  RECORD_BATCH_OVERHEAD,
} from '../protocol/record-batch.ts'

/** Offsets at or above this are not from a log that this code wrote: a number holds 2^53. */
const OFFSET_HIGH_WORD_MAX = 0x1fffff

/** Bytes that the scan asks for at once. */
export const SCAN_WINDOW_BYTES = 1 << 20

/**
 * Reads `length` bytes at `position`; may answer fewer at the end. The view is valid until the next
 * read.
 */
export type SegmentReader = (position: number, length: number) => Buffer

/** A range of bytes that holds no whole batch but has whole ones behind it. */
export interface DamagedRange {
  from: number
  to: number
}

export interface ScanResult {
  /** End of the last whole batch: what lies behind is a torn tail. */
  end: number
  damaged: DamagedRange[]
}

/**
 * Walks a segment from `from` to `size` and shows each whole batch (right CRC) to `visit`. Damage
 * with whole batches behind it is listed and stepped over; damage without is the tail, where `end`
 * stops. `minOffset`: no batch may begin below it. `prefixFrom`: damage at offsets from there on
 * ends the scan, whatever lies behind.
 */
export function scanSegment(
  read: SegmentReader,
  range: { from: number; size: number; minOffset: number; prefixFrom?: number },
  crc32c: Crc32c,
  visit: (batch: Buffer, at: number, position: number) => void,
): ScanResult {
  const damaged: DamagedRange[] = []
  const { size } = range
  let position = range.from
  let minOffset = range.minOffset
  while (position < size) {
    const window = read(position, Math.min(SCAN_WINDOW_BYTES, size - position))
    let at = 0
    let bad = false
    while (window.length - at >= RECORD_BATCH_OVERHEAD) {
      const length = plausibleLength(window, at, size - position - at, minOffset)
      if (length < 0) {
        bad = true
        break
      }
      if (length > window.length - at) break
      if (crc32c(window.subarray(at + CRC_FROM, at + length)) !== crc(window, at)) {
        bad = true
        break
      }
      if (baseOffset(window, at) > minOffset) {
        // What lies behind has to be seen before the gap is believed: look from this batch on.
        if (window.length - at - length < RECORD_BATCH_OVERHEAD && at > 0) break
        if (isContradicted(lastOffset(window, at), minOffset, window, at + length)) {
          bad = true
          break
        }
      }
      visit(window, at, position + at)
      minOffset = lastOffset(window, at) + 1
      at += length
    }
    position += at
    if (!bad && at > 0) continue
    if (!bad && isWholeBatch(read, position, size, minOffset, crc32c)) {
      const length = batchSize(read(position, RECORD_BATCH_OVERHEAD), 0)
      const batch = read(position, Math.min(length + RECORD_BATCH_OVERHEAD, size - position))
      if (!isContradicted(lastOffset(batch, 0), minOffset, batch, length)) {
        visit(batch, 0, position)
        minOffset = lastOffset(batch, 0) + 1
        position += length
        continue
      }
    }
    if (minOffset >= (range.prefixFrom ?? Number.POSITIVE_INFINITY))
      return { end: position, damaged }
    const next = nextBehindDamage(read, position, size, minOffset, crc32c)
    if (next < 0) return { end: position, damaged }
    damaged.push({ from: position, to: next })
    position = next
  }
  return { end: position, damaged }
}

/**
 * The length of the batch that seems to begin at `at`, or -1: what stands there is no batch header.
 * `left`: bytes of the segment from `at` on.
 */
export function plausibleLength(
  bytes: Buffer,
  at: number,
  left: number,
  minOffset: number,
): number {
  if (left < RECORD_BATCH_OVERHEAD || bytes.length - at < RECORD_BATCH_OVERHEAD) return -1
  const length = batchSize(bytes, at)
  if (length < RECORD_BATCH_OVERHEAD || length > left) return -1
  if (magic(bytes, at) !== MAGIC_V2) return -1
  // Read as an int64 first: a damaged offset may lie beyond what a number holds.
  if (bytes.readInt32BE(at) < 0 || bytes.readInt32BE(at) > OFFSET_HIGH_WORD_MAX) return -1
  if (baseOffset(bytes, at) < minOffset || lastOffset(bytes, at) < baseOffset(bytes, at)) return -1
  return length
}

/**
 * Whether the batch behind (its header at `nextAt`, if there is one) shows that a batch which ends
 * with `last` has a wrong base offset: the CRC does not cover that field, so a raised one looks
 * like a gap. `expected`: the lowest offset that could have come.
 */
export function isContradicted(
  last: number,
  expected: number,
  bytes: Buffer,
  nextAt: number,
): boolean {
  if (plausibleLength(bytes, nextAt, Number.MAX_SAFE_INTEGER, expected) < 0) return false
  return baseOffset(bytes, nextAt) <= last
}

/** Position of the first whole batch behind the damaged bytes at `position`, or -1. */
export function nextBehindDamage(
  read: SegmentReader,
  position: number,
  size: number,
  minOffset: number,
  crc32c: Crc32c,
): number {
  // Where the length is still right it leads past the records, whose values may hold batches too.
  const header = read(position, Math.min(RECORD_BATCH_OVERHEAD, size - position))
  const length = plausibleLength(header, 0, size - position, 0)
  if (length > 0 && isWholeBatch(read, position + length, size, minOffset, crc32c)) {
    return position + length
  }
  return nextWholeBatch(read, position + 1, size, minOffset, crc32c)
}

/** Position of the next whole batch (right CRC) from `from` on, or -1. */
function nextWholeBatch(
  read: SegmentReader,
  from: number,
  size: number,
  minOffset: number,
  crc32c: Crc32c,
): number {
  let position = from
  while (size - position >= RECORD_BATCH_OVERHEAD) {
    const window = Buffer.from(read(position, Math.min(SCAN_WINDOW_BYTES, size - position)))
    if (window.length < RECORD_BATCH_OVERHEAD) return -1
    // A header shows itself by its magic: look only where a 2 stands in that place.
    let found = window.indexOf(2, MAGIC_AT)
    while (found !== -1) {
      const at = found - MAGIC_AT
      if (plausibleLength(window, at, size - position - at, minOffset) > 0) {
        if (isWholeBatch(read, position + at, size, minOffset, crc32c)) return position + at
      }
      found = window.indexOf(2, found + 1)
    }
    position += Math.max(1, window.length - RECORD_BATCH_OVERHEAD + 1)
  }
  return -1
}

/**
 * Whether a whole batch with the right CRC begins at `position`, read in one piece however long.
 */
export function isWholeBatch(
  read: SegmentReader,
  position: number,
  size: number,
  minOffset: number,
  crc32c: Crc32c,
): boolean {
  const header = read(position, Math.max(0, Math.min(RECORD_BATCH_OVERHEAD, size - position)))
  const length = plausibleLength(header, 0, size - position, minOffset)
  if (length < 0) return false
  const batch = read(position, length)
  if (batch.length < length) return false
  return crc32c(batch.subarray(CRC_FROM, length)) === crc(batch, 0)
}

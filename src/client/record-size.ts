/** Text and small integers as records hold them, written without objects in between. */
import { varintSize, writeVarint } from '../protocol/varint.ts'

/** What a key, a value or a header may be: text goes as UTF-8. */
export type RecordBytes = Uint8Array | string | null

/** Up to this length a loop in JavaScript is faster than a call into C++. */
const LOOP_LENGTH_MAX = 48

// hot
/** How many bytes; -1 for null. */
export function lengthOf(value: RecordBytes): number {
  if (value === null) return -1
  if (typeof value !== 'string') return value.length
  const { length } = value
  if (length > LOOP_LENGTH_MAX) return Buffer.byteLength(value)
  for (let i = 0; i < length; i++) {
    if (value.charCodeAt(i) > 0x7f) return Buffer.byteLength(value)
  }
  return length
}

// hot
/** Bytes of a length with what it counts. `length`: -1 is null. */
export function sizeWithLength(length: number): number {
  // Zigzag: lengths up to 63 take one byte, up to 8191 two.
  if (length < 64) return length < 0 ? 1 : length + 1
  return length < 8192 ? length + 2 : length + varintSize(length)
}

// hot
/** Writes the length and `value`, which has `length` bytes, and answers where it ends. */
export function writeWithLength(
  into: Buffer,
  from: number,
  value: RecordBytes,
  length: number,
): number {
  let at = from
  if (length < 64) into[at++] = length < 0 ? 1 : length << 1
  else at = writeVarint(into, at, length)
  if (value === null) return at
  if (typeof value === 'string') writeText(into, at, value, length)
  else if (length > LOOP_LENGTH_MAX) into.set(value, at)
  else for (let i = 0; i < length; i++) into[at + i] = value[i] as number
  return at + length
}

function writeText(into: Buffer, at: number, text: string, length: number): void {
  if (length !== text.length) {
    into.write(text, at, length, 'utf8')
  } else if (length > LOOP_LENGTH_MAX) {
    // As many bytes as units: all are ASCII.
    into.write(text, at, length, 'latin1')
  } else {
    for (let i = 0; i < length; i++) into[at + i] = text.charCodeAt(i)
  }
}

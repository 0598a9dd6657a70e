// Writes the primitives of the wire protocol into a scratch buffer that is reused for each
// message. Large byte values are not copied: they become chunks of their own in the frame.

import { AssertionError, assert } from '../base/assert.ts'
import { writeInt16, writeInt32, writeInt64 } from '../base/bytes.ts'
import { uuidToBytes } from '../base/uuid.ts'
import { STRING_BYTES_MAX } from './reader.ts'

/** A set value that the version of the message cannot carry: the caller's bug. */
export class UnsupportedFieldVersion extends AssertionError {
  override readonly name = 'UnsupportedFieldVersion'
}

/** Byte values of at least this size are gathered instead of copied: a chunk costs about 1 KiB. */
export const GATHER_BYTES_MIN = 1024
const SCRATCH_BYTES = 4096
/** A scratch that grew beyond this is dropped by reset, so one huge message does not stay. */
const SCRATCH_BYTES_KEPT_MAX = 1 << 20
/**
 * A string of at most this many UTF-16 units has at most 126 bytes: its varint length is 1 byte.
 */
const SHORT_TEXT_LENGTH = 42

/** A growing message. One writer serves all messages of a thread: encoding never awaits. */
export class Writer {
  #scratch: Buffer = Buffer.allocUnsafeSlow(SCRATCH_BYTES)
  #at = 0
  /** Values to insert before position #cuts[i] of the scratch. */
  readonly #pieces: Buffer[] = []
  readonly #cuts: number[] = []
  #piecesBytes = 0
  #tagDepth = 0

  /** Bytes written so far, without the gathered ones. */
  get at(): number {
    return this.#at
  }

  /** Forgets everything written. */
  reset(): void {
    if (this.#scratch.length > SCRATCH_BYTES_KEPT_MAX) {
      this.#scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)
    }
    this.#at = 0
    // Nearly all messages have none, and an array of no elements is slow to empty.
    if (this.#pieces.length > 0) {
      this.#pieces.length = 0
      this.#cuts.length = 0
    }
    this.#piecesBytes = 0
    this.#tagDepth = 0
  }

  /** Begins a frame: resets and reserves the int32 size. */
  startFrame(): void {
    this.reset()
    this.#at = 4
  }

  /** The chunks of the frame in order; the writer may be reused at once. */
  finishFrame(): Buffer[] {
    assert(this.#at >= 4, 'startFrame comes before finishFrame')
    writeInt32(this.#scratch, 0, this.#at + this.#piecesBytes - 4)
    return this.#chunks()
  }

  /** All that was written as one buffer; the writer may be reused at once. */
  finish(): Buffer {
    const chunks = this.#chunks()
    return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
  }

  bool(value: boolean): void {
    const at = this.#claim(1)
    this.#scratch[at] = value ? 1 : 0
  }

  int8(value: number): void {
    if ((value << 24) >> 24 !== value) throw outOfRange('int8', value)
    const at = this.#claim(1)
    this.#scratch[at] = value
  }

  int16(value: number): void {
    if ((value << 16) >> 16 !== value) throw outOfRange('int16', value)
    const at = this.#claim(2)
    writeInt16(this.#scratch, at, value)
  }

  uint16(value: number): void {
    if ((value & 0xffff) !== value) throw outOfRange('uint16', value)
    const at = this.#claim(2)
    writeInt16(this.#scratch, at, value)
  }

  int32(value: number): void {
    if ((value | 0) !== value) throw outOfRange('int32', value)
    const at = this.#claim(4)
    writeInt32(this.#scratch, at, value)
  }

  /** Integral; beyond the int64 range the nearest int64 is written. */
  int64(value: number): void {
    if (!Number.isInteger(value)) throw outOfRange('int64', value)
    const at = this.#claim(8)
    writeInt64(this.#scratch, at, value)
  }

  float64(value: number): void {
    const at = this.#claim(8)
    this.#scratch.writeDoubleBE(value, at)
  }

  uuid(value: string): void {
    const at = this.#claim(16)
    uuidToBytes(value, this.#scratch, at)
  }

  uvarint(value: number): void {
    const at = this.#claim(5)
    this.#at = this.#putUvarint(at, value)
  }

  string(value: string): void {
    const prefixAt = this.#claim(2)
    const length = this.#text(value)
    assert(length <= STRING_BYTES_MAX, 'a string has at most 32767 bytes')
    writeInt16(this.#scratch, prefixAt, length)
  }

  nullableString(value: string | null): void {
    if (value === null) this.int16(-1)
    else this.string(value)
  }

  compactString(value: string): void {
    if (value.length <= SHORT_TEXT_LENGTH) {
      const prefixAt = this.#claim(1)
      const length = this.#text(value)
      this.#scratch[prefixAt] = length + 1
    } else {
      const length = Buffer.byteLength(value)
      assert(length <= STRING_BYTES_MAX, 'a string has at most 32767 bytes')
      this.uvarint(length + 1)
      this.#text(value)
    }
  }

  compactNullableString(value: string | null): void {
    if (value === null) this.uvarint(0)
    else this.compactString(value)
  }

  bytes(value: Uint8Array): void {
    this.int32(value.length)
    this.raw(value)
  }

  nullableBytes(value: Uint8Array | null): void {
    if (value === null) this.int32(-1)
    else this.bytes(value)
  }

  compactBytes(value: Uint8Array): void {
    this.uvarint(value.length + 1)
    this.raw(value)
  }

  compactNullableBytes(value: Uint8Array | null): void {
    if (value === null) this.uvarint(0)
    else this.compactBytes(value)
  }

  /** Bytes without a length before them. From GATHER_BYTES_MIN on they have to stay unchanged
   *  until the frame is sent. */
  raw(value: Uint8Array): void {
    // The size of a tagged field is known only after its body, which therefore is in one piece.
    if (value.length < GATHER_BYTES_MIN || this.#tagDepth > 0) {
      const at = this.#claim(value.length)
      this.#scratch.set(value, at)
      return
    }
    const { buffer, byteOffset, length } = value
    this.#pieces.push(Buffer.isBuffer(value) ? value : Buffer.from(buffer, byteOffset, length))
    this.#cuts.push(this.#at)
    this.#piecesBytes += length
  }

  /** Begins the body of a tagged field; the answer goes to endTag. */
  beginTag(tag: number): number {
    this.uvarint(tag)
    this.#tagDepth++
    return this.#claim(1)
  }

  /** Ends the body: puts its size before it, moving it when the size takes more than one byte. */
  endTag(sizeAt: number): void {
    this.#tagDepth--
    const bodyAt = sizeAt + 1
    const size = this.#at - bodyAt
    if (size < 0x80) {
      this.#scratch[sizeAt] = size
      return
    }
    this.#claim(4)
    const sizeBytes = size < 1 << 14 ? 2 : size < 1 << 21 ? 3 : size < 1 << 28 ? 4 : 5
    this.#scratch.copyWithin(sizeAt + sizeBytes, bodyAt, bodyAt + size)
    this.#at = this.#putUvarint(sizeAt, size) + size
  }

  /** Writes at `at`, where there is room for 5 bytes, and answers where it ends. */
  #putUvarint(at: number, value: number): number {
    const scratch = this.#scratch
    let to = at
    let left = value
    while (left > 0x7f) {
      scratch[to++] = (left & 0x7f) | 0x80
      left >>>= 7
    }
    scratch[to] = left
    return to + 1
  }

  /** Writes the text and answers how many bytes it has. */
  #text(value: string): number {
    const length = value.length
    if (length > SHORT_TEXT_LENGTH) return this.#longText(value)
    let at = this.#claim(length * 3)
    const from = at
    const scratch = this.#scratch
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i)
      if (unit > 0x7f) {
        this.#at = from + scratch.write(value, from)
        return this.#at - from
      }
      scratch[at++] = unit
    }
    this.#at = at
    return length
  }

  #longText(value: string): number {
    const at = this.#claim(value.length * 3)
    const length = this.#scratch.write(value, at)
    this.#at = at + length
    return length
  }

  /** Makes room for `size` bytes and answers where they go. */
  #claim(size: number): number {
    const at = this.#at
    if (at + size > this.#scratch.length) this.#grow(at + size)
    this.#at = at + size
    return at
  }

  #grow(size: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(size, this.#scratch.length * 2))
    this.#scratch.copy(larger, 0, 0, this.#at)
    this.#scratch = larger
  }

  #chunks(): Buffer[] {
    const written = Buffer.allocUnsafe(this.#at)
    this.#scratch.copy(written, 0, 0, this.#at)
    const pieces = this.#pieces
    if (pieces.length === 0) {
      this.reset()
      return [written]
    }
    const chunks: Buffer[] = []
    let from = 0
    for (let i = 0; i < pieces.length; i++) {
      const cut = this.#cuts[i] as number
      if (cut > from) chunks.push(written.subarray(from, cut))
      chunks.push(pieces[i] as Buffer)
      from = cut
    }
    if (from < written.length) chunks.push(written.subarray(from))
    this.reset()
    return chunks
  }
}

function outOfRange(kind: string, value: number): AssertionError {
  return new AssertionError(`${value} is no ${kind}`)
}

// Reads the primitives of the wire protocol. Every read is checked against the end of the frame;
// no count from the wire is believed before the bytes for it are there.

import { readInt16, readInt32, readInt64 } from '../base/bytes.ts'
import { uuidFromBytes } from '../base/uuid.ts'

/** Bytes that are no message of the protocol. Only dispatch catches it and drops the connection. */
export class MalformedRequest extends Error {
  override readonly name: string = 'MalformedRequest'
}

/** The longest string in UTF-8, also where its length is a varint. */
export const STRING_BYTES_MAX = 0x7fff
/** Array elements in one message, all arrays together. A struct of two bytes on the wire takes 70
 *  on the heap, so without this a frame of the allowed size could take gigabytes. */
export const ELEMENTS_MAX = 500_000
const REPLACEMENT_BYTES = 3
const EMPTY = Buffer.alloc(0)

/** Names come again and again: of topics, clients and groups. */
const KEPT_TEXT_BYTES_MAX = 40
const KEPT_TEXTS = 512
const keptTexts: string[] = new Array(KEPT_TEXTS).fill('')

// hot
/**
 * Short text. The latest that fell on the same place is compared first, which costs a fifth. Only
 * text of as many units as bytes is kept: its units below 0x80 are its bytes, and no other is one.
 */
function shortText(buffer: Buffer, at: number, length: number): string {
  const end = at + length
  const first = buffer[at] as number
  const middle = buffer[at + (length >> 1)] as number
  const last = buffer[end - 1] as number
  const place = (length + first * 5 + middle * 17 + last * 31) % KEPT_TEXTS
  const kept = keptTexts[place] as string
  if (kept.length === length) {
    let i = 0
    while (i < length && kept.charCodeAt(i) === buffer[at + i]) i++
    if (i === length) return kept
  }
  const text = buffer.toString('utf8', at, end)
  if (text.length === length) keptTexts[place] = text
  return text
}

/** A position in a frame. One reader serves all messages of a thread: decoding never awaits. */
export class Reader {
  buffer: Buffer = EMPTY
  at = 0
  /** First byte that is not part of what is read: end of the frame or of a tagged field. */
  end = 0
  #elementsLeft = 0

  /** Starts at `at` of `buffer` and reads at most to `end`. */
  reset(buffer: Buffer, at: number, end: number = buffer.length): void {
    if (at > end) throw new MalformedRequest('the frame ends before the message starts')
    this.buffer = buffer
    this.at = at
    this.end = end
    this.#elementsLeft = ELEMENTS_MAX
  }

  /** Moves over `size` bytes and answers where they start. */
  take(size: number): number {
    const at = this.at
    if (size > this.end - at) throw this.#short(size)
    this.at = at + size
    return at
  }

  bool(): boolean {
    return this.buffer[this.take(1)] !== 0
  }

  int8(): number {
    return ((this.buffer[this.take(1)] as number) << 24) >> 24
  }

  int16(): number {
    return readInt16(this.buffer, this.take(2))
  }

  uint16(): number {
    return readInt16(this.buffer, this.take(2)) & 0xffff
  }

  int32(): number {
    return readInt32(this.buffer, this.take(4))
  }

  int64(): number {
    return readInt64(this.buffer, this.take(8))
  }

  float64(): number {
    return this.buffer.readDoubleBE(this.take(8))
  }

  uuid(): string {
    return uuidFromBytes(this.buffer, this.take(16))
  }

  /** Unsigned varint of at most 32 bits in at most 5 bytes. */
  uvarint(): number {
    const first = this.buffer[this.take(1)] as number
    return first < 0x80 ? first : this.#longUvarint(first)
  }

  string(): string {
    return this.#text(this.#positive(this.int16()))
  }

  nullableString(): string | null {
    const length = this.#orNull(this.int16())
    return length < 0 ? null : this.#text(length)
  }

  compactString(): string {
    return this.#text(this.#positive(this.uvarint() - 1))
  }

  compactNullableString(): string | null {
    const length = this.uvarint() - 1
    return length < 0 ? null : this.#text(length)
  }

  bytes(): Buffer {
    return this.#view(this.#positive(this.int32()))
  }

  nullableBytes(): Buffer | null {
    const length = this.#orNull(this.int32())
    return length < 0 ? null : this.#view(length)
  }

  compactBytes(): Buffer {
    return this.#view(this.#positive(this.uvarint() - 1))
  }

  compactNullableBytes(): Buffer | null {
    const length = this.uvarint() - 1
    return length < 0 ? null : this.#view(length)
  }

  /** Count of an array whose elements take at least `sizeMin` bytes each. */
  count(sizeMin: number): number {
    return this.#plausible(this.#positive(this.int32()), sizeMin)
  }

  /** As count; -1 is null. */
  nullableCount(sizeMin: number): number {
    return this.#plausible(this.#orNull(this.int32()), sizeMin)
  }

  compactCount(sizeMin: number): number {
    return this.#plausible(this.#positive(this.uvarint() - 1), sizeMin)
  }

  /** As compactCount; -1 is null. */
  compactNullableCount(sizeMin: number): number {
    return this.#plausible(this.uvarint() - 1, sizeMin)
  }

  /** Begins the body of a tagged field: reads end with it until leaveTag. Answers the outer end. */
  enterTag(): number {
    const size = this.uvarint()
    const outerEnd = this.end
    if (size > outerEnd - this.at) throw this.#short(size)
    this.end = this.at + size
    return outerEnd
  }

  /** Ends the body of a tagged field, which has to have been read to its end. */
  leaveTag(outerEnd: number): void {
    if (this.at !== this.end) throw new MalformedRequest('a tagged field is longer than its value')
    this.end = outerEnd
  }

  /** Skips the body of a tagged field that this version does not know. KIP-482. */
  skipTag(): void {
    this.take(this.uvarint())
  }

  /** Skips a whole section of tagged fields. */
  skipTags(): void {
    for (let left = this.uvarint(); left > 0; left--) {
      this.uvarint()
      this.skipTag()
    }
  }

  /** A known tag came twice. */
  repeatedTag(tag: number): MalformedRequest {
    return new MalformedRequest(`tagged field ${tag} comes twice`)
  }

  #longUvarint(first: number): number {
    let value = first & 0x7f
    for (let shift = 7; shift < 28; shift += 7) {
      const byte = this.buffer[this.take(1)] as number
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    const last = this.buffer[this.take(1)] as number
    if (last > 0x0f) throw new MalformedRequest('a varint has more than 32 bits')
    return (value | (last << 28)) >>> 0
  }

  #text(length: number): string {
    if (length === 0) return ''
    const at = this.take(length)
    if (length <= KEPT_TEXT_BYTES_MAX) return shortText(this.buffer, at, length)
    const text = this.buffer.toString('utf8', at, at + length)
    // Kafka bounds strings alike in all versions: what came in a compact string has to fit where
    // lengths are int16. A bad byte becomes a replacement character of three bytes.
    if (length * REPLACEMENT_BYTES > STRING_BYTES_MAX && Buffer.byteLength(text) > STRING_BYTES_MAX)
      throw new MalformedRequest(`a string of more than ${STRING_BYTES_MAX} bytes`)
    return text
  }

  #view(length: number): Buffer {
    const at = this.take(length)
    return this.buffer.subarray(at, at + length)
  }

  #positive(length: number): number {
    if (length < 0) throw new MalformedRequest('null or a negative length where a value has to be')
    return length
  }

  #orNull(length: number): number {
    if (length < -1) throw new MalformedRequest(`a length of ${length}`)
    return length
  }

  #plausible(count: number, sizeMin: number): number {
    if (count * sizeMin > this.end - this.at) {
      throw new MalformedRequest(`${count} elements in ${this.end - this.at} bytes`)
    }
    if (count > 0) this.#elementsLeft -= count
    if (this.#elementsLeft < 0) throw new MalformedRequest(`more than ${ELEMENTS_MAX} elements`)
    return count
  }

  #short(size: number): MalformedRequest {
    return new MalformedRequest(`${size} bytes wanted where ${this.end - this.at} are left`)
  }
}

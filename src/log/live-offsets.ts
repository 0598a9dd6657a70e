/**
 * Which offsets of the dirty part of a log may hold a record that compaction keeps: what the first
 * pass knows, one bit an offset, so that the second one need not look at the keys of all others.
 */

import { assert } from '../base/assert.ts'

const TWO_32 = 2 ** 32

/** Live offsets as they cross threads. */
export interface LiveOffsetsState {
  /** The offset of the first bit. */
  readonly from: number
  readonly bits: SharedArrayBuffer
}

/** Nothing is live at first. Offsets outside of its range count as live: it does not know them. */
export class LiveOffsets {
  readonly state: LiveOffsetsState
  readonly #from: number
  readonly #end: number
  readonly #words: Int32Array

  constructor(state: LiveOffsetsState) {
    this.state = state
    this.#from = state.from
    this.#words = new Int32Array(state.bits)
    this.#end = state.from + this.#words.length * 32
    assert(this.#end - this.#from <= TWO_32, 'a distance has 32 bits')
  }

  /** For the offsets from `from` to `end` (exclusive), as far as `bytesMax` reach. */
  static between(from: number, end: number, bytesMax: number): LiveOffsets {
    const words = Math.min(Math.ceil((end - from) / 32), Math.floor(bytesMax / 4), TWO_32 / 32)
    return new LiveOffsets({ from, bits: new SharedArrayBuffer(words * 4) })
  }

  /** Memory that it takes. */
  get bytes(): number {
    return this.#words.byteLength
  }

  // hot
  /** `offset` is live. */
  add(offset: number): void {
    if (offset < this.#from || offset >= this.#end) return
    const at = offset - this.#from
    const word = at >>> 5
    this.#words[word] = (this.#words[word] as number) | (1 << (at & 31))
  }

  /** All offsets from `first` to `last` (inclusive) are live. */
  addAll(first: number, last: number): void {
    const end = Math.min(last + 1, this.#end)
    for (let offset = Math.max(first, this.#from); offset < end; offset++) this.add(offset)
  }

  // hot
  /** Whether `offset` may be live. */
  has(offset: number): boolean {
    if (offset < this.#from || offset >= this.#end) return true
    const at = offset - this.#from
    return ((this.#words[at >>> 5] as number) & (1 << (at & 31))) !== 0
  }

  // hot
  /** Whether an offset from `first` to `last` (inclusive) may be live. */
  hasAny(first: number, last: number): boolean {
    if (first < this.#from || last >= this.#end) return true
    const words = this.#words
    const firstWord = (first - this.#from) >>> 5
    const lastWord = (last - this.#from) >>> 5
    const firstMask = -1 << ((first - this.#from) & 31)
    const lastMask = -1 >>> (31 - ((last - this.#from) & 31))
    if (firstWord === lastWord) {
      return ((words[firstWord] as number) & firstMask & lastMask) !== 0
    }
    if (((words[firstWord] as number) & firstMask) !== 0) return true
    for (let word = firstWord + 1; word < lastWord; word++) if (words[word] !== 0) return true
    return ((words[lastWord] as number) & lastMask) !== 0
  }
}

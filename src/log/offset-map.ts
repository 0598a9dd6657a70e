/**
 * The last offset of each key of the dirty part of a log, in a bounded piece of memory. Source:
 * Kafka's SkimpyOffsetMap: only hashes of keys are kept, 24 bytes a key.
 */
import { assert } from '../base/assert.ts'
import { type HashKey, KeyHash } from './key-hash.ts'

// slot: | hash 4 × i32 | offset + 1, high i32 | offset + 1, low u32 |; offset + 1 = 0: empty
const WORDS_PER_SLOT = 6
/** Bytes that one key takes. */
export const OFFSET_MAP_SLOT_BYTES = WORDS_PER_SLOT * 4

const TWO_32 = 2 ** 32
const LOAD_MIN = 0.01
/** Where there is room, searches are kept short. */
const LOAD_WANTED = 0.75

/** A map as it crosses threads. */
export interface OffsetMapState {
  readonly memory: SharedArrayBuffer
  readonly hashKey: HashKey
  /** Every record from the first dirty offset up to this one is in the map; -1: none. */
  readonly latestOffset: number
}

/**
 * Memory for a map of at most `bytesMax` that may have to hold `keysMax` keys at `loadFactor` (0 to
 * 1).
 */
export function offsetMapMemory(
  keysMax: number,
  bytesMax: number,
  loadFactor: number,
): SharedArrayBuffer {
  const load = Math.min(Math.max(loadFactor, LOAD_MIN), LOAD_WANTED)
  const wanted = Math.ceil((keysMax + 1) / load)
  const slots = Math.max(2, Math.min(wanted, Math.floor(bytesMax / OFFSET_MAP_SLOT_BYTES)))
  return new SharedArrayBuffer(slots * OFFSET_MAP_SLOT_BYTES)
}

export class OffsetMap {
  /** See `OffsetMapState`. */
  latestOffset: number
  readonly #words: Int32Array
  readonly #slots: number
  /** Slots for each value of a hash's first word: less than one. */
  readonly #slotsOfHash: number
  readonly #memory: SharedArrayBuffer
  readonly #hashKey: HashKey
  readonly #hash: KeyHash
  #size = 0

  constructor(state: OffsetMapState) {
    this.#memory = state.memory
    this.#words = new Int32Array(state.memory)
    this.#slots = this.#words.length / WORDS_PER_SLOT
    this.#slotsOfHash = this.#slots / TWO_32
    this.#hashKey = state.hashKey
    this.#hash = new KeyHash(state.hashKey)
    this.latestOffset = state.latestOffset
    assert(Number.isInteger(this.#slots) && this.#slots > 1, 'a map has whole slots')
  }

  /** Keys that were put by this object. */
  get size(): number {
    return this.#size
  }

  /** Keys that may be put before the map is full at `loadFactor`. */
  capacity(loadFactor: number): number {
    // One slot stays empty, where a search for an absent key ends.
    return Math.max(1, Math.min(this.#slots - 1, Math.floor(this.#slots * loadFactor)))
  }

  /** The map for another thread. */
  state(): OffsetMapState {
    return { memory: this.#memory, hashKey: this.#hashKey, latestOffset: this.latestOffset }
  }

  // hot
  /** Remembers that the key at `at` was last seen at `offset`. */
  put(bytes: Uint8Array, at: number, length: number, offset: number): void {
    const slot = this.#find(bytes, at, length)
    const words = this.#words
    if ((words[slot + 4] as number) === 0 && (words[slot + 5] as number) === 0) {
      this.#size++
      words.set(this.#hash.words, slot)
    }
    const high = Math.floor((offset + 1) / TWO_32)
    words[slot + 4] = high
    words[slot + 5] = offset + 1 - high * TWO_32
    this.latestOffset = offset
  }

  // hot
  /** The last offset of the key at `at`, or -1: it is not in the map. */
  get(bytes: Uint8Array, at: number, length: number): number {
    return this.#offsetAt(this.#find(bytes, at, length))
  }

  /** Shows the last offset of each key, in no order. */
  each(visit: (offset: number) => void): void {
    for (let slot = 0; slot < this.#words.length; slot += WORDS_PER_SLOT) {
      const offset = this.#offsetAt(slot)
      if (offset >= 0) visit(offset)
    }
  }

  // hot
  /** The offset in `slot`, or -1: it is empty. */
  #offsetAt(slot: number): number {
    const words = this.#words
    return (words[slot + 4] as number) * TWO_32 + ((words[slot + 5] as number) >>> 0) - 1
  }

  // hot
  /** Index of the first word of the key's slot, or of the empty one where it belongs. */
  #find(bytes: Uint8Array, at: number, length: number): number {
    this.#hash.hash(bytes, at, length)
    const { words: hash } = this.#hash
    const words = this.#words
    const [hash0, hash1, hash2, hash3] = [hash[0], hash[1], hash[2], hash[3]]
    // A product is much cheaper than the remainder of a division.
    let slot = Math.floor(((hash0 as number) >>> 0) * this.#slotsOfHash)
    for (;;) {
      const w = slot * WORDS_PER_SLOT
      if ((words[w + 4] as number) === 0 && (words[w + 5] as number) === 0) return w
      if (
        words[w] === hash0 &&
        words[w + 1] === hash1 &&
        words[w + 2] === hash2 &&
        words[w + 3] === hash3
      ) {
        return w
      }
      slot++
      if (slot === this.#slots) slot = 0
    }
  }
}

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
/** A map begins small: one that fits the caches of the processor is twice as fast. */
const SLOTS_AT_FIRST = 4096
/** The last step takes all memory that is left: the map before has one part in so many of it. */
const LAST_STEP = 8

/** A map as it crosses threads. */
export interface OffsetMapState {
  readonly memory: SharedArrayBuffer
  readonly hashKey: HashKey
  /** Every record from the first dirty offset up to this one is in the map; -1: none. */
  readonly latestOffset: number
}

/** How large a map may become. */
export interface OffsetMapRoom {
  /** Keys that may come at most. */
  readonly keysMax: number
  /** Memory, also while it grows. */
  readonly bytesMax: number
  /** Share of the slots that may be taken, 0 to 1. */
  readonly loadFactor: number
}

/** Of a map that is only looked at. */
const NO_ROOM: OffsetMapRoom = { keysMax: 0, bytesMax: 0, loadFactor: 0 }

export class OffsetMap {
  /** See `OffsetMapState`. */
  latestOffset: number
  readonly #hashKey: HashKey
  readonly #hash: KeyHash
  readonly #room: OffsetMapRoom
  #memory: SharedArrayBuffer
  #words: Int32Array
  #slots: number
  /** Slots for each value of a hash's first word: less than one. */
  #slotsOfHash: number
  #size = 0
  /** With so many keys it grows, or is full. */
  #sizeMax = 0

  /** `room`: for one that is to be filled. */
  constructor(state: OffsetMapState, room: OffsetMapRoom = NO_ROOM) {
    this.#memory = state.memory
    this.#words = new Int32Array(state.memory)
    this.#slots = this.#words.length / WORDS_PER_SLOT
    this.#slotsOfHash = this.#slots / TWO_32
    this.#hashKey = state.hashKey
    this.#hash = new KeyHash(state.hashKey)
    this.latestOffset = state.latestOffset
    assert(Number.isInteger(this.#slots) && this.#slots > 1, 'a map has whole slots')
    this.#room = room
    this.#sizeMax = this.#capacity()
  }

  /** An empty map. */
  static within(room: OffsetMapRoom, hashKey: HashKey): OffsetMap {
    const memory = new SharedArrayBuffer(firstSlots(room) * OFFSET_MAP_SLOT_BYTES)
    return new OffsetMap({ memory, hashKey, latestOffset: -1 }, room)
  }

  /** Keys that were put by this object. */
  get size(): number {
    return this.#size
  }

  /** There is no room for another key. */
  get isFull(): boolean {
    return this.#size >= this.#sizeMax
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
    const isNew = isEmpty(words, slot)
    if (isNew) words.set(this.#hash.words, slot)
    const high = Math.floor((offset + 1) / TWO_32)
    words[slot + 4] = high
    words[slot + 5] = offset + 1 - high * TWO_32
    this.latestOffset = offset
    if (isNew && ++this.#size === this.#sizeMax) this.#grow()
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

  /** Takes more memory, if it may. */
  #grow(): void {
    const slots = nextSlots(this.#slots, this.#room)
    if (slots === this.#slots) return
    const before = this.#words
    this.#memory = new SharedArrayBuffer(slots * OFFSET_MAP_SLOT_BYTES)
    this.#words = new Int32Array(this.#memory)
    this.#slots = slots
    this.#slotsOfHash = slots / TWO_32
    this.#sizeMax = this.#capacity()
    for (let from = 0; from < before.length; from += WORDS_PER_SLOT) {
      if (isEmpty(before, from)) continue
      let slot = this.#home(before[from] as number)
      while (!isEmpty(this.#words, slot * WORDS_PER_SLOT)) slot = this.#after(slot)
      for (let i = 0; i < WORDS_PER_SLOT; i++) {
        this.#words[slot * WORDS_PER_SLOT + i] = before[from + i] as number
      }
    }
  }

  /** Keys that may be put before it grows or is full. */
  #capacity(): number {
    const isLast = nextSlots(this.#slots, this.#room) === this.#slots
    const { loadFactor } = this.#room
    const load = Math.max(isLast ? loadFactor : Math.min(loadFactor, LOAD_WANTED), LOAD_MIN)
    // One slot stays empty, where a search for an absent key ends.
    return Math.max(1, Math.min(this.#slots - 1, Math.floor(this.#slots * load)))
  }

  // hot
  /** Where a search for a hash begins. A product is much cheaper than the rest of a division. */
  #home(firstWord: number): number {
    return Math.floor((firstWord >>> 0) * this.#slotsOfHash)
  }

  // hot
  #after(slot: number): number {
    return slot + 1 === this.#slots ? 0 : slot + 1
  }

  // hot
  /** Index of the first word of the key's slot, or of the empty one where it belongs. */
  #find(bytes: Uint8Array, at: number, length: number): number {
    this.#hash.hash(bytes, at, length)
    const { words: hash } = this.#hash
    const words = this.#words
    const [hash0, hash1, hash2, hash3] = [hash[0], hash[1], hash[2], hash[3]]
    let slot = this.#home(hash0 as number)
    for (;;) {
      const w = slot * WORDS_PER_SLOT
      if (isEmpty(words, w)) return w
      if (
        words[w] === hash0 &&
        words[w + 1] === hash1 &&
        words[w + 2] === hash2 &&
        words[w + 3] === hash3
      ) {
        return w
      }
      slot = this.#after(slot)
    }
  }
}

// hot
/** Whether the slot whose first word is at `at` has no key. */
function isEmpty(words: Int32Array, at: number): boolean {
  return words[at + 4] === 0 && words[at + 5] === 0
}

/** Slots that a new map has. */
function firstSlots(room: OffsetMapRoom): number {
  const memory = slotsOf(room)
  return Math.min(slotsWanted(room), memory <= SLOTS_AT_FIRST * LAST_STEP ? memory : SLOTS_AT_FIRST)
}

/** What a map of `slots` grows to; both have to fit beside each other. */
function nextSlots(slots: number, room: OffsetMapRoom): number {
  const [memory, wanted] = [slotsOf(room), slotsWanted(room)]
  if (slots >= wanted || slots * LAST_STEP > memory) return slots
  return Math.min(wanted, slots * 2 * LAST_STEP <= memory ? slots * 2 : memory - slots)
}

function slotsOf({ bytesMax }: OffsetMapRoom): number {
  return Math.max(2, Math.floor(bytesMax / OFFSET_MAP_SLOT_BYTES))
}

function slotsWanted({ keysMax, loadFactor }: OffsetMapRoom): number {
  const load = Math.min(Math.max(loadFactor, LOAD_MIN), LOAD_WANTED)
  return Math.max(2, Math.ceil((keysMax + 1) / load))
}

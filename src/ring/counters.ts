/**
 * 64-bit counters that one thread writes and every thread reads.
 *
 *   block of thread 0, then of thread 1, …: multiples of 128 bytes, so that a line has one writer
 *     counter 0                              counter 1
 *     ┌──────────┬─────────┬─────────┬──────┬──────────┬──
 *     │ turn i32 │ low u32 │ high i32│  -   │ turn i32 │ …      16 bytes each, as the names stand
 *     └──────────┴─────────┴─────────┴──────┴──────────┴──
 *
 * Why two halves and not a BigInt64Array or a double: Atomics on a BigInt64Array makes a BigInt per
 * access, and a plain 64-bit double may tear by the language's memory model. As there is one
 * writer, a sequence lock around `high` suffices:
 *   writer, high as before:  low = l                        (one Atomics.store: nearly always)
 *   writer, high changes:    turn + 1 (odd), high = h, low = l, turn + 1 (even)
 *   reader:                  t1 = turn, high, low, t2 = turn; again while t1 is odd or t1 !== t2
 * All are Atomics, so they have one total order. When t1 === t2 is even, no change of `high` began
 * and ended between: either turn would differ, or be odd. So `high` was constant from before t1
 * until after t2, and every `low` stored meanwhile belongs to it: the pair is a value that the
 * counter had. (A turn comes round after 2^31 changes of `high`; no read lasts that long.)
 * A counter that only grows is read as growing, since the stores are in order. Two counters are two
 * reads: whoever needs them in order reads first the one that is written last.
 * Source: the sequence lock of Lameter, "Effective Synchronization on Linux/NUMA Systems", 2005.
 */
import { assert } from '../base/assert.ts'
import { LINE_BYTES } from './layout.ts'

/** Bytes and 32-bit words of one counter. */
export const COUNTER_BYTES = 16
export const COUNTER_WORDS = COUNTER_BYTES / 4

const LOW = 1
const HIGH = 2
const TWO_32 = 0x1_0000_0000

// A writer that is not dead leaves the odd turn within a few instructions.
const SPINS_MAX = 100_000_000

/** Bytes of the memory that `count` counters of one writer take: whole lines. */
export function counterBlockBytes(count: number): number {
  return Math.ceil((count * COUNTER_BYTES) / LINE_BYTES) * LINE_BYTES
}

/** New memory for counters with these names on `threads` threads, all zero. */
export function allocateCounters(names: readonly string[], threads: number): SharedArrayBuffer {
  return new SharedArrayBuffer(counterBlockBytes(names.length) * threads)
}

/** Stores a safe integer into the counter at word `at`. Only the counter's one writer may call it.
 *  hot */
export function storeCounter(words: Int32Array, at: number, value: number): void {
  const low = value >>> 0
  const high = (value - low) / TWO_32
  // Plain loads: nobody else writes these.
  if (words[at + HIGH] === high) {
    Atomics.store(words, at + LOW, low)
    return
  }
  assert(Number.isSafeInteger(value), 'a counter is a safe integer')
  // An odd turn was left by a writer that died inside; its successor goes on from there.
  const turn = (words[at] as number) | 1
  Atomics.store(words, at, turn)
  Atomics.store(words, at + HIGH, high)
  Atomics.store(words, at + LOW, low)
  Atomics.store(words, at, (turn + 1) | 0)
}

/** The value of the counter at word `at`. Any thread. hot */
export function loadCounter(words: Int32Array, at: number): number {
  for (let spins = 0; spins < SPINS_MAX; spins++) {
    const turn = Atomics.load(words, at)
    const high = Atomics.load(words, at + HIGH)
    const low = Atomics.load(words, at + LOW)
    if ((turn & 1) === 0 && Atomics.load(words, at) === turn) return high * TWO_32 + (low >>> 0)
  }
  assert(false, 'a counter does not stay in the middle of a change')
}

/** The counters that one thread writes; the index of a counter is that of its name. Made on that
 *  thread. */
export class CounterWriter {
  readonly #words: Int32Array
  // What the shared counters hold, so that adding reads no shared memory.
  readonly #values: Float64Array

  /** `names` and `memory` as given to allocateCounters. Goes on from what a predecessor left. */
  constructor(memory: SharedArrayBuffer, names: readonly string[], thread: number) {
    const bytes = counterBlockBytes(names.length)
    assert((thread + 1) * bytes <= memory.byteLength, 'the memory has a block for this thread')
    this.#words = new Int32Array(memory, thread * bytes, bytes / 4)
    this.#values = new Float64Array(names.length)
    for (let index = 0; index < names.length; index++) {
      this.#values[index] = adopt(this.#words, index * COUNTER_WORDS)
    }
  }

  /** Adds `amount` to the counter. hot */
  add(index: number, amount: number): void {
    this.set(index, (this.#values[index] as number) + amount)
  }

  /** Sets the counter. hot */
  set(index: number, value: number): void {
    assert(index < this.#values.length, 'a counter has a name')
    this.#values[index] = value
    storeCounter(this.#words, index * COUNTER_WORDS, value)
  }

  /** The value that this thread stored last. */
  get(index: number): number {
    const value = this.#values[index]
    assert(value !== undefined, 'a counter has a name')
    return value
  }
}

/** Reads the counters of all threads, from any thread. */
export class CounterReader {
  readonly threads: number
  readonly #names: readonly string[]
  readonly #words: Int32Array
  readonly #blockWords: number

  /** `names` and `memory` as given to allocateCounters. */
  constructor(memory: SharedArrayBuffer, names: readonly string[]) {
    this.#names = names
    this.#words = new Int32Array(memory)
    this.#blockWords = counterBlockBytes(names.length) / 4
    this.threads = this.#words.length / this.#blockWords
  }

  /** The counter `index` of `thread`. */
  get(thread: number, index: number): number {
    assert(thread < this.threads, 'a thread has a block')
    assert(index < this.#names.length, 'a counter has a name')
    return loadCounter(this.#words, thread * this.#blockWords + index * COUNTER_WORDS)
  }

  /** The sum of the counter `index` over all threads. */
  sum(index: number): number {
    let sum = 0
    for (let thread = 0; thread < this.threads; thread++) sum += this.get(thread, index)
    return sum
  }

  /** All counters of `thread` by name. */
  all(thread: number): Record<string, number> {
    return Object.fromEntries(this.#names.map((name, index) => [name, this.get(thread, index)]))
  }
}

// The value that a dead writer left. In the middle of a change it is taken as it stands, and the
// turn is made even, so that readers go on.
function adopt(words: Int32Array, at: number): number {
  const turn = Atomics.load(words, at)
  if ((turn & 1) === 1) Atomics.store(words, at, (turn + 1) | 0)
  return loadCounter(words, at)
}

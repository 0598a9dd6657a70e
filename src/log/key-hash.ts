/**
 * Hashes of record keys for the offset map. Keys are told apart by their hash alone, so it has to
 * be long and secretly keyed: a client that could make two keys collide could have another's record
 * compacted away. HalfSipHash-2-4 (Aumasson, Bernstein), squeezed for 128 bits instead of 64.
 */

/** Two random words of 32 bits. */
export type HashKey = readonly [number, number]

const WORDS = 4

/** Hashes into its own fields: nothing is allocated per key. */
export class KeyHash {
  /** The hash of the last key, four words. */
  readonly words = new Int32Array(WORDS)
  readonly #key0: number
  readonly #key1: number

  constructor([key0, key1]: HashKey) {
    this.#key0 = key0 | 0
    this.#key1 = key1 | 0
  }

  // hot
  /** Hashes `length` bytes at `at`. The rounds as a function would make it a sixth slower. */
  hash(bytes: Uint8Array, at: number, length: number): void {
    // Without `| 0` the compiler does not see an integer, and the whole takes twice as long.
    let v0 = this.#key0 | 0
    let v1 = this.#key1 ^ 0xee
    let v2 = 0x6c796765 ^ this.#key0
    let v3 = 0x74656462 ^ this.#key1
    // Words of the key go in, then those of the hash come out.
    const lastIn = length >>> 2
    for (let step = 0; step <= lastIn + WORDS; step++) {
      const isIn = step <= lastIn
      let word = 0
      if (step < lastIn) word = wordAt(bytes, at + step * 4)
      else if (isIn) word = lastWord(bytes, at + step * 4, length)
      v3 ^= word
      const rounds = isIn ? 2 : 4
      for (let round = 0; round < rounds; round++) {
        v0 = (v0 + v1) | 0
        v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
        v0 = (v0 << 16) | (v0 >>> 16)
        v2 = (v2 + v3) | 0
        v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
        v0 = (v0 + v3) | 0
        v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
        v2 = (v2 + v1) | 0
        v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
        v2 = (v2 << 16) | (v2 >>> 16)
      }
      v0 ^= word
      if (step === lastIn) v2 ^= 0xee
      if (isIn) continue
      this.words[step - lastIn - 1] = v1 ^ v3
      v1 ^= 0xdd
    }
  }
}

// hot
/** The word at `at`, little endian. */
function wordAt(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8)
  return low | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)
}

// hot
/** What is left behind the whole words of a key of `length` bytes, and its length. */
function lastWord(bytes: Uint8Array, at: number, length: number): number {
  const left = length & 3
  let word = length << 24
  if (left > 0) word |= bytes[at] as number
  if (left > 1) word |= (bytes[at + 1] as number) << 8
  if (left > 2) word |= (bytes[at + 2] as number) << 16
  return word
}

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
  /** Hashes `length` bytes at `at`. */
  hash(bytes: Uint8Array, at: number, length: number): void {
    let v0 = this.#key0
    let v1 = this.#key1 ^ 0xee
    let v2 = 0x6c796765 ^ this.#key0
    let v3 = 0x74656462 ^ this.#key1
    const blocks = (length >>> 2) + 1
    for (let step = 0; step < blocks + WORDS; step++) {
      const absorbs = step < blocks
      const word = absorbs ? wordAt(bytes, at, length, step) : 0
      if (absorbs) v3 ^= word
      else if (step === blocks) v2 ^= 0xee
      else v1 ^= 0xdd
      for (let round = absorbs ? 2 : 4; round > 0; round--) {
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
      if (absorbs) v0 ^= word
      else this.words[step - blocks] = v1 ^ v3
    }
  }
}

// hot
/** Word `index` of the key, little endian; the last holds what is left and the length. */
function wordAt(bytes: Uint8Array, at: number, length: number, index: number): number {
  const from = at + index * 4
  const left = at + length - from
  const b0 = left > 0 ? (bytes[from] as number) : 0
  const b1 = left > 1 ? (bytes[from + 1] as number) : 0
  const b2 = left > 2 ? (bytes[from + 2] as number) : 0
  const b3 = left > 3 ? (bytes[from + 3] as number) : length & 0xff
  return b0 | (b1 << 8) | (b2 << 16) | (b3 << 24)
}

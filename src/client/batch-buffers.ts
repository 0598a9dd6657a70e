/** Memory for batches that grow: buffers in powers of two, kept for the next batch. */
import { assert } from '../base/assert.ts'

const SIZE_BITS_MIN = 10
const SIZE_BITS_MAX = 21

/** Lives with one producer. */
export class BatchBuffers {
  readonly #idle: Buffer[][] = Array.from({ length: SIZE_BITS_MAX + 1 }, () => [])
  readonly #idleBytesMax: number
  #idleBytes = 0

  /** `idleBytesMax`: more than this is not kept. */
  constructor(idleBytesMax: number) {
    this.#idleBytesMax = idleBytesMax
  }

  /** At least `bytesMin` bytes of arbitrary content. */
  take(bytesMin: number): Buffer {
    const bits = bitsOf(bytesMin)
    const buffer = this.#idle[bits]?.pop()
    if (buffer === undefined) return Buffer.allocUnsafeSlow(2 ** bits)
    this.#idleBytes -= buffer.length
    return buffer
  }

  /** Gives a buffer back that nobody reads any more. */
  release(buffer: Buffer): void {
    const bits = bitsOf(buffer.length)
    assert(buffer.length === 2 ** bits, 'only what was taken comes back')
    if (bits > SIZE_BITS_MAX || this.#idleBytes + buffer.length > this.#idleBytesMax) return
    this.#idleBytes += buffer.length
    this.#idle[bits]?.push(buffer)
  }
}

function bitsOf(bytes: number): number {
  // The shifts below know no number under zero.
  if (bytes <= 1) return SIZE_BITS_MIN
  return Math.max(SIZE_BITS_MIN, 32 - Math.clz32(bytes - 1))
}

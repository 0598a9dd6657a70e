/**
 * Cuts what arrives into frames. Small frames lie in a scratch buffer that all reads share; a
 * frame that is not complete there gets memory of its own, into which the rest is read directly.
 */
import { readInt32 } from '../base/bytes.ts'
import { copyBytes } from '../base/copy.ts'

const SIZE_BYTES = 4
const SCRATCH_BYTES = 64 * 1024

/**
 * A frame without its size: [from, to) of `bytes`. `owned`: the bytes are the receiver's to keep;
 * otherwise they are gone when the call returns.
 */
export type OnFrame = (bytes: Buffer, from: number, to: number, owned: boolean) => void

/** Lives with one connection. Between calls: either a frame of its own is being filled, or the
 *  scratch buffer holds less than a size. */
export class FrameReader {
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)
  readonly #frameBytesMax: number
  readonly #onFrame: OnFrame
  #frame: Buffer | undefined
  /** Bytes of the own frame, or of the scratch, that are there. */
  #filled = 0

  constructor(frameBytesMax: number, onFrame: OnFrame) {
    this.#frameBytesMax = frameBytesMax
    this.#onFrame = onFrame
  }

  /** Where the next read goes. */
  target(): Buffer {
    const to = this.#frame ?? this.#scratch
    return this.#filled === 0 ? to : to.subarray(this.#filled)
  }

  /** Takes note of `n` bytes that were read into the target. Throws RangeError for a frame that is
   *  too large. */
  received(n: number): void {
    this.#filled += n
    if (this.#frame === undefined) {
      this.#cut()
    } else if (this.#filled === this.#frame.length) {
      const frame = this.#frame
      this.#frame = undefined
      this.#filled = 0
      this.#onFrame(frame, 0, frame.length, true)
    }
  }

  /** Copies bytes that lie elsewhere. Throws RangeError. */
  push(bytes: Buffer): void {
    let at = 0
    while (at < bytes.length) {
      const target = this.target()
      const n = Math.min(target.length, bytes.length - at)
      copyBytes(bytes.subarray(at, at + n), target, 0)
      this.received(n)
      at += n
    }
  }

  /** Hands over all whole frames of the scratch, and moves what is left to where it goes on. */
  #cut(): void {
    const scratch = this.#scratch
    const end = this.#filled
    let at = 0
    while (end - at >= SIZE_BYTES) {
      const size = readInt32(scratch, at)
      if (size < SIZE_BYTES || size > this.#frameBytesMax) {
        throw new RangeError(`a frame of ${size} bytes`)
      }
      const from = at + SIZE_BYTES
      if (end - from < size) {
        this.#begin(size, from, end)
        return
      }
      at = from + size
      this.#onFrame(scratch, from, at, false)
    }
    if (at > 0) scratch.copyWithin(0, at, end)
    this.#filled = end - at
  }

  #begin(size: number, from: number, end: number): void {
    const frame = Buffer.allocUnsafeSlow(size)
    this.#scratch.copy(frame, 0, from, end)
    this.#frame = frame
    this.#filled = end - from
  }
}

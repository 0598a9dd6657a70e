/**
 * The two ends of a ring (drawing and memory order: layout.ts). Neither end ever waits.
 */
import { assert } from '../base/assert.ts'
import { copyBytes } from '../base/copy.ts'
import {
  capacityOf,
  FRAME_ALIGN,
  FRAME_SHARE,
  FRAMES_AT,
  frameBytes,
  HEAD_AT,
  HEADER_BYTES,
  STARVED_AT,
  TAIL_AT,
  TYPE_PADDING,
} from './layout.ts'

const TAIL = TAIL_AT / 4
const STARVED = STARVED_AT / 4
const HEAD = HEAD_AT / 4

// Below this a loop beats the call into TypedArray.prototype.set.
const LOOP_COPY_MAX = 32

/** What a reader calls for each frame. `bytes` is the memory of all frames; the payload stands at
 *  `at`, `length` bytes long, and is valid only during the call. */
export type FrameHandler = (
  type: number,
  flags: number,
  actor: number,
  correlation: number,
  bytes: Buffer,
  at: number,
  length: number,
) => void

/** The producer's end. Lives on one thread; the only writer of tail, starved and frames.
 *  Between calls: head <= published tail <= claimed tail <= head + capacity. */
export class RingWriter {
  readonly capacity: number
  /** The memory of all frames: a claimed payload is written here. */
  readonly bytes: Buffer
  /** The largest payload in bytes that a frame may have. */
  readonly payloadBytesMax: number
  readonly #positions: Int32Array
  readonly #words: Uint32Array
  #tail: number
  // A head that was true once: the real one can only have moved on, so it errs to the safe side.
  #headSeen: number

  constructor(memory: SharedArrayBuffer) {
    this.capacity = capacityOf(memory)
    this.bytes = Buffer.from(memory, FRAMES_AT, this.capacity)
    this.payloadBytesMax = this.capacity / FRAME_SHARE - HEADER_BYTES
    this.#positions = new Int32Array(memory, 0, FRAMES_AT / 4)
    this.#words = new Uint32Array(memory, FRAMES_AT, this.capacity / 4)
    this.#tail = Atomics.load(this.#positions, TAIL)
    this.#headSeen = Atomics.load(this.#positions, HEAD)
  }

  /** Bytes free now, as far as the consumer has told. */
  free(): number {
    this.#headSeen = Atomics.load(this.#positions, HEAD)
    return this.capacity - ((this.#tail - this.#headSeen) | 0)
  }

  /** Whether a frame with `length` bytes of payload has room and leaves `mustLeaveFree` bytes.
   *  hot */
  hasRoom(length: number, mustLeaveFree: number): boolean {
    const needed = this.#gap(length) + frameBytes(length) + mustLeaveFree
    if (this.capacity - ((this.#tail - this.#headSeen) | 0) >= needed) return true
    return this.free() >= needed
  }

  /** Writes and publishes a frame with the first `length` bytes of `payload`; false when it has no
   *  room or would leave fewer than `mustLeaveFree` bytes. hot */
  tryWrite(
    type: number,
    flags: number,
    actor: number,
    correlation: number,
    payload: Uint8Array,
    length: number,
    mustLeaveFree: number,
  ): boolean {
    const at = this.tryClaim(type, flags, actor, correlation, length, mustLeaveFree)
    if (at < 0) return false
    if (length <= LOOP_COPY_MAX) {
      for (let i = 0; i < length; i++) this.bytes[at + i] = payload[i] as number
    } else {
      copyBytes(length === payload.length ? payload : payload.subarray(0, length), this.bytes, at)
    }
    this.publish()
    return true
  }

  /** Claims a frame: answers where in `bytes` its payload is to be written, -1 when there is no
   *  room. The consumer sees all claimed frames at the next publish(). hot */
  tryClaim(
    type: number,
    flags: number,
    actor: number,
    correlation: number,
    length: number,
    mustLeaveFree: number,
  ): number {
    assert(type !== TYPE_PADDING, 'type 0 is the padding frame')
    assert(length <= this.payloadBytesMax, 'a frame takes at most an eighth of the ring')
    if (!this.hasRoom(length, mustLeaveFree)) return -1
    const gap = this.#gap(length)
    if (gap > 0) {
      const word = (this.#tail & (this.capacity - 1)) >>> 2
      this.#words[word] = gap
      this.#words[word + 1] = TYPE_PADDING
      this.#tail = (this.#tail + gap) | 0
    }
    const position = this.#tail & (this.capacity - 1)
    const word = position >>> 2
    this.#words[word] = HEADER_BYTES + length
    this.#words[word + 1] = (flags << 16) | type
    this.#words[word + 2] = actor
    this.#words[word + 3] = correlation
    this.#tail = (this.#tail + frameBytes(length)) | 0
    return position + HEADER_BYTES
  }

  /** Shows the consumer everything claimed so far. hot */
  publish(): void {
    Atomics.store(this.#positions, TAIL, this.#tail)
  }

  /** Says whether the producer waits for room: the consumer then rings when it has made some. */
  setStarved(starved: boolean): void {
    Atomics.store(this.#positions, STARVED, starved ? 1 : 0)
  }

  // Bytes to the end of the memory that a frame of this length must skip, 0 when it fits before it.
  #gap(length: number): number {
    const left = this.capacity - (this.#tail & (this.capacity - 1))
    return frameBytes(length) > left ? left : 0
  }
}

/** The consumer's end. Lives on one thread; the only writer of head. */
export class RingReader {
  readonly capacity: number
  readonly #bytes: Buffer
  readonly #positions: Int32Array
  readonly #words: Uint32Array
  #head: number
  #open = true
  #polling = false

  constructor(memory: SharedArrayBuffer) {
    this.capacity = capacityOf(memory)
    this.#bytes = Buffer.from(memory, FRAMES_AT, this.capacity)
    this.#positions = new Int32Array(memory, 0, FRAMES_AT / 4)
    this.#words = new Uint32Array(memory, FRAMES_AT, this.capacity / 4)
    this.#head = Atomics.load(this.#positions, HEAD)
  }

  /** Whether nothing is published beyond what was read. */
  isEmpty(): boolean {
    return Atomics.load(this.#positions, TAIL) === this.#head
  }

  /** Whether the producer waits for room. */
  isProducerStarved(): boolean {
    return Atomics.load(this.#positions, STARVED) === 1
  }

  /** Hands up to `limit` frames to `handler` and then frees their room; answers how many. A frame
   *  whose handler throws counts as read. hot */
  poll(handler: FrameHandler, limit: number): number {
    const tail = Atomics.load(this.#positions, TAIL)
    if (tail === this.#head || !this.#open) return 0
    assert(!this.#polling, 'a handler does not poll its own ring')
    this.#polling = true
    try {
      return this.#drain(handler, limit, tail)
    } finally {
      this.#polling = false
      Atomics.store(this.#positions, HEAD, this.#head)
    }
  }

  /** Reads nothing more, even from inside a handler: what is still in the ring is dropped. */
  close(): void {
    this.#open = false
  }

  #drain(handler: FrameHandler, limit: number, tail: number): number {
    const words = this.#words
    const mask = this.capacity - 1
    let frames = 0
    while (this.#head !== tail && frames < limit && this.#open) {
      const position = this.#head & mask
      const word = position >>> 2
      const length = words[word] as number
      const typeAndFlags = words[word + 1] as number
      this.#head = (this.#head + ((length + FRAME_ALIGN - 1) & -FRAME_ALIGN)) | 0
      if ((typeAndFlags & 0xffff) === TYPE_PADDING) continue
      assert(position + length <= this.capacity, 'a frame does not wrap')
      assert(length >= HEADER_BYTES, 'a frame has a header')
      frames++
      handler(
        typeAndFlags & 0xffff,
        typeAndFlags >>> 16,
        words[word + 2] as number,
        words[word + 3] as number,
        this.#bytes,
        position + HEADER_BYTES,
        length - HEADER_BYTES,
      )
    }
    return frames
  }
}

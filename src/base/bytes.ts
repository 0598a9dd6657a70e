// Big-endian integers over a Buffer at a position. No bounds checks: callers have made sure.
//
// An int64 is a JS number. Two 32-bit halves are five times faster than a bigint; every offset,
// timestamp and producer id of a real cluster is below 2^53. Above that, reading rounds to the
// nearest double, so that a hostile value is wrong by a little but never a crash.

/** Long.MAX_VALUE as a number: rounds up to 2^63, and is written back as Long.MAX_VALUE. */
export const INT64_MAX: number = 2 ** 63

const WORD = 2 ** 32

// hot
/** The int16 at `at`. */
export function readInt16(b: Uint8Array, at: number): number {
  return (((b[at] as number) << 24) | ((b[at + 1] as number) << 16)) >> 16
}

// hot
/** The int32 at `at`. */
export function readInt32(b: Uint8Array, at: number): number {
  return (
    ((b[at] as number) << 24) |
    ((b[at + 1] as number) << 16) |
    ((b[at + 2] as number) << 8) |
    (b[at + 3] as number)
  )
}

// hot
/** The uint32 at `at`. */
export function readUint32(b: Uint8Array, at: number): number {
  return readInt32(b, at) >>> 0
}

// hot
/** The int64 at `at`, rounded to the nearest double beyond 2^53. */
export function readInt64(b: Uint8Array, at: number): number {
  return readInt32(b, at) * WORD + (readInt32(b, at + 4) >>> 0)
}

// hot
/** Writes the low 16 bits of `value`. */
export function writeInt16(b: Uint8Array, at: number, value: number): void {
  b[at] = value >> 8
  b[at + 1] = value
}

// hot
/** Writes the low 32 bits of `value`; serves for int32 and uint32. */
export function writeInt32(b: Uint8Array, at: number, value: number): void {
  b[at] = value >> 24
  b[at + 1] = value >> 16
  b[at + 2] = value >> 8
  b[at + 3] = value
}

// hot
/** Writes an integral number as int64; what does not fit becomes the nearest int64. */
export function writeInt64(b: Uint8Array, at: number, value: number): void {
  if (value >= INT64_MAX) {
    writeInt32(b, at, 0x7fffffff)
    writeInt32(b, at + 4, -1)
    return
  }
  if (value < -INT64_MAX) {
    writeInt32(b, at, -0x80000000)
    writeInt32(b, at + 4, 0)
    return
  }
  const high = Math.floor(value / WORD)
  writeInt32(b, at, high)
  writeInt32(b, at + 4, value - high * WORD)
}

/** The class behind Buffer: what a view of a Buffer is made with. */
const BufferView = (
  Buffer as unknown as {
    readonly [Symbol.species]: new (memory: ArrayBufferLike, at: number, length: number) => Buffer
  }
)[Symbol.species]

// hot
/** A view of `length` bytes at `at` of `memory`, within it. `subarray` asks each time for the
 *  memory of its buffer, which takes as long as the view itself. */
export function viewOf(memory: ArrayBufferLike, at: number, length: number): Buffer {
  return new BufferView(memory, at, length)
}

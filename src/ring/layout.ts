/**
 * The memory of a ring: one producer, one consumer, one SharedArrayBuffer.
 *
 *   byte 0      ┌──────────────────────────────────────────────┐
 *               │ tail     int32   written by the producer      │  line of the producer
 *               │ starved  int32   written by the producer      │
 *   byte 128    ├──────────────────────────────────────────────┤
 *               │ head     int32   written by the consumer      │  line of the consumer
 *   byte 256    ├──────────────────────────────────────────────┤
 *               │ frames, `capacity` bytes, a power of two      │  written by the producer between
 *               │                                               │  head + capacity and tail
 *               └──────────────────────────────────────────────┘
 *
 *   frame, starts on a multiple of 8:
 *     0            4          6           8           12               16
 *     ┌────────────┬──────────┬───────────┬───────────┬────────────────┬──────────┬─────────┐
 *     │ length u32 │ type u16 │ flags u16 │ actor u32 │ correlation u32│ payload  │ 0-7 pad │
 *     └────────────┴──────────┴───────────┴───────────┴────────────────┴──────────┴─────────┘
 *     length counts header and payload, not the pad. Numbers have the machine's byte order.
 *   padding frame: type 0, only `length | type | flags`; fills the end when a frame would wrap.
 *
 * Head and tail count bytes since the start, modulo 2^32: byte n stands at n & (capacity - 1),
 * and the bytes in use are (tail - head) | 0. They never exceed capacity <= 2^30 < 2^31, so the
 * difference is exact however often the counters wrapped; one int32 can be stored and loaded
 * atomically without BigInt, and full and empty are told apart without losing a slot.
 *
 * Memory order. The producer writes a frame with plain stores and then does one Atomics.store of
 * tail. The consumer does Atomics.load of tail and then reads frames with plain loads. Atomics are
 * sequentially consistent, so the load that sees the new tail synchronizes with the store, and
 * everything sequenced before the store (the frame, and whatever the frame refers to in other
 * shared memory) happens before everything after the load. The other way round: the consumer
 * finishes reading and then does Atomics.store of head; the producer overwrites a place only after
 * an Atomics.load of head that freed it. So no byte is ever accessed by both sides without such an
 * edge between, and plain accesses have no race. Source: ECMA-262, Memory Model; the shape is
 * Aeron's one-to-one ring buffer.
 */
import { assert } from '../base/assert.ts'

/** Bytes that one writer has for himself: two cache lines of 64, as processors prefetch lines in
 *  pairs. */
export const LINE_BYTES = 128

/** Byte offsets in the ring's memory. */
export const TAIL_AT = 0
export const STARVED_AT = 4
export const HEAD_AT = LINE_BYTES
export const FRAMES_AT = 2 * LINE_BYTES

/** Byte offsets in a frame. */
export const LENGTH_AT = 0
export const TYPE_AT = 4
export const FLAGS_AT = 6
export const ACTOR_AT = 8
export const CORRELATION_AT = 12
export const HEADER_BYTES = 16

/** Frames start on multiples of this. */
export const FRAME_ALIGN = 8

/** The type of the frame that fills the end of the ring; no message may have it. */
export const TYPE_PADDING = 0

/** Limits of the capacity: at least a frame of useful size (an eighth), at most what int32
 *  positions can tell apart. */
export const RING_BYTES_MIN = 1024
export const RING_BYTES_MAX = 1 << 30

/** A frame, header included, takes at most this part of the ring, so that padding wastes little. */
export const FRAME_SHARE = 8

/** Bytes that a frame with `payloadBytes` of payload takes in the ring, header and alignment
 *  included. */
export function frameBytes(payloadBytes: number): number {
  return (HEADER_BYTES + payloadBytes + FRAME_ALIGN - 1) & -FRAME_ALIGN
}

/** New memory for a ring of `capacity` bytes of frames, a power of two. All zero: an empty ring. */
export function allocateRing(capacity: number): SharedArrayBuffer {
  assertCapacity(capacity)
  return new SharedArrayBuffer(FRAMES_AT + capacity)
}

/** The capacity in bytes of a ring's memory; asserts that it is one. */
export function capacityOf(memory: SharedArrayBuffer): number {
  const capacity = memory.byteLength - FRAMES_AT
  assertCapacity(capacity)
  return capacity
}

function assertCapacity(capacity: number): void {
  assert((capacity & (capacity - 1)) === 0, 'the capacity of a ring is a power of two')
  assert(capacity >= RING_BYTES_MIN, `a ring has at least ${RING_BYTES_MIN} bytes`)
  assert(capacity <= RING_BYTES_MAX, `a ring has at most ${RING_BYTES_MAX} bytes`)
}

type Field = { readonly at: number; readonly bytes: number; readonly writer: string }

/** Asserts that fields do not overlap and that no line of the memory has two writers. */
export function assertLayout(fields: readonly Field[]): void {
  for (const [i, one] of fields.entries()) {
    assert(one.at % 4 === 0, 'a field that Atomics touches is aligned')
    for (const two of fields.slice(i + 1)) {
      assert(one.at + one.bytes <= two.at, 'fields are in order and do not overlap')
      const lastLine = Math.floor((one.at + one.bytes - 1) / LINE_BYTES)
      const apart = lastLine < Math.floor(two.at / LINE_BYTES)
      assert(one.writer === two.writer || apart, 'a line has one writer')
    }
  }
}

assertLayout([
  { at: TAIL_AT, bytes: 4, writer: 'producer' },
  { at: STARVED_AT, bytes: 4, writer: 'producer' },
  { at: HEAD_AT, bytes: 4, writer: 'consumer' },
  { at: FRAMES_AT, bytes: RING_BYTES_MIN, writer: 'producer' },
])
assertLayout([
  { at: LENGTH_AT, bytes: 4, writer: 'producer' },
  { at: TYPE_AT, bytes: FLAGS_AT + 2 - TYPE_AT, writer: 'producer' },
  { at: ACTOR_AT, bytes: 4, writer: 'producer' },
  { at: CORRELATION_AT, bytes: HEADER_BYTES - CORRELATION_AT, writer: 'producer' },
])
assert(HEADER_BYTES % FRAME_ALIGN === 0, 'payloads are aligned like frames')
assert(ACTOR_AT <= FRAME_ALIGN, 'a padding frame fits the smallest gap')

/**
 * Transaction markers: the control batches that end a transaction (EndTxnMarker). Source: KIP-98.
 */
import {
  buildBatch,
  CONTROL_BIT,
  type Crc32c,
  TRANSACTIONAL_BIT,
} from '../protocol/record-batch.ts'
import type { MarkerClaim } from './producer-state.ts'

const BATCH_OVERHEAD = 61
const LOG_OVERHEAD = 12

/** The batch of a marker; base offset and leader epoch are still to be stamped. */
export function markerBatch(marker: MarkerClaim, timestamp: number, crc32c: Crc32c): Buffer {
  const key = Buffer.alloc(4)
  key.writeInt16BE(marker.commit ? 1 : 0, 2)
  const value = Buffer.alloc(6)
  value.writeInt32BE(marker.coordinatorEpoch, 2)
  const { producerId, producerEpoch } = marker
  return buildBatch(
    {
      records: [{ key, value, timestamp }],
      attributes: TRANSACTIONAL_BIT | CONTROL_BIT,
      producerId,
      producerEpoch,
    },
    crc32c,
  )
}

/** What a marker says. */
export interface Marker {
  commit: boolean
  coordinatorEpoch: number
}

/**
 * Reads the marker in the control batch at `at`; `undefined`: a control batch of another type, or
 * one whose record is malformed. A marker's record is: lengths and deltas as varints, then a key of
 * 4 bytes (version i16, type i16: 0 ABORT, 1 COMMIT), then a value (version i16, coordinator epoch
 * i32).
 */
export function readMarker(bytes: Buffer, at: number): Marker | undefined {
  const end = at + LOG_OVERHEAD + bytes.readInt32BE(at + 8)
  // length, attributes, timestamp delta, offset delta: varints of which only the end matters.
  let position = skipVarint(bytes, at + BATCH_OVERHEAD, end) + 1
  position = skipVarint(bytes, position, end)
  position = skipVarint(bytes, position, end)
  if (position >= end || bytes[position] !== 8 || position + 5 >= end) return undefined
  const type = bytes.readInt16BE(position + 3)
  if (type !== 0 && type !== 1) return undefined
  const valueAt = skipVarint(bytes, position + 5, end)
  if (valueAt + 6 > end) return undefined
  return { commit: type === 1, coordinatorEpoch: bytes.readInt32BE(valueAt + 2) }
}

/** Position behind the varint at `at`, `end` at most. */
function skipVarint(bytes: Buffer, at: number, end: number): number {
  let position = at
  while (position < end && (bytes[position] as number) >= 0x80) position++
  return Math.min(position + 1, end)
}

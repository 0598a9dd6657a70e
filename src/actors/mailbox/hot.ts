/**
 * The hot messages of partitions: fixed fields, little endian, batches by reference. Encoded into
 * one reused buffer per thread, since the bus copies a payload at once.
 *
 *   append    slot u32 | flags u32 | buffer id u32 | from u32 | length u32 | guard u32
 *   appended  error i32 | guard u32 | base offset f64 | log append time f64 | log start f64
 *   | details (msgpackr)
 *   read      flags u32 | bytes u32 | count u32 | 0 u32, then per partition
 *             slot u32 | max bytes u32 | fetch offset f64 | leader epoch i32 | fetched epoch i32
 *   readDone  count u32 | 0 u32, then per partition
 *    error i32 | buffer id u32 | from u32 | to u32 | high watermark f64 | stable f64 | start f64
 *    diverging epoch i32 | aborted i32 (-1: null) | diverging end f64 | available f64, then aborted
 *    × (id f64 | first f64)
 */
import type { ErrorCode } from '../../protocol/errors.ts'
import {
  type AppendOrigin,
  type AppendResult,
  FROM_CLIENT,
  FROM_JOINED,
  type ReadRequest,
  type ReadResult,
} from '../partition-requests.ts'
import { pack, unpack } from './message-pack.ts'

/** Frame types of the bus. */
export const MessageType = {
  call: 1,
  append: 2,
  read: 3,
  wake: 4,
  releaseRead: 5,
} as const

/** Batches of one partition, where they lie. */
export interface BatchReference {
  bufferId: number
  from: number
  length: number
}

/** What a read asks of all partitions of one thread. */
export interface ReadOrder {
  readCommitted: boolean
  /** Tell how much there is, but read nothing. */
  measure: boolean
  /** Tell this thread when one of the partitions advances. */
  watch: boolean
  /** Bytes for all partitions together. */
  maxBytes: number
  partitions: readonly PartitionRead[]
}

/** One partition of a `ReadOrder`. */
export interface PartitionRead {
  slot: number
  maxBytes: number
  fetchOffset: number
  currentLeaderEpoch: number
  lastFetchedEpoch: number
}

const FLAG_ACKS_ALL = 1
const FLAG_EPOCH_BUMP = 2

const FLAG_COMMITTED = 1
const FLAG_MEASURE = 2
const FLAG_WATCH = 4
const READ_HEAD_BYTES = 16
const READ_BYTES = 24
const DONE_HEAD_BYTES = 8
const DONE_BYTES = 64
const ABORTED_BYTES = 16

let scratch = Buffer.allocUnsafeSlow(4096)

function room(bytes: number): Buffer {
  if (scratch.length < bytes) scratch = Buffer.allocUnsafeSlow(bytes * 2)
  return scratch
}

/**
 * An append of the batch at `batch`. The view is valid until the next encode. Coordinators append
 * on their own thread only.
 */
export function encodeAppend(
  slot: number,
  acksAll: boolean,
  batch: BatchReference,
  origin: AppendOrigin,
): Buffer {
  const bytes = room(24)
  bytes.writeUInt32LE(slot, 0)
  bytes.writeUInt32LE((acksAll ? FLAG_ACKS_ALL : 0) | (origin.epochBump ? FLAG_EPOCH_BUMP : 0), 4)
  bytes.writeUInt32LE(batch.bufferId, 8)
  bytes.writeUInt32LE(batch.from, 12)
  bytes.writeUInt32LE(batch.length, 16)
  bytes.writeUInt32LE(origin.guard, 20)
  return bytes.subarray(0, 24)
}

/** The fields of an append. */
export function decodeAppend(
  bytes: Buffer,
  at: number,
): { slot: number; acksAll: boolean; origin: AppendOrigin } & BatchReference {
  const flags = bytes.readUInt32LE(at + 4)
  const guard = bytes.readUInt32LE(at + 20)
  return {
    slot: bytes.readUInt32LE(at),
    acksAll: (flags & FLAG_ACKS_ALL) !== 0,
    origin:
      guard === 0
        ? (flags & FLAG_EPOCH_BUMP) === 0
          ? FROM_CLIENT
          : FROM_JOINED
        : { ...FROM_CLIENT, guard },
    bufferId: bytes.readUInt32LE(at + 8),
    from: bytes.readUInt32LE(at + 12),
    length: bytes.readUInt32LE(at + 16),
  }
}

/** How an append ended. */
export function encodeAppended(result: AppendResult): Buffer {
  const details =
    result.errorMessage === null && result.recordErrors === null
      ? undefined
      : pack([result.errorMessage, result.recordErrors])
  const bytes = room(32 + (details?.length ?? 0))
  bytes.writeInt32LE(result.errorCode, 0)
  bytes.writeUInt32LE(result.guard, 4)
  bytes.writeDoubleLE(result.baseOffset, 8)
  bytes.writeDoubleLE(result.logAppendTimeMs, 16)
  bytes.writeDoubleLE(result.logStartOffset, 24)
  if (details === undefined) return bytes.subarray(0, 32)
  bytes.set(details, 32)
  return bytes.subarray(0, 32 + details.length)
}

type AppendDetails = [AppendResult['errorMessage'], AppendResult['recordErrors']]

/** The reverse of `encodeAppended`. */
export function decodeAppended(bytes: Buffer, at: number, length: number): AppendResult {
  const details = length > 32 ? unpack(bytes.subarray(at + 32, at + length)) : [null, null]
  const [errorMessage, recordErrors] = details as AppendDetails
  return {
    errorCode: bytes.readInt32LE(at) as ErrorCode,
    baseOffset: bytes.readDoubleLE(at + 8),
    logAppendTimeMs: bytes.readDoubleLE(at + 16),
    logStartOffset: bytes.readDoubleLE(at + 24),
    errorMessage,
    recordErrors,
    guard: bytes.readUInt32LE(at + 4),
  }
}

/** A read of several partitions of one thread. */
export function encodeRead(order: ReadOrder): Buffer {
  const bytes = room(READ_HEAD_BYTES + order.partitions.length * READ_BYTES)
  let flags = order.readCommitted ? FLAG_COMMITTED : 0
  if (order.measure) flags |= FLAG_MEASURE
  if (order.watch) flags |= FLAG_WATCH
  bytes.writeUInt32LE(flags, 0)
  bytes.writeUInt32LE(order.maxBytes, 4)
  bytes.writeUInt32LE(order.partitions.length, 8)
  bytes.writeUInt32LE(0, 12)
  let at = READ_HEAD_BYTES
  for (const one of order.partitions) {
    bytes.writeUInt32LE(one.slot, at)
    bytes.writeUInt32LE(one.maxBytes, at + 4)
    bytes.writeDoubleLE(one.fetchOffset, at + 8)
    bytes.writeInt32LE(one.currentLeaderEpoch, at + 16)
    bytes.writeInt32LE(one.lastFetchedEpoch, at + 20)
    at += READ_BYTES
  }
  return bytes.subarray(0, at)
}

/** The reverse of `encodeRead`. */
export function decodeRead(bytes: Buffer, start: number): ReadOrder {
  const flags = bytes.readUInt32LE(start)
  const count = bytes.readUInt32LE(start + 8)
  const partitions: PartitionRead[] = []
  let at = start + READ_HEAD_BYTES
  for (let i = 0; i < count; i++) {
    partitions.push({
      slot: bytes.readUInt32LE(at),
      maxBytes: bytes.readUInt32LE(at + 4),
      fetchOffset: bytes.readDoubleLE(at + 8),
      currentLeaderEpoch: bytes.readInt32LE(at + 16),
      lastFetchedEpoch: bytes.readInt32LE(at + 20),
    })
    at += READ_BYTES
  }
  return {
    readCommitted: (flags & FLAG_COMMITTED) !== 0,
    measure: (flags & FLAG_MEASURE) !== 0,
    watch: (flags & FLAG_WATCH) !== 0,
    maxBytes: bytes.readUInt32LE(start + 4),
    partitions,
  }
}

/** What a read found, in the order asked. Buffers go by reference; the asker gives them back. */
export function encodeReadDone(results: readonly ReadResult[]): Buffer {
  let total = DONE_HEAD_BYTES
  for (const one of results) total += DONE_BYTES + (one.aborted?.length ?? 0) * ABORTED_BYTES
  const bytes = room(total)
  bytes.writeUInt32LE(results.length, 0)
  bytes.writeUInt32LE(0, 4)
  let at = DONE_HEAD_BYTES
  for (const one of results) {
    const buffer = one.read?.buffer
    bytes.writeInt32LE(one.errorCode, at)
    bytes.writeUInt32LE(buffer?.id ?? 0, at + 4)
    bytes.writeUInt32LE(one.read?.from ?? 0, at + 8)
    bytes.writeUInt32LE(one.read?.to ?? 0, at + 12)
    bytes.writeDoubleLE(one.highWatermark, at + 16)
    bytes.writeDoubleLE(one.lastStableOffset, at + 24)
    bytes.writeDoubleLE(one.logStartOffset, at + 32)
    bytes.writeInt32LE(one.divergingEpoch?.epoch ?? -1, at + 40)
    bytes.writeInt32LE(one.aborted?.length ?? -1, at + 44)
    bytes.writeDoubleLE(one.divergingEpoch?.endOffset ?? -1, at + 48)
    bytes.writeDoubleLE(one.availableBytes, at + 56)
    at += DONE_BYTES
    for (const aborted of one.aborted ?? []) {
      bytes.writeDoubleLE(aborted.producerId, at)
      bytes.writeDoubleLE(aborted.firstOffset, at + 8)
      at += ABORTED_BYTES
    }
  }
  return bytes.subarray(0, at)
}

/** A result as it crossed: where its bytes lie in the memory of the thread that read them. */
export type CrossedRead = Omit<ReadResult, 'read'> & { reference: BatchReference | undefined }

/** The reverse of `encodeReadDone`. */
export function decodeReadDone(bytes: Buffer, start: number): CrossedRead[] {
  const count = bytes.readUInt32LE(start)
  const results: CrossedRead[] = []
  let at = start + DONE_HEAD_BYTES
  for (let i = 0; i < count; i++) {
    const bufferId = bytes.readUInt32LE(at + 4)
    const from = bytes.readUInt32LE(at + 8)
    const divergedAt = bytes.readInt32LE(at + 40)
    const abortedCount = bytes.readInt32LE(at + 44)
    const result: CrossedRead = {
      errorCode: bytes.readInt32LE(at) as ErrorCode,
      reference:
        bufferId === 0 ? undefined : { bufferId, from, length: bytes.readUInt32LE(at + 12) - from },
      highWatermark: bytes.readDoubleLE(at + 16),
      lastStableOffset: bytes.readDoubleLE(at + 24),
      logStartOffset: bytes.readDoubleLE(at + 32),
      divergingEpoch:
        divergedAt < 0 ? undefined : { epoch: divergedAt, endOffset: bytes.readDoubleLE(at + 48) },
      aborted: abortedCount < 0 ? null : [],
      availableBytes: bytes.readDoubleLE(at + 56),
    }
    at += DONE_BYTES
    const aborted: { producerId: number; firstOffset: number }[] = []
    for (let j = 0; j < abortedCount; j++) {
      aborted.push({ producerId: bytes.readDoubleLE(at), firstOffset: bytes.readDoubleLE(at + 8) })
      at += ABORTED_BYTES
    }
    if (abortedCount >= 0) result.aborted = aborted
    results.push(result)
  }
  return results
}

/** The read of one partition out of an order. */
export function readRequestOf(
  one: PartitionRead,
  order: ReadOrder,
  maxBytes: number,
  minOneBatch: boolean,
): ReadRequest {
  return {
    fetchOffset: one.fetchOffset,
    maxBytes: Math.min(one.maxBytes, maxBytes),
    currentLeaderEpoch: one.currentLeaderEpoch,
    lastFetchedEpoch: one.lastFetchedEpoch,
    readCommitted: order.readCommitted,
    minOneBatch,
    measure: order.measure,
  }
}

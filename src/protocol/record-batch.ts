// Record batch v2 (KIP-98), the unit of Produce, Fetch and the log. A batch is never made into an
// object: its header is read in place with plain functions over (buffer, position of the batch).
//
//    0 baseOffset i64            21 attributes i16           51 producerEpoch i16
//    8 batchLength i32           23 lastOffsetDelta i32      53 baseSequence i32
//   12 partitionLeaderEpoch i32  27 baseTimestamp i64        57 recordsCount i32
//   16 magic i8                  35 maxTimestamp i64         61 records
//   17 crc u32                   43 producerId i64
//
// The CRC covers byte 21 onward, so base offset and leader epoch can be stamped without a new CRC.

import {
  readInt16,
  readInt32,
  readInt64,
  readUint32,
  writeInt16,
  writeInt32,
  writeInt64,
} from '../base/bytes.ts'
import { encodeRecords, type RecordInput } from './record-encoding.ts'
import { unzigzag } from './varint.ts'

/** Bytes of a batch before its records. */
export const RECORD_BATCH_OVERHEAD = 61
/** Bytes that batchLength does not count: base offset and batchLength itself. */
export const LOG_OVERHEAD = 12
/** The only magic that we store. */
export const MAGIC_V2 = 2

/** Where the fields of the header are. */
export const BATCH_LENGTH_AT = 8
export const PARTITION_LEADER_EPOCH_AT = 12
export const MAGIC_AT = 16
export const CRC_AT = 17
export const ATTRIBUTES_AT = 21
export const LAST_OFFSET_DELTA_AT = 23
export const BASE_TIMESTAMP_AT = 27
export const MAX_TIMESTAMP_AT = 35
export const PRODUCER_ID_AT = 43
export const PRODUCER_EPOCH_AT = 51
export const BASE_SEQUENCE_AT = 53
export const RECORDS_COUNT_AT = 57
/** The first byte that the CRC covers; it covers all to the end of the batch. */
export const CRC_FROM = ATTRIBUTES_AT

/** Bits of the attributes: the compression codec. */
export const COMPRESSION_MASK = 0x07
/** Set: timestamps are the time of the append. */
export const LOG_APPEND_TIME_BIT = 0x08
/** Set: the batch belongs to a transaction. */
export const TRANSACTIONAL_BIT = 0x10
/** Set: the records are control records, which consumers do not see. */
export const CONTROL_BIT = 0x20
/** Set: baseTimestamp is the delete horizon of tombstones and markers. KIP-534. */
export const DELETE_HORIZON_BIT = 0x40

/** Producer id of a batch without idempotence. */
export const NO_PRODUCER_ID = -1
/** Producer epoch of a batch without idempotence. */
export const NO_PRODUCER_EPOCH = -1
/** Base sequence of a batch without idempotence. */
export const NO_SEQUENCE = -1

/** The offset of the first record. */
export const baseOffset = (b: Buffer, at: number): number => readInt64(b, at)
/** Bytes behind the length field. */
export const batchLength = (b: Buffer, at: number): number => readInt32(b, at + BATCH_LENGTH_AT)
/** All bytes of the batch. */
export const batchSize = (b: Buffer, at: number): number => batchLength(b, at) + LOG_OVERHEAD
/** The epoch of the leader that appended the batch; -1 from clients. */
export const partitionLeaderEpoch = (b: Buffer, at: number): number =>
  readInt32(b, at + PARTITION_LEADER_EPOCH_AT)
/** The version of the format, at the same place in all versions. */
export const magic = (b: Buffer, at: number): number => ((b[at + MAGIC_AT] as number) << 24) >> 24
/** CRC32C, unsigned. */
export const crc = (b: Buffer, at: number): number => readUint32(b, at + CRC_AT)
/** All attribute bits. */
export const attributes = (b: Buffer, at: number): number => readInt16(b, at + ATTRIBUTES_AT)
/** Offset of the last record relative to the base; stays when compaction removes that record. */
export const lastOffsetDelta = (b: Buffer, at: number): number =>
  readInt32(b, at + LAST_OFFSET_DELTA_AT)
/** The offset of the last record. */
export const lastOffset = (b: Buffer, at: number): number =>
  baseOffset(b, at) + lastOffsetDelta(b, at)
/** Milliseconds to which the records' deltas are added, or the delete horizon. */
export const baseTimestamp = (b: Buffer, at: number): number => readInt64(b, at + BASE_TIMESTAMP_AT)
/** The largest timestamp in milliseconds, or the time of the append. */
export const maxTimestamp = (b: Buffer, at: number): number => readInt64(b, at + MAX_TIMESTAMP_AT)
/** -1: none. */
export const producerId = (b: Buffer, at: number): number => readInt64(b, at + PRODUCER_ID_AT)
/** -1: none. */
export const producerEpoch = (b: Buffer, at: number): number => readInt16(b, at + PRODUCER_EPOCH_AT)
/** -1: none. */
export const baseSequence = (b: Buffer, at: number): number => readInt32(b, at + BASE_SEQUENCE_AT)
/** How many records the batch says to have. */
export const recordsCount = (b: Buffer, at: number): number => readInt32(b, at + RECORDS_COUNT_AT)
/** Number of the compression codec. */
export const compressionOf = (b: Buffer, at: number): number => attributes(b, at) & COMPRESSION_MASK
/** Whether the timestamps are the time of the append. */
export const isLogAppendTime = (b: Buffer, at: number): boolean =>
  (attributes(b, at) & LOG_APPEND_TIME_BIT) !== 0
/** Whether the batch belongs to a transaction. */
export const isTransactional = (b: Buffer, at: number): boolean =>
  (attributes(b, at) & TRANSACTIONAL_BIT) !== 0
/** Whether the batch holds control records. */
export const isControl = (b: Buffer, at: number): boolean => (attributes(b, at) & CONTROL_BIT) !== 0
/** The sequence of the last record: sequences wrap at 2^31. -1 without idempotence. */
export const lastSequence = (b: Buffer, at: number): number => {
  const first = baseSequence(b, at)
  return first === NO_SEQUENCE ? NO_SEQUENCE : (first + lastOffsetDelta(b, at)) & 0x7fffffff
}

/** Stamps the offset of the first record; not covered by the CRC. */
export const setBaseOffset = (b: Buffer, at: number, value: number): void =>
  writeInt64(b, at, value)
/** Stamps the length; not covered by the CRC. */
export const setBatchLength = (b: Buffer, at: number, value: number): void =>
  writeInt32(b, at + BATCH_LENGTH_AT, value)
/** Stamps the leader epoch; not covered by the CRC. */
export const setPartitionLeaderEpoch = (b: Buffer, at: number, value: number): void =>
  writeInt32(b, at + PARTITION_LEADER_EPOCH_AT, value)
/** Writes the CRC. */
export const setCrc = (b: Buffer, at: number, value: number): void =>
  writeInt32(b, at + CRC_AT, value)
/** Needs a new CRC. */
export const setAttributes = (b: Buffer, at: number, value: number): void =>
  writeInt16(b, at + ATTRIBUTES_AT, value)
/** Marks a batch as one of a transaction. Needs a new CRC. */
export const setTransactional = (b: Buffer, at: number): void =>
  setAttributes(b, at, attributes(b, at) | TRANSACTIONAL_BIT)
/** Needs a new CRC. */
export const setLastOffsetDelta = (b: Buffer, at: number, value: number): void =>
  writeInt32(b, at + LAST_OFFSET_DELTA_AT, value)
/** Needs a new CRC. */
export const setBaseTimestamp = (b: Buffer, at: number, value: number): void =>
  writeInt64(b, at + BASE_TIMESTAMP_AT, value)
/** Needs a new CRC. */
export const setMaxTimestamp = (b: Buffer, at: number, value: number): void =>
  writeInt64(b, at + MAX_TIMESTAMP_AT, value)
/** Needs a new CRC. */
export const setProducerId = (b: Buffer, at: number, value: number): void =>
  writeInt64(b, at + PRODUCER_ID_AT, value)
/** Needs a new CRC. */
export const setProducerEpoch = (b: Buffer, at: number, value: number): void =>
  writeInt16(b, at + PRODUCER_EPOCH_AT, value)
/** Needs a new CRC. */
export const setBaseSequence = (b: Buffer, at: number, value: number): void =>
  writeInt32(b, at + BASE_SEQUENCE_AT, value)
/** Needs a new CRC. */
export const setRecordsCount = (b: Buffer, at: number, value: number): void =>
  writeInt32(b, at + RECORDS_COUNT_AT, value)

/** Records that are not what their batch says: the bytes lie. */
export class InvalidRecord extends Error {
  override readonly name = 'InvalidRecord'
}

/** A header of a record. */
export type RecordHeader = { readonly key: string; readonly value: Buffer | null }

const EMPTY = Buffer.alloc(0)

/** Walks an uncompressed records section: the fields are of the record that next() came to.
 *  Positions are in the buffer given to reset; a length of -1 is null. */
export class RecordCursor {
  attributes = 0
  offsetDelta = 0
  /** Milliseconds after the batch's baseTimestamp. */
  timestampDelta = 0
  keyAt = 0
  keyLength = 0
  valueAt = 0
  valueLength = 0
  headersCount = 0
  headersAt = 0
  headersEnd = 0
  /** Where the record starts, with its length, and where it ends. */
  recordAt = 0
  recordEnd = 0
  #buffer: Buffer = EMPTY
  #at = 0
  #end = 0
  #left = 0

  /** Starts before the first of `count` records between `at` and `end`. Throws InvalidRecord. */
  reset(buffer: Buffer, at: number, end: number, count: number): void {
    if (count < 0) throw new InvalidRecord(`${count} records`)
    this.#buffer = buffer
    this.#at = at
    this.#end = Math.min(end, buffer.length)
    this.#left = count
  }

  // hot
  /** Goes to the next record; false behind the last. Throws InvalidRecord, also when bytes are
   *  left over behind the last record. */
  next(): boolean {
    const sectionEnd = this.#end
    if (this.#left === 0) {
      if (this.#at !== sectionEnd) throw new InvalidRecord('bytes left over behind the records')
      return false
    }
    this.#left--
    this.recordAt = this.#at
    const length = this.#varint()
    if (length < 0 || length > sectionEnd - this.#at) {
      throw new InvalidRecord(`a record of ${length} bytes in ${sectionEnd - this.#at}`)
    }
    // Until the record is done, reading ends where it ends.
    const recordEnd = this.#at + length
    this.#end = recordEnd
    this.recordEnd = recordEnd
    this.attributes = this.#byte()
    this.timestampDelta = this.#varlong()
    this.offsetDelta = this.#varint()
    this.keyLength = this.#varint()
    this.keyAt = this.#skip(this.keyLength)
    this.valueLength = this.#varint()
    this.valueAt = this.#skip(this.valueLength)
    this.headersCount = this.#varint()
    this.headersAt = this.#at
    this.#skipHeaders(this.headersCount)
    this.headersEnd = this.#at
    if (this.#at !== recordEnd) throw new InvalidRecord('a record is longer than its fields')
    this.#end = sectionEnd
    return true
  }

  /** A view of the key, or null. */
  key(): Buffer | null {
    return this.#viewOf(this.keyAt, this.keyLength)
  }

  /** A view of the value, or null. */
  value(): Buffer | null {
    return this.#viewOf(this.valueAt, this.valueLength)
  }

  /** The headers of the present record. Allocates: not for hot paths. */
  headers(): RecordHeader[] {
    const resumeAt = this.#at
    this.#at = this.headersAt
    const headers: RecordHeader[] = []
    for (let i = 0; i < this.headersCount; i++) {
      const keyLength = this.#varint()
      const keyAt = this.#skip(keyLength)
      const valueLength = this.#varint()
      const valueAt = this.#skip(valueLength)
      const key = this.#buffer.toString('utf8', keyAt, keyAt + keyLength)
      headers.push({ key, value: this.#viewOf(valueAt, valueLength) })
    }
    this.#at = resumeAt
    return headers
  }

  #viewOf(at: number, length: number): Buffer | null {
    return length < 0 ? null : this.#buffer.subarray(at, at + length)
  }

  #skipHeaders(count: number): void {
    // Each header takes two bytes at least, so a count that lies ends early.
    if (count < 0 || count * 2 > this.#end - this.#at) throw new InvalidRecord(`${count} headers`)
    for (let i = 0; i < count; i++) {
      const keyLength = this.#varint()
      if (keyLength < 0) throw new InvalidRecord('a header without a key')
      this.#skip(keyLength)
      this.#skip(this.#varint())
    }
  }

  #skip(length: number): number {
    const at = this.#at
    if (length < -1 || length > this.#end - at) throw new InvalidRecord(`a length of ${length}`)
    if (length > 0) this.#at = at + length
    return at
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new InvalidRecord('a record ends early')
    return this.#buffer[this.#at++] as number
  }

  // Most varints are one byte. Apart from the rest, that case is small enough to be inlined.
  #varint(): number {
    const first = this.#byte()
    return first < 0x80 ? (first >>> 1) ^ -(first & 1) : this.#longVarint(first)
  }

  #longVarint(first: number): number {
    let raw = first & 0x7f
    for (let shift = 7; shift < 28; shift += 7) {
      const byte = this.#byte()
      raw |= (byte & 0x7f) << shift
      if (byte < 0x80) return (raw >>> 1) ^ -(raw & 1)
    }
    const last = this.#byte()
    if (last > 0x0f) throw new InvalidRecord('a varint has more than 32 bits')
    raw |= last << 28
    return (raw >>> 1) ^ -(raw & 1)
  }

  #varlong(): number {
    const first = this.#byte()
    return first < 0x80 ? (first >>> 1) ^ -(first & 1) : this.#longVarlong(first)
  }

  #longVarlong(first: number): number {
    let raw = first & 0x7f
    let scale = 128
    for (let i = 1; i < 10; i++) {
      const byte = this.#byte()
      raw += (byte & 0x7f) * scale
      if (byte < 0x80) return unzigzag(raw)
      scale *= 128
    }
    throw new InvalidRecord('a varlong has more than 10 bytes')
  }
}

/** A batch to build. */
export type BatchInput = {
  readonly records: readonly RecordInput[]
  readonly baseOffset?: number
  readonly partitionLeaderEpoch?: number
  /** Has to name the codec when `compress` is given. */
  readonly attributes?: number
  /** Default: the timestamp of the first record, or 0. */
  readonly baseTimestamp?: number
  /** Default: the largest timestamp of the records, or baseTimestamp. */
  readonly maxTimestamp?: number
  /** Default: the offset delta of the last record, or 0. */
  readonly lastOffsetDelta?: number
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
}

/** CRC32C of the bytes, unsigned. */
export type Crc32c = (bytes: Buffer) => number

/** A whole batch. `compress` gets the records section and answers what stands in its place. */
export function buildBatch(
  batch: BatchInput,
  crc32c: Crc32c,
  compress?: (section: Buffer) => Uint8Array,
): Buffer {
  const { records } = batch
  const baseTimestamp = batch.baseTimestamp ?? records[0]?.timestamp ?? 0
  const plain = encodeRecords(records, baseTimestamp)
  const section = compress === undefined ? plain : compress(plain)
  const size = RECORD_BATCH_OVERHEAD + section.length
  const b = Buffer.allocUnsafe(size)
  setBaseOffset(b, 0, batch.baseOffset ?? 0)
  setBatchLength(b, 0, size - LOG_OVERHEAD)
  setPartitionLeaderEpoch(b, 0, batch.partitionLeaderEpoch ?? -1)
  b[MAGIC_AT] = MAGIC_V2
  setAttributes(b, 0, batch.attributes ?? 0)
  setLastOffsetDelta(b, 0, batch.lastOffsetDelta ?? lastDeltaOf(records))
  setBaseTimestamp(b, 0, baseTimestamp)
  setMaxTimestamp(b, 0, batch.maxTimestamp ?? maxTimestampOf(records, baseTimestamp))
  setProducerId(b, 0, batch.producerId ?? NO_PRODUCER_ID)
  setProducerEpoch(b, 0, batch.producerEpoch ?? NO_PRODUCER_EPOCH)
  setBaseSequence(b, 0, batch.baseSequence ?? NO_SEQUENCE)
  setRecordsCount(b, 0, records.length)
  b.set(section, RECORD_BATCH_OVERHEAD)
  setCrc(b, 0, crc32c(b.subarray(CRC_FROM)))
  return b
}

function lastDeltaOf(records: readonly RecordInput[]): number {
  const last = records.at(-1)
  return last === undefined ? 0 : (last.offsetDelta ?? records.length - 1)
}

function maxTimestampOf(records: readonly RecordInput[], baseTimestamp: number): number {
  let max = baseTimestamp
  for (const record of records) max = Math.max(max, record.timestamp ?? baseTimestamp)
  return max
}

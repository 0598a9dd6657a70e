/**
 * A record batch as it grows: records are encoded straight into its buffer, and nothing of them is
 * kept but where their answers go.
 *
 *   ┌───────────┬────────┬────────┬───
 *   │ header 61 │ record │ record │ …     sealed: header written, records maybe compressed
 *   └───────────┴────────┴────────┴───
 */
import { assert } from '../base/assert.ts'
import { CodecId, type Codecs, type CompressedCodec } from '../protocol/compression.ts'
import {
  CRC_FROM,
  type Crc32c,
  LOG_OVERHEAD,
  MAGIC_AT,
  MAGIC_V2,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  NO_SEQUENCE,
  RECORD_BATCH_OVERHEAD,
  setAttributes,
  setBaseOffset,
  setBaseSequence,
  setBaseTimestamp,
  setBatchLength,
  setCrc,
  setLastOffsetDelta,
  setMaxTimestamp,
  setPartitionLeaderEpoch,
  setProducerEpoch,
  setProducerId,
  setRecordsCount,
  setTransactional,
} from '../protocol/record-batch.ts'
import { varintSize, writeVarint } from '../protocol/varint.ts'
import type { BatchBuffers } from './batch-buffers.ts'
import type { Delivery } from './delivery.ts'
import type { KafkaError } from './errors.ts'
import { lengthOf, type RecordBytes, sizeWithLength, writeWithLength } from './record-size.ts'

/** Headers of a record in order: name, value, name, value, … */
export type FlatHeaders = readonly RecordBytes[]

/** What a batch needs to be sealed. */
export interface SealTools {
  readonly codecs: Codecs
  readonly crc32c: Crc32c
  readonly codec: number
  readonly level: number
}

const NO_HEADERS: FlatHeaders = []

/** Belongs to one partition queue. Between calls: [0, size) of the buffer is header and records. */
export class ProducerBatch {
  /** Bytes with the header, before compression. */
  size = RECORD_BATCH_OVERHEAD
  count = 0
  /** Order within the partition; pieces of a split batch lie between whole numbers. */
  readonly ordinal: number
  /** Monotonic ms. */
  readonly createdMs: number
  /** How often it was sent. */
  attempts = 0
  baseSequence = NO_SEQUENCE
  /** Sealed: takes no more records. */
  sealed: Buffer | undefined
  /** Why it has to be sent again. */
  lastError: KafkaError | undefined
  /** Whether a try may have been written though its answer did not say so. */
  maybeWritten = false
  /** How often it was split. */
  depth = 0
  /** Who waits for the end of it besides its deliveries. */
  onDone: (() => void)[] = []
  readonly #buffers: BatchBuffers
  #buffer: Buffer
  #baseTimestamp = 0
  #maxTimestamp = 0
  // Runs of records whose answers go to the same delivery, in parallel lists.
  readonly #deliveries: (Delivery | undefined)[] = []
  readonly #runFrom: number[] = []
  readonly #runPosition: number[] = []
  readonly #runTimestamp: number[] = []

  constructor(ordinal: number, createdMs: number, bytesHint: number, buffers: BatchBuffers) {
    this.ordinal = ordinal
    this.createdMs = createdMs
    this.#buffers = buffers
    this.#buffer = buffers.take(bytesHint)
  }

  // hot
  /**
   * Adds a record, unless the batch holds some already and would grow beyond `bytesMax`. Its answer
   * goes to `delivery` under `position`. Answers how many bytes it took; 0: it did not fit.
   */
  tryAppend(
    bytesMax: number,
    timestamp: number,
    key: RecordBytes,
    value: RecordBytes,
    headers: FlatHeaders = NO_HEADERS,
    delivery?: Delivery,
    position = 0,
  ): number {
    const { count } = this
    const delta = count === 0 ? 0 : timestamp - this.#baseTimestamp
    const keyLength = lengthOf(key)
    const valueLength = lengthOf(value)
    let body = 1 + sizeWithLength(keyLength) + sizeWithLength(valueLength)
    body += delta === 0 ? 1 : varintSize(delta)
    body += count < 64 ? 1 : varintSize(count)
    body += headers.length === 0 ? 1 : sizeOfHeaders(headers)
    const total = body < 64 ? body + 1 : body + varintSize(body)
    const end = this.size + total
    if (end > bytesMax && count > 0) return 0
    if (end > this.#buffer.length) this.#grow(end)
    const b = this.#buffer
    let at = writeVarint(b, this.size, body)
    b[at++] = 0
    at = writeVarint(b, at, delta)
    at = writeVarint(b, at, count)
    at = writeWithLength(b, at, key, keyLength)
    at = writeWithLength(b, at, value, valueLength)
    if (headers.length === 0) b[at++] = 0
    else at = writeHeaders(b, at, headers)
    assert(at === end, 'a record is as long as was counted')
    if (count === 0) {
      this.#baseTimestamp = timestamp
      this.#maxTimestamp = timestamp
    } else if (timestamp > this.#maxTimestamp) {
      this.#maxTimestamp = timestamp
    }
    this.size = at
    this.count = count + 1
    this.#addRun(delivery, position, timestamp, count)
    return total
  }

  /** Closes the batch and compresses it. Idempotent. Throws CodecError. */
  seal(tools: SealTools): Buffer {
    if (this.sealed !== undefined) return this.sealed
    const plain = this.#buffer.subarray(0, this.size)
    let bytes = plain
    if (tools.codec !== CodecId.uncompressed) {
      const section = plain.subarray(RECORD_BATCH_OVERHEAD)
      const packed = tools.codecs.compress(tools.codec as CompressedCodec, section, tools.level)
      bytes = Buffer.allocUnsafe(RECORD_BATCH_OVERHEAD + packed.length)
      bytes.set(packed, RECORD_BATCH_OVERHEAD)
    }
    setBaseOffset(bytes, 0, 0)
    setBatchLength(bytes, 0, bytes.length - LOG_OVERHEAD)
    setPartitionLeaderEpoch(bytes, 0, -1)
    bytes[MAGIC_AT] = MAGIC_V2
    setAttributes(bytes, 0, tools.codec)
    setLastOffsetDelta(bytes, 0, this.count - 1)
    setBaseTimestamp(bytes, 0, this.#baseTimestamp)
    setMaxTimestamp(bytes, 0, this.#maxTimestamp)
    setRecordsCount(bytes, 0, this.count)
    this.sealed = bytes
    return bytes
  }

  /** Writes who sends the sealed batch, whether in a transaction, and its checksum. */
  stamp(
    producer: { producerId: number; producerEpoch: number } | undefined,
    inTransaction: boolean,
    crc32c: Crc32c,
  ): void {
    const bytes = this.sealed
    assert(bytes !== undefined, 'a batch is sealed before it is sent')
    if (inTransaction) setTransactional(bytes, 0)
    setProducerId(bytes, 0, producer?.producerId ?? NO_PRODUCER_ID)
    setProducerEpoch(bytes, 0, producer?.producerEpoch ?? NO_PRODUCER_EPOCH)
    setBaseSequence(bytes, 0, producer === undefined ? NO_SEQUENCE : this.baseSequence)
    setCrc(bytes, 0, crc32c(bytes.subarray(CRC_FROM)))
  }

  /** The records section before compression. */
  plainRecords(): { buffer: Buffer; at: number; end: number; baseTimestamp: number } {
    const { size: end } = this
    return {
      buffer: this.#buffer,
      at: RECORD_BATCH_OVERHEAD,
      end,
      baseTimestamp: this.#baseTimestamp,
    }
  }

  /** Calls `visit` for each run of records that somebody waits for: `count` from `index` of this
   *  batch and from `position` of the delivery on, all of one timestamp. */
  eachRun(
    visit: (
      delivery: Delivery,
      position: number,
      index: number,
      count: number,
      timestamp: number,
    ) => void,
  ): void {
    const runs = this.#deliveries.length
    for (let run = 0; run < runs; run++) {
      const delivery = this.#deliveries[run]
      if (delivery === undefined) continue
      const from = this.#runFrom[run] as number
      const to = run + 1 < runs ? (this.#runFrom[run + 1] as number) : this.count
      const position = this.#runPosition[run] as number
      visit(delivery, position, from, to - from, this.#runTimestamp[run] as number)
    }
  }

  /** Gives the memory back. `reusable`: no write to a socket can still read from it. */
  free(reusable: boolean): void {
    if (reusable) this.#buffers.release(this.#buffer)
    this.#buffer = EMPTY
    this.sealed = undefined
    for (const tell of this.onDone.splice(0)) tell()
  }

  #addRun(delivery: Delivery | undefined, position: number, timestamp: number, index: number) {
    const last = this.#deliveries.length - 1
    if (last >= 0 && this.#deliveries[last] === delivery) {
      if (delivery === undefined) return
      const ahead = index - (this.#runFrom[last] as number)
      const follows = position - (this.#runPosition[last] as number) === ahead
      if (follows && this.#runTimestamp[last] === timestamp) return
    }
    this.#deliveries.push(delivery)
    this.#runFrom.push(index)
    this.#runPosition.push(position)
    this.#runTimestamp.push(timestamp)
  }

  #grow(bytesMin: number): void {
    const larger = this.#buffers.take(Math.max(bytesMin, this.#buffer.length * 2))
    this.#buffer.copy(larger, 0, 0, this.size)
    this.#buffers.release(this.#buffer)
    this.#buffer = larger
  }
}

const EMPTY = Buffer.alloc(0)

function sizeOfHeaders(headers: FlatHeaders): number {
  let size = varintSize(headers.length / 2)
  for (const part of headers) size += sizeWithLength(lengthOf(part))
  return size
}

function writeHeaders(b: Buffer, from: number, headers: FlatHeaders): number {
  let at = writeVarint(b, from, headers.length / 2)
  for (const part of headers) at = writeWithLength(b, at, part, lengthOf(part))
  return at
}

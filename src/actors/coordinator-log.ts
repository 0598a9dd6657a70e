/** Batches of a coordinator's topic: records into a batch, and back for the replay. */

import type {
  CoordinatorRecord,
  EncodedRecord,
  TransactionProducer,
} from '../coordinator/runtime.ts'
import { readMarker } from '../log/marker.ts'
import { CodecId, type Codecs, type CompressedCodec } from '../protocol/compression.ts'
import { MalformedRequest } from '../protocol/reader.ts'
import {
  baseOffset,
  batchSize,
  buildBatch,
  type Crc32c,
  compressionOf,
  isControl,
  isTransactional,
  lastOffset,
  producerId,
  RECORD_BATCH_OVERHEAD,
  RecordCursor,
  recordsCount,
  TRANSACTIONAL_BIT,
} from '../protocol/record-batch.ts'
import {
  decodeKey,
  decodeValue,
  type RecordSchema,
  recordTypeOf,
} from '../protocol/records/record.ts'

/** Records as one batch without compression, all of one time. */
export function batchOf(
  records: readonly EncodedRecord[],
  timestamp: number,
  producer: TransactionProducer | undefined,
  crc32c: Crc32c,
): Buffer {
  const plain = { records: records.map(({ key, value }) => ({ key, value, timestamp })) }
  if (producer === undefined) return buildBatch(plain, crc32c)
  const { producerId, producerEpoch } = producer
  // Kafka's coordinators begin each batch with sequence 0, which nobody looks at.
  const header = { attributes: TRANSACTIONAL_BIT, producerId, producerEpoch, baseSequence: 0 }
  return buildBatch({ ...plain, ...header }, crc32c)
}

/** Sees what is in a log, in its order. */
export interface ReplayVisitor {
  /** `producerId`: of the transaction that the record belongs to, or -1. */
  onRecord(record: CoordinatorRecord, producerId: number): void
  onMarker(producerId: number, commit: boolean): void
  /** A record that we do not understand; it is left out. */
  onStrange(offset: number, why: string): void
}

/** What reading batches needs. */
export interface BatchReader {
  readonly codecs: Codecs
  readonly decompressedBytesMax: number
  readonly schemas: ReadonlyMap<number, RecordSchema>
}

const cursor = new RecordCursor()

/** Shows whole batches between `at` and `end` to `visitor`; answers the offset behind the last. */
export function replayBatches(
  reader: BatchReader,
  bytes: Buffer,
  at: number,
  end: number,
  visitor: ReplayVisitor,
): number {
  let next = -1
  for (let start = at; start < end; start += batchSize(bytes, start)) {
    replayBatch(reader, bytes, start, visitor)
    next = lastOffset(bytes, start) + 1
  }
  return next
}

function replayBatch(reader: BatchReader, bytes: Buffer, at: number, visitor: ReplayVisitor): void {
  const producer = producerId(bytes, at)
  if (isControl(bytes, at)) {
    const marker = recordsCount(bytes, at) > 0 ? readMarker(bytes, at) : undefined
    if (marker !== undefined) visitor.onMarker(producer, marker.commit)
    return
  }
  const owner = isTransactional(bytes, at) ? producer : -1
  const codec = compressionOf(bytes, at)
  const body = bytes.subarray(at + RECORD_BATCH_OVERHEAD, at + batchSize(bytes, at))
  const plain = codec === CodecId.uncompressed ? body : unfold(reader, codec, body)
  cursor.reset(plain, 0, plain.length, recordsCount(bytes, at))
  while (cursor.next()) {
    const offset = baseOffset(bytes, at) + cursor.offsetDelta
    try {
      const record = decodeRecord(reader.schemas, plain)
      if (record !== undefined) visitor.onRecord(record, owner)
    } catch (error) {
      if (!(error instanceof MalformedRequest)) throw error
      visitor.onStrange(offset, error.message)
    }
  }
}

function unfold(
  { codecs, decompressedBytesMax }: BatchReader,
  codec: number,
  body: Buffer,
): Buffer {
  const plain = codecs.decompress(codec as CompressedCodec, body, decompressedBytesMax)
  return Buffer.from(plain.buffer, plain.byteOffset, plain.length)
}

/** undefined: a type of record that we do not know, which a later version may have written. */
function decodeRecord(
  schemas: ReadonlyMap<number, RecordSchema>,
  plain: Buffer,
): CoordinatorRecord | undefined {
  if (cursor.keyLength < 0) throw new MalformedRequest('a record without a key')
  const keyBytes = plain.subarray(cursor.keyAt, cursor.keyAt + cursor.keyLength)
  const schema = schemas.get(recordTypeOf(keyBytes))
  if (schema === undefined) return undefined
  const key = decodeKey(schema, keyBytes)
  const { valueAt, valueLength } = cursor
  const version = schema.value.versions[1]
  if (valueLength < 0) return { schema, key, value: null, version }
  const value = decodeValue(schema, plain.subarray(valueAt, valueAt + valueLength))
  return { schema, key, value, version }
}

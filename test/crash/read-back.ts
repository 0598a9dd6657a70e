/** Reading a whole topic over the wire, as a consumer would that steps over damage. */
import { gunzipSync } from 'node:zlib'
import { Fetch } from '../../src/protocol/apis/01-fetch.ts'
import { ListOffsets } from '../../src/protocol/apis/02-list-offsets.ts'
import { ErrorCode, errorName } from '../../src/protocol/errors.ts'
import {
  compressionOf,
  producerId,
  RECORD_BATCH_OVERHEAD,
  RecordCursor,
  recordsCount,
} from '../../src/protocol/record-batch.ts'
import type { RawConnection } from '../support/raw-connection.ts'
import type { Acknowledged, RawProducer } from '../support/raw-producer.ts'
import { readValue } from '../support/raw-producer.ts'
import { batchesIn, type FoundBatch } from './segments.ts'

const EARLIEST = -2
const LATEST = -1

/** What one partition gave. */
export interface PartitionRead {
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly batches: readonly FoundBatch[]
  /** Offsets whose fetch answered CORRUPT_MESSAGE. */
  readonly corruptAt: readonly number[]
}

/** The offset that ListOffsets answers for a special timestamp. */
export async function offsetOf(
  connection: RawConnection,
  topic: string,
  partition: number,
  timestamp: typeof EARLIEST | typeof LATEST,
): Promise<number> {
  const answer = await connection.ask(ListOffsets, 7, {
    replicaId: -1,
    topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp }] }],
  })
  const found = answer.topics[0]?.partitions[0]
  if (found?.errorCode !== ErrorCode.NONE) {
    throw new Error(`ListOffsets of ${topic}-${partition}: ${errorName(found?.errorCode ?? -1)}`)
  }
  return found.offset
}

/**
 * Reads a partition from its start to its end. `nextSound`: where to go on behind an offset that
 * answers CORRUPT_MESSAGE; without it such an answer is an error.
 */
export async function readPartition(
  connection: RawConnection,
  topic: string,
  partition: number,
  nextSound?: (offset: number) => number | undefined,
): Promise<PartitionRead> {
  const logStartOffset = await offsetOf(connection, topic, partition, EARLIEST)
  const logEndOffset = await offsetOf(connection, topic, partition, LATEST)
  const batches: FoundBatch[] = []
  const corruptAt: number[] = []
  let offset = logStartOffset
  while (offset < logEndOffset) {
    const { errorCode, records } = await fetchAt(connection, topic, partition, offset)
    if (errorCode === ErrorCode.CORRUPT_MESSAGE && nextSound !== undefined) {
      corruptAt.push(offset)
      const next = nextSound(offset)
      if (next === undefined) break
      offset = next
      continue
    }
    if (errorCode !== ErrorCode.NONE) {
      throw new Error(`Fetch of ${topic}-${partition} at ${offset}: ${errorName(errorCode)}`)
    }
    const found = batchesIn(records)
    const last = found.at(-1)
    if (last === undefined) {
      throw new Error(`Fetch of ${topic}-${partition} at ${offset} of ${logEndOffset}: nothing`)
    }
    if (last.position + last.bytes.length !== records.length) {
      throw new Error(`Fetch of ${topic}-${partition} at ${offset}: bytes that are no whole batch`)
    }
    batches.push(...found)
    if (last.lastOffset < offset) throw new Error(`Fetch at ${offset} does not go on`)
    offset = last.lastOffset + 1
  }
  return { logStartOffset, logEndOffset, batches, corruptAt }
}

async function fetchAt(
  connection: RawConnection,
  topic: string,
  partition: number,
  fetchOffset: number,
): Promise<{ errorCode: number; records: Buffer }> {
  const answer = await connection.ask(Fetch, 12, {
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 1 << 20,
    isolationLevel: 0,
    topics: [{ topic, partitions: [{ partition, fetchOffset, partitionMaxBytes: 1 << 20 }] }],
  })
  const found = answer.responses[0]?.partitions[0]
  if (found === undefined) throw new Error(`Fetch error ${errorName(answer.errorCode)}`)
  return { errorCode: found.errorCode, records: found.records ?? Buffer.alloc(0) }
}

/** A record that was read. */
interface ReadRecord {
  readonly offset: number
  readonly name: string
  readonly number: number
}

/** The records of a partition in order; values are looked into. */
function recordsOf(partition: number, batches: readonly FoundBatch[]): ReadRecord[] {
  const records: ReadRecord[] = []
  const cursor = new RecordCursor()
  for (const { bytes, baseOffset } of batches) {
    const section = bytes.subarray(RECORD_BATCH_OVERHEAD)
    const plain = compressionOf(bytes, 0) === 1 ? gunzipSync(section) : section
    cursor.reset(plain, 0, plain.length, recordsCount(bytes, 0))
    while (cursor.next()) {
      const value = readValue(cursor.value() ?? Buffer.alloc(0))
      if (value.partition !== partition) throw new Error(`a record of another partition`)
      const offset = baseOffset + cursor.offsetDelta
      records.push({ offset, name: value.name, number: value.number })
    }
    if (producerId(bytes, 0) < 0) throw new Error('a batch without its producer id')
  }
  return records
}

/**
 * What is wrong with a partition that was read back whole: every acknowledged record once, at the
 * offset that was answered, in order per producer, nothing invented, offsets without gaps.
 */
export function problemsOf(
  partition: number,
  read: PartitionRead,
  producers: readonly RawProducer[],
): string[] {
  const problems: string[] = []
  const next = new Map<string, number>()
  const offsets = new Map<string, number>()
  let expected = read.logStartOffset
  for (const { offset, name, number } of recordsOf(partition, read.batches)) {
    if (offset !== expected) problems.push(`offset ${offset} instead of ${expected}`)
    expected = offset + 1
    if (number !== (next.get(name) ?? 0)) {
      problems.push(`${name}: record ${number} instead of ${next.get(name) ?? 0} at ${offset}`)
    }
    next.set(name, number + 1)
    offsets.set(`${name}/${number}`, offset)
  }
  if (expected !== read.logEndOffset) {
    problems.push(`the records end at ${expected}, the log at ${read.logEndOffset}`)
  }
  for (const producer of producers) {
    problems.push(...producer.faults)
    const made = producer.made[partition] as number
    if ((next.get(producer.name) ?? 0) > made) problems.push(`${producer.name}: invented records`)
    for (const one of producer.acknowledged) {
      if (one.partition === partition) problems.push(...missing(producer.name, one, offsets))
    }
  }
  return problems.slice(0, 10).map((problem) => `partition ${partition}: ${problem}`)
}

function missing(
  name: string,
  { baseOffset, first, count }: Acknowledged,
  offsets: ReadonlyMap<string, number>,
): string[] {
  for (let i = 0; i < count; i++) {
    const offset = offsets.get(`${name}/${first + i}`)
    if (offset === undefined) return [`${name}: acknowledged record ${first + i} is lost`]
    if (offset !== baseOffset + i) {
      return [`${name}: record ${first + i} is at ${offset}, acknowledged at ${baseOffset + i}`]
    }
  }
  return []
}

/**
 * Segment files that Apache Kafka 4.3.1 wrote (test/golden/segments) are put into the directory of
 * a partition while the broker is stopped. What it then says about them is what Kafka said.
 */
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { crc32c } from '@node-rs/crc32'
import test from 'ava'
import { createCodecs } from '../../src/codecs/codecs.ts'
import { Produce } from '../../src/protocol/apis/00-produce.ts'
import { CreateTopics } from '../../src/protocol/apis/19-create-topics.ts'
import type { CompressedCodec } from '../../src/protocol/compression.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import {
  baseTimestamp,
  buildBatch,
  compressionOf,
  isControl,
  isLogAppendTime,
  lastSequence,
  maxTimestamp,
  producerEpoch,
  producerId,
  RECORD_BATCH_OVERHEAD,
  RecordCursor,
  recordsCount,
  setBaseOffset,
} from '../../src/protocol/record-batch.ts'
import { batchesIn, type FoundBatch } from '../crash/segments.ts'
import type { WrittenRecord } from '../interop/written.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { RawConnection } from '../support/raw-connection.ts'
import { type PartitionAnswers, partitionAnswers, readFrom } from './partition-answers.ts'

interface Expected {
  readonly about: { readonly offsets: readonly number[]; readonly timestamps: readonly number[] }
  readonly answers: PartitionAnswers
  readonly committed: readonly number[]
  readonly records: readonly WrittenRecord[]
}

const TOPIC = 'foreign'
const golden = fileURLToPath(new URL('../../../test/golden/segments', import.meta.url))
const expected = JSON.parse(readFileSync(join(golden, 'expected.json'), 'utf8')) as Expected
const logBytes = Buffer.concat(
  namesIn(golden)
    .filter((name) => name.endsWith('.log'))
    .map((name) => readFileSync(join(golden, name))),
)
const codecs = createCodecs()

test('a log that Kafka wrote is served byte by byte, and answers are those of Kafka', async (t) => {
  await withForeignLog(async (connection) => {
    const { bytes } = await readFrom(connection, TOPIC, 0)
    t.true(bytes.equals(logBytes))
    const answers = await partitionAnswers(connection, TOPIC, expected.about)
    t.deepEqual(answers.fetched, expected.answers.fetched)
    t.deepEqual(answers.listed, expected.answers.listed)
    t.deepEqual(answers.producers, expected.answers.producers)
  })
})

test('every record that Kafka wrote is read, and of aborted transactions none', async (t) => {
  await withForeignLog(async (connection) => {
    const all = await readFrom(connection, TOPIC, 0)
    t.deepEqual(batchesIn(all.bytes).flatMap(recordsOf), expected.records)
    const committed = await readFrom(connection, TOPIC, 0, 1)
    const shown = committedOnly(batchesIn(committed.bytes), committed.answer.aborted)
    t.deepEqual(
      shown.flatMap(recordsOf).map(({ offset }) => offset),
      expected.committed,
    )
  })
})

test('appends go on behind what Kafka wrote, and its producers are known', async (t) => {
  await withForeignLog(async (connection) => {
    const last = batchesIn(logBytes).at(-1) as FoundBatch
    const again = Buffer.from(last.bytes)
    setBaseOffset(again, 0, 0)
    t.like(await produce(connection, again), { errorCode: 0, baseOffset: last.baseOffset })
    const follow = (baseSequence: number) =>
      buildBatch(
        {
          records: [{ value: Buffer.from('ours') }],
          baseTimestamp: Date.now(),
          producerId: producerId(again, 0),
          producerEpoch: producerEpoch(again, 0),
          baseSequence,
        },
        crc32c,
      )
    const next = lastSequence(again, 0) + 1
    const refused = await produce(connection, follow(next + 1))
    t.is(refused.errorCode, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    const end = last.lastOffset + 1
    t.like(await produce(connection, follow(next)), { errorCode: 0, baseOffset: end })
    const { answer } = await readFrom(connection, TOPIC, end)
    t.deepEqual(answer.batches, [[end, end]])
  })
})

/** A broker whose partition was given Kafka's files between two runs. */
async function withForeignLog(use: (connection: RawConnection) => Promise<void>): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'odradek-foreign-'))
  // The records are old: a producer must not be forgotten while the test looks at it.
  const settings = { dataDir, configs: { 'producer.id.expiration.ms': '2147483647' } }
  try {
    const first = await BrokerProcess.start(settings)
    await createTopic(first.port)
    await first.stop()
    for (const name of namesIn(golden)) {
      if (name !== 'expected.json')
        copyFileSync(join(golden, name), join(dataDir, `${TOPIC}-0`, name))
    }
    const second = await BrokerProcess.start(settings)
    try {
      const connection = await RawConnection.open(second.port)
      await use(connection)
      connection.close()
    } finally {
      await second.stop()
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function createTopic(port: number): Promise<void> {
  const connection = await RawConnection.open(port)
  const configs = [{ name: 'retention.ms', value: '-1' }]
  const answer = await connection.ask(CreateTopics, 5, {
    topics: [{ name: TOPIC, numPartitions: 1, replicationFactor: 1, configs }],
    timeoutMs: 10_000,
  })
  connection.close()
  if (answer.topics[0]?.errorCode !== 0) throw new Error(`no topic: ${answer.topics[0]?.errorCode}`)
}

async function produce(connection: RawConnection, records: Buffer) {
  const answer = await connection.ask(Produce, 9, {
    acks: -1,
    timeoutMs: 10_000,
    topicData: [{ name: TOPIC, partitionData: [{ index: 0, records }] }],
  })
  const found = answer.responses[0]?.partitionResponses[0]
  if (found === undefined) throw new Error('Produce answered nothing')
  return found
}

/** What a consumer shows of a batch: of control batches nothing. */
function recordsOf({ bytes, baseOffset }: FoundBatch): WrittenRecord[] {
  if (isControl(bytes, 0)) return []
  const section = bytes.subarray(RECORD_BATCH_OVERHEAD)
  const codec = compressionOf(bytes, 0)
  const plain =
    codec === 0 ? section : codecs.decompress(codec as CompressedCodec, section, 1 << 20)
  const cursor = new RecordCursor()
  cursor.reset(Buffer.from(plain), 0, plain.length, recordsCount(bytes, 0))
  const records: WrittenRecord[] = []
  const appendTime = isLogAppendTime(bytes, 0)
  while (cursor.next()) {
    const own = baseTimestamp(bytes, 0) + cursor.timestampDelta
    records.push({
      offset: baseOffset + cursor.offsetDelta,
      timestamp: appendTime ? maxTimestamp(bytes, 0) : own,
      appendTime,
      key: cursor.key()?.toString() ?? null,
      value: cursor.value()?.toString() ?? null,
      headers: cursor.headers().map(({ key, value }) => [key, value?.toString() ?? null] as const),
    })
  }
  return records
}

/** A consumer's rule: from an aborted transaction's first offset on until its marker. */
function committedOnly(
  batches: readonly FoundBatch[],
  aborted: readonly { readonly producerId: number; readonly firstOffset: number }[],
): FoundBatch[] {
  const open = new Set<number>()
  return batches.filter(({ bytes, baseOffset, lastOffset }) => {
    for (const one of aborted) {
      if (one.firstOffset >= baseOffset && one.firstOffset <= lastOffset) open.add(one.producerId)
    }
    const id = producerId(bytes, 0)
    if (!isControl(bytes, 0)) return !open.has(id)
    open.delete(id)
    return false
  })
}

function namesIn(directory: string): string[] {
  return readdirSync(directory).sort()
}

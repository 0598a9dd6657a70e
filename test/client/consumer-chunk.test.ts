import { crc32c } from '@node-rs/crc32'
import test from 'ava'
import type { ConsumerRecord } from '../../src/client/consumer-record.ts'
import {
  type AbortedTransaction,
  type ChunkTools,
  endOf,
  FetchedChunk,
} from '../../src/client/fetcher-chunk.ts'
import { TopicDeserializers } from '../../src/client/topic-deserializers.ts'
import { createCodecs } from '../../src/codecs/codecs.ts'
import {
  type BatchInput,
  buildBatch,
  CONTROL_BIT,
  LOG_APPEND_TIME_BIT,
  TRANSACTIONAL_BIT,
} from '../../src/protocol/record-batch.ts'

const codecs = createCodecs()
const tools: ChunkTools<Buffer, Buffer> = {
  codecs,
  crc32c: (bytes) => crc32c(bytes),
  checkCrcs: true,
  batchBytesMax: 1 << 20,
  deserializers: new TopicDeserializers<Buffer, Buffer>(),
}

const record = (value: string) => ({ value: Buffer.from(value) })
const batch = (base: number, parts: Partial<BatchInput> & { values: readonly string[] }) =>
  buildBatch({ baseOffset: base, records: parts.values.map(record), ...parts }, tools.crc32c)

/** A batch of producer `id` in a transaction. */
const inTransaction = (base: number, id: number, ...values: string[]) =>
  batch(base, { values, producerId: id, producerEpoch: 0, attributes: TRANSACTIONAL_BIT })

/** The marker that ends a transaction; type 0 aborts, 1 commits. */
const marker = (base: number, id: number, type: 0 | 1) =>
  buildBatch(
    {
      baseOffset: base,
      producerId: id,
      producerEpoch: 0,
      attributes: TRANSACTIONAL_BIT | CONTROL_BIT,
      records: [{ key: Buffer.from([0, 0, 0, type]), value: Buffer.alloc(6) }],
    },
    tools.crc32c,
  )

function chunkOf(
  records: Buffer,
  parts: { position?: number; aborted?: AbortedTransaction[]; tools?: typeof tools } = {},
): FetchedChunk<Buffer, Buffer> {
  const { position = 0, aborted } = parts
  const fetched = { topic: 't', partition: 0, records, aborted }
  return new FetchedChunk(fetched, position, parts.tools ?? tools)
}

function all(chunk: FetchedChunk<Buffer, Buffer>): ConsumerRecord[] {
  const records: ConsumerRecord[] = []
  for (let one = chunk.next(); one !== undefined; one = chunk.next()) records.push(one)
  return records
}

const textOf = (records: readonly ConsumerRecord[]) =>
  records.map(({ offset, value }) => `${offset} ${value}`)

test('records before the position are left out', (t) => {
  const bytes = Buffer.concat([
    batch(0, { values: ['a', 'b'] }),
    batch(2, { values: ['c', 'd', 'e'] }),
  ])
  const chunk = chunkOf(bytes, { position: 3 })
  t.deepEqual(textOf(all(chunk)), ['3 d', '4 e'])
  t.is(chunk.nextOffset, 5)
})

test('a batch that is cut off is left to the next fetch', (t) => {
  const whole = batch(0, { values: ['a'] })
  const cut = batch(1, { values: ['b', 'c'] })
  for (const length of [0, 5, 61, cut.length - 1]) {
    const bytes = Buffer.concat([whole, cut.subarray(0, length)])
    const chunk = chunkOf(bytes)
    t.deepEqual(textOf(all(chunk)), ['0 a'])
    t.is(chunk.nextOffset, 1)
    t.is(endOf(bytes, { offset: 0, leaderEpoch: -1 }).offset, 1)
  }
  t.deepEqual(endOf(Buffer.alloc(0), { offset: 7, leaderEpoch: 3 }), { offset: 7, leaderEpoch: 3 })
})

test('holes of compaction are passed', (t) => {
  const bytes = Buffer.concat([
    batch(0, {
      values: [],
      records: [{ offsetDelta: 2, value: Buffer.from('x') }],
      lastOffsetDelta: 5,
    }),
    batch(9, { values: [], records: [], lastOffsetDelta: 4 }),
  ])
  const chunk = chunkOf(bytes)
  t.deepEqual(textOf(all(chunk)), ['2 x'])
  t.is(chunk.nextOffset, 14)
  t.is(endOf(bytes, { offset: 0, leaderEpoch: -1 }).offset, 14)
})

test('timestamps are those of the records, or of the append', (t) => {
  const records = [{ timestamp: 1000 }, { timestamp: 999 }]
  const created = chunkOf(batch(0, { values: [], records }))
  t.deepEqual(
    all(created).map(({ timestamp, timestampType }) => [timestamp, timestampType]),
    [
      [1000, 'CreateTime'],
      [999, 'CreateTime'],
    ],
  )
  const attributes = LOG_APPEND_TIME_BIT
  const [first] = all(chunkOf(batch(0, { values: [], records, attributes, maxTimestamp: 5000 })))
  t.deepEqual([first?.timestamp, first?.timestampType], [5000, 'LogAppendTime'])
})

test('a record as JSON says all that it is', (t) => {
  const headers = [{ key: 'h', value: Buffer.from('1') }]
  const key = Buffer.from('k')
  const records = [{ key, value: Buffer.from('v'), timestamp: 7, headers }]
  const [first] = all(chunkOf(batch(5, { values: [], records })))
  t.deepEqual(first?.toJSON(), {
    topic: 't',
    partition: 0,
    offset: 5,
    timestamp: 7,
    key,
    value: Buffer.from('v'),
    headers,
  })
})

test('headers, nulls and empty values are told apart', (t) => {
  const headers = [
    { key: 'ä', value: null },
    { key: 'x'.repeat(200), value: Buffer.alloc(300, 1) },
  ]
  const [first] = all(
    chunkOf(batch(0, { values: [], records: [{ key: null, value: Buffer.alloc(0), headers }] })),
  )
  t.is(first?.key, null)
  t.is(first?.value?.length, 0)
  t.deepEqual(first?.headers, headers)
  t.is(first?.size, 0)
})

test('read_committed leaves out what was aborted, and nothing else', (t) => {
  const bytes = Buffer.concat([
    inTransaction(0, 1, 'a'),
    inTransaction(1, 2, 'b'),
    batch(2, { values: ['plain'] }),
    inTransaction(3, 1, 'c'),
    marker(4, 1, 0),
    marker(5, 2, 1),
    inTransaction(6, 1, 'd'),
    marker(7, 1, 1),
    inTransaction(8, 1, 'e'),
    marker(9, 1, 0),
  ])
  const aborted = [
    { producerId: 1, firstOffset: 8 },
    { producerId: 1, firstOffset: 0 },
  ]
  const chunk = chunkOf(bytes, { aborted })
  t.deepEqual(textOf(all(chunk)), ['1 b', '2 plain', '6 d'])
  t.is(chunk.nextOffset, 10)
  t.deepEqual(textOf(all(chunkOf(bytes, { aborted, position: 3 }))), ['6 d'])
  const everything = chunkOf(bytes)
  t.deepEqual(textOf(all(everything)), ['0 a', '1 b', '2 plain', '3 c', '6 d', '8 e'])
  t.is(everything.nextOffset, 10)
})

test('a damaged batch is an error at each call, behind the records before it', (t) => {
  const whole = batch(0, { values: ['a'] })
  const damaged = Buffer.from(batch(1, { values: ['b'] }))
  damaged[damaged.length - 2] = 0x55
  const chunk = chunkOf(Buffer.concat([whole, damaged]))
  t.is(String(chunk.next()?.value), 'a')
  for (let i = 0; i < 2; i++) {
    t.throws(() => chunk.next(), {
      name: 'CORRUPT_MESSAGE',
      message: /t-0 .* offset 1: a wrong checksum/,
    })
  }
  t.is(chunk.nextOffset, 1)
})

test('lies that a checksum does not show are errors, not crashes', (t) => {
  const lies = {
    'too many records': batch(0, { values: ['a'] }),
    codec: batch(0, { values: ['a'], attributes: 7 }),
    unfolding: batch(0, { values: ['a'], attributes: 1 }),
  }
  lies['too many records'].writeInt32BE(5, 57)
  const careless = { ...tools, checkCrcs: false }
  for (const bytes of Object.values(lies)) {
    const chunk = chunkOf(bytes, { tools: careless })
    t.throws(() => all(chunk), { name: 'CORRUPT_MESSAGE' })
  }
})

test('a batch may not unfold beyond its bound', (t) => {
  const bytes = buildBatch(
    { records: [{ value: Buffer.alloc(10_000) }], attributes: 4 },
    tools.crc32c,
    (section) => codecs.compress(4, section, 3),
  )
  t.is(all(chunkOf(bytes))[0]?.value?.length, 10_000)
  const narrow = { ...tools, batchBytesMax: 1000 }
  t.throws(() => all(chunkOf(bytes, { tools: narrow })), { name: 'CORRUPT_MESSAGE' })
})

/** The pure parts of the client. */
import { crc32c } from '@node-rs/crc32'
import test from 'ava'
import fc from 'fast-check'
import { BatchBuffers } from '../../src/client/batch-buffers.ts'
import { kafkaError, PartialError } from '../../src/client/errors.ts'
import { FrameReader } from '../../src/client/frame-reader.ts'
import { MetadataCache } from '../../src/client/metadata.ts'
import { murmur2 } from '../../src/client/murmur2.ts'
import { backoffMs, parseBootstrapServers } from '../../src/client/options.ts'
import { partitionOfKey } from '../../src/client/partitioners.ts'
import { ProducerBatch } from '../../src/client/producer-batch.ts'
import type { RecordBytes } from '../../src/client/record-size.ts'
import { splitBatch } from '../../src/client/split-batch.ts'
import { createCodecs } from '../../src/codecs/codecs.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import * as batch from '../../src/protocol/record-batch.ts'

const buffers = new BatchBuffers(1024 * 1024)

test('a batch of which nothing is known begins with a small buffer', (t) => {
  t.is(buffers.take(0).length, 1024)
  t.is(buffers.take(1).length, 1024)
  t.is(buffers.take(1025).length, 2048)
})

test('murmur2 is that of Kafka', (t) => {
  // From the unit tests of Apache Kafka (UtilsTest).
  const known: readonly (readonly [string, number])[] = [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ]
  for (const [text, hash] of known) t.is(murmur2(Buffer.from(text)), hash)
})

test('a key has the same partition as text and as bytes', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), (key) => {
      t.is(partitionOfKey(key, 7), partitionOfKey(Buffer.from(key), 7))
    }),
  )
  t.pass()
})

const anyBytes: fc.Arbitrary<RecordBytes> = fc.oneof(
  fc.constant(null),
  fc.string({ unit: 'grapheme', maxLength: 100 }),
  fc.string({ maxLength: 300 }),
  fc.uint8Array({ maxLength: 9000 }),
)
const anyRecord = fc.record({
  timestamp: fc.integer({ min: 0, max: 2 ** 42 }),
  key: anyBytes,
  value: anyBytes,
  headers: fc.array(fc.tuple(fc.string(), anyBytes), { maxLength: 3 }),
})

const asBuffer = (bytes: RecordBytes) => (bytes === null ? null : Buffer.from(bytes as string))

test('a batch holds what was appended, whole and in halves', (t) => {
  const tools = { codecs: createCodecs(), crc32c: (b: Buffer) => crc32c(b), codec: 0, level: 0 }
  fc.assert(
    fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 80 }), (records) => {
      const whole = new ProducerBatch(0, 0, 100, buffers)
      for (const { timestamp, key, value, headers } of records) {
        t.true(whole.tryAppend(Infinity, timestamp, key, value, headers.flat()) > 0)
      }
      const wanted = records.map(({ timestamp, key, value, headers }) => ({
        timestamp,
        key: asBuffer(key),
        value: asBuffer(value),
        headers: headers.map(([name, bytes]) => ({ key: name, value: asBuffer(bytes) })),
      }))
      const pieces = records.length > 1 ? splitBatch(whole, buffers) : []
      for (const one of [whole, ...pieces]) {
        one.seal(tools)
        one.stamp(undefined, false, tools.crc32c)
      }
      t.deepEqual(recordsOf(whole), wanted)
      if (pieces.length > 0) t.deepEqual(pieces.flatMap(recordsOf), wanted)
      for (const one of [whole, ...pieces]) one.free(true)
    }),
    { numRuns: 60 },
  )
})

function recordsOf(one: ProducerBatch) {
  const bytes = one.sealed as Buffer
  const count = batch.recordsCount(bytes, 0)
  if (crc32c(bytes.subarray(batch.CRC_FROM)) !== batch.crc(bytes, 0)) throw new Error('checksum')
  const cursor = new batch.RecordCursor()
  cursor.reset(bytes, batch.RECORD_BATCH_OVERHEAD, bytes.length, count)
  const records = []
  while (cursor.next()) {
    records.push({
      timestamp: batch.baseTimestamp(bytes, 0) + cursor.timestampDelta,
      key: cursor.key(),
      value: cursor.value(),
      headers: cursor.headers(),
    })
  }
  return records
}

test('a batch is full before it would grow beyond its bound, but takes one record at least', (t) => {
  const one = new ProducerBatch(0, 0, 0, buffers)
  t.true(one.tryAppend(100, 0, null, 'x'.repeat(500)) > 500)
  t.is(one.tryAppend(100, 0, null, ''), 0)
  t.is(one.count, 1)
})

test('frames are whole, however the stream is cut, and stay when they are owned', (t) => {
  const payloads = fc.array(fc.uint8Array({ minLength: 4, maxLength: 150_000 }), { maxLength: 6 })
  fc.assert(
    fc.property(payloads, fc.array(fc.nat(70_000), { maxLength: 30 }), (frames, cuts) => {
      const stream = Buffer.concat(
        frames.map((frame) => {
          const size = Buffer.alloc(4)
          size.writeInt32BE(frame.length)
          return Buffer.concat([size, frame])
        }),
      )
      const got: Buffer[] = []
      const reader = new FrameReader(1_000_000, (bytes, from, to, owned) => {
        const view = bytes.subarray(from, to)
        got.push(owned ? view : Buffer.from(view))
      })
      let at = 0
      for (const cut of [...cuts, stream.length]) {
        const end = Math.min(stream.length, at + cut)
        reader.push(stream.subarray(at, end))
        at = end
      }
      t.deepEqual(
        got,
        frames.map((frame) => Buffer.from(frame)),
      )
    }),
    { numRuns: 60 },
  )
})

test('a frame that is larger than allowed is refused before memory is taken', (t) => {
  const reader = new FrameReader(100, () => t.fail())
  t.throws(() => reader.push(Buffer.from([0, 0, 0, 101])), { instanceOf: RangeError })
})

test('backoff doubles up to its bound, with a fifth of jitter', (t) => {
  t.is(backoffMs(0, 100, 1000, 0.5), 100)
  t.is(backoffMs(2, 100, 1000, 0.5), 400)
  t.is(backoffMs(20, 100, 1000, 0), 800)
  t.true(backoffMs(20, 100, 1000, 0.999) < 1200)
})

test('bootstrap servers are named in several ways', (t) => {
  t.deepEqual(parseBootstrapServers('a:1, [::1]:2'), [
    { host: 'a', port: 1 },
    { host: '::1', port: 2 },
  ])
  t.deepEqual(parseBootstrapServers(['b:3']), [{ host: 'b', port: 3 }])
  for (const wrong of ['', 'a', 'a:0', 'a:70000', 'a:b']) {
    t.throws(() => parseBootstrapServers(wrong), { instanceOf: TypeError })
  }
})

test('an older leader epoch does not undo a newer one, but a new topic starts afresh', (t) => {
  const cache = new MetadataCache()
  const answer = (topicId: string, leaderId: number, leaderEpoch: number) =>
    cache.update(
      {
        throttleTimeMs: 0,
        brokers: [],
        clusterId: null,
        controllerId: 1,
        clusterAuthorizedOperations: 0,
        errorCode: 0,
        topics: [
          {
            errorCode: 0,
            name: 't',
            topicId,
            isInternal: false,
            topicAuthorizedOperations: 0,
            partitions: [
              {
                errorCode: 0,
                partitionIndex: 0,
                leaderId,
                leaderEpoch,
                replicaNodes: [],
                isrNodes: [],
                offlineReplicas: [],
              },
            ],
          },
        ],
      },
      false,
    )
  const first = 'AAAAAAAAAAAAAAAAAAAAAQ'
  answer(first, 1, 5)
  answer(first, 2, 4)
  t.is(cache.leaderOf('t', 0), 1)
  cache.updateLeader('t', 0, 3, 6)
  t.is(cache.leaderOf('t', 0), 3)
  t.is(cache.topicById(first)?.name, 't')
  answer('AAAAAAAAAAAAAAAAAAAAAg', 2, 0)
  t.is(cache.leaderOf('t', 0), 2)
  t.is(cache.topicById(first), undefined)
})

test('errors say what they are, whether to try again and what helps', (t) => {
  const error = kafkaError(ErrorCode.MESSAGE_TOO_LARGE)
  t.is(error.name, 'MESSAGE_TOO_LARGE')
  t.false(error.retriable)
  t.regex(error.hint, /max\.message\.bytes/)
  t.true(kafkaError(ErrorCode.NOT_LEADER_OR_FOLLOWER).retriable)
  t.true(kafkaError(ErrorCode.PRODUCER_FENCED).fatal)
  const partial = new PartialError(new Map([['t', error]]))
  t.is(partial.code, ErrorCode.MESSAGE_TOO_LARGE)
  t.regex(partial.message, /^t: /)
})

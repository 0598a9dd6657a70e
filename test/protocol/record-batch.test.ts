import { crc32c } from '@node-rs/crc32'
import test from 'ava'
import fc from 'fast-check'
import * as batches from '../../src/protocol/record-batch.ts'
import {
  type BatchInput,
  buildBatch,
  InvalidRecord,
  RECORD_BATCH_OVERHEAD,
  RecordCursor,
} from '../../src/protocol/record-batch.ts'
import { encodeRecords } from '../../src/protocol/record-encoding.ts'
import { unzigzag, varintSize, writeVarint } from '../../src/protocol/varint.ts'

const optionalBytes = fc.option(
  fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
  { nil: null },
)
const anyRecord = fc.record({
  timestamp: fc.integer({ min: 0, max: 2 ** 45 }),
  key: optionalBytes,
  value: optionalBytes,
  headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme' }), value: optionalBytes }), {
    maxLength: 3,
  }),
})
const anyRecords = fc.array(anyRecord, { minLength: 1, maxLength: 20 })

test('records that are written are read again', (t) => {
  fc.assert(
    fc.property(anyRecords, (records) => {
      const batch = buildBatch({ records, baseOffset: 100 }, crc32c)
      const base = batches.baseTimestamp(batch, 0)
      const cursor = cursorOf(batch)
      records.forEach((record, index) => {
        t.true(cursor.next())
        t.is(cursor.offsetDelta, index)
        t.is(cursor.timestampDelta + base, record.timestamp)
        t.deepEqual(cursor.key(), record.key)
        t.deepEqual(cursor.value(), record.value)
        t.deepEqual(cursor.headers(), record.headers)
      })
      t.false(cursor.next())
      t.is(batches.maxTimestamp(batch, 0), Math.max(...records.map((r) => r.timestamp)))
    }),
    { numRuns: 200 },
  )
})

test('a header field is read where it was written, at any position of a buffer', (t) => {
  const input: BatchInput = {
    records: [{ value: Buffer.from('v'), timestamp: 1_700_000_000_000 }],
    baseOffset: 2 ** 40,
    partitionLeaderEpoch: 7,
    attributes: batches.TRANSACTIONAL_BIT | batches.LOG_APPEND_TIME_BIT | 3,
    lastOffsetDelta: 9,
    maxTimestamp: 1_700_000_000_500,
    producerId: 4242,
    producerEpoch: 3,
    baseSequence: 0x7ffffffc,
  }
  const at = 13
  const b = Buffer.concat([Buffer.alloc(at, 0xaa), buildBatch(input, crc32c)])
  t.is(batches.baseOffset(b, at), 2 ** 40)
  t.is(batches.lastOffset(b, at), 2 ** 40 + 9)
  t.is(batches.batchSize(b, at), b.length - at)
  t.is(batches.partitionLeaderEpoch(b, at), 7)
  t.is(batches.magic(b, at), batches.MAGIC_V2)
  t.is(batches.crc(b, at), crc32c(b.subarray(at + batches.CRC_FROM)))
  t.is(batches.compressionOf(b, at), 3)
  t.true(batches.isTransactional(b, at))
  t.true(batches.isLogAppendTime(b, at))
  t.false(batches.isControl(b, at))
  t.is(batches.baseTimestamp(b, at), 1_700_000_000_000)
  t.is(batches.maxTimestamp(b, at), 1_700_000_000_500)
  t.is(batches.producerId(b, at), 4242)
  t.is(batches.producerEpoch(b, at), 3)
  t.is(batches.baseSequence(b, at), 0x7ffffffc)
  t.is(batches.lastSequence(b, at), 5, 'sequences wrap at 2^31')
  t.is(batches.recordsCount(b, at), 1)
})

test('base offset and leader epoch are stamped without a new checksum', (t) => {
  const b = buildBatch({ records: [{ value: Buffer.from('v') }] }, crc32c)
  const before = crc32c(b.subarray(batches.CRC_FROM))
  batches.setBaseOffset(b, 0, 12_345)
  batches.setPartitionLeaderEpoch(b, 0, 6)
  t.is(crc32c(b.subarray(batches.CRC_FROM)), before)
  t.is(batches.baseOffset(b, 0), 12_345)
  t.is(batches.partitionLeaderEpoch(b, 0), 6)
})

test('a record has the bytes of the format', (t) => {
  const key = Buffer.from('k')
  const value = Buffer.from('hi')
  const headers = [{ key: 'h', value: null }]
  const bytes = encodeRecords([{ key, value, headers, timestamp: 1003, offsetDelta: 1 }], 1000)
  // length 12, attributes, timestamp delta 3, offset delta 1, key, value, one header with null
  t.is(bytes.toString('hex'), '18' + '00' + '06' + '02' + '026b' + '046869' + '02' + '0268' + '01')
})

test('damaged records are read or invalid, never read beyond their section', (t) => {
  const damage = fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255) }), { maxLength: 5 })
  fc.assert(
    fc.property(anyRecords, damage, (records, changes) => {
      const section = encodeRecords(records, 0)
      for (const { at, byte } of changes) section[at % section.length] = byte
      const padded = Buffer.concat([section, Buffer.alloc(500, 1)])
      const cursor = new RecordCursor()
      cursor.reset(padded, 0, section.length, records.length)
      try {
        while (cursor.next()) if (cursor.recordEnd > section.length) return false
      } catch (error) {
        if (!(error instanceof InvalidRecord)) throw error
      }
      return true
    }),
    { numRuns: 2000 },
  )
  t.pass()
})

test('every truncated section is invalid, and so are left over bytes and wrong counts', (t) => {
  const section = encodeRecords([{ key: Buffer.from('a') }, { value: Buffer.from('b') }], 0)
  const walk = (end: number, count: number): void => {
    const cursor = new RecordCursor()
    cursor.reset(section, 0, end, count)
    while (cursor.next());
  }
  for (let end = 0; end < section.length; end++) {
    t.throws(() => walk(end, 2), { instanceOf: InvalidRecord })
  }
  for (const count of [-1, 1, 3]) {
    t.throws(() => walk(section.length, count), { instanceOf: InvalidRecord })
  }
  t.notThrows(() => walk(section.length, 2))
})

test('a compressed section stands in the place of the records', (t) => {
  const records = [{ value: Buffer.from('abc') }]
  const compress = (section: Buffer): Buffer => Buffer.from(section).reverse()
  const b = buildBatch({ records, attributes: 1 }, crc32c, compress)
  t.deepEqual(b.subarray(RECORD_BATCH_OVERHEAD), compress(encodeRecords(records, 0)))
})

test('varints keep any safe integer', (t) => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      const b = Buffer.alloc(10)
      const end = writeVarint(b, 0, value)
      let raw = 0
      for (let i = end - 1; i >= 0; i--) raw = raw * 128 + ((b[i] as number) & 0x7f)
      // Up to 2^54 the raw value may lie between two doubles.
      const exact = Math.abs(value) < 2 ** 52
      return end === varintSize(value) && (!exact || unzigzag(raw) === value)
    }),
  )
  t.pass()
})

function cursorOf(batch: Buffer): RecordCursor {
  const cursor = new RecordCursor()
  cursor.reset(batch, RECORD_BATCH_OVERHEAD, batch.length, batches.recordsCount(batch, 0))
  return cursor
}

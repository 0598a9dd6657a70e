import test from 'ava'
import fc from 'fast-check'
import {
  type BatchRules,
  checkRecords,
  headerProblem,
  type RecordsFacts,
  type Refusal,
} from '../../src/log/batch-rules.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import {
  buildBatch,
  CONTROL_BIT,
  CRC_FROM,
  MAGIC_AT,
  RECORD_BATCH_OVERHEAD,
  setBaseOffset,
  setBatchLength,
  setCrc,
  setLastOffsetDelta,
  setRecordsCount,
  TRANSACTIONAL_BIT,
} from '../../src/protocol/record-batch.ts'
import { batchOf, crc32c } from './batches.ts'

const rules: BatchRules = {
  maxMessageBytes: 1000,
  segmentBytes: 2000,
  compacted: false,
  logAppendTime: false,
  timestampBeforeMaxMs: 1000,
  timestampAfterMaxMs: 500,
}

/** A sound batch with `change` done to it, and its CRC made right again. */
function changed(change: (batch: Buffer) => void, batch = batchOf({ count: 3 })): Buffer {
  change(batch)
  setCrc(batch, 0, crc32c(batch.subarray(CRC_FROM)))
  return batch
}

const control = buildBatch({ records: [{ value: null }], attributes: CONTROL_BIT }, crc32c)
const orphan = buildBatch({ records: [{ value: null }], attributes: TRANSACTIONAL_BIT }, crc32c)

const refusals: [string, () => Buffer, ErrorCode, Partial<BatchRules>?][] = [
  ['no batch at all', () => Buffer.alloc(0), ErrorCode.INVALID_RECORD],
  ['16 bytes', () => batchOf().subarray(0, 16), ErrorCode.INVALID_RECORD],
  ['magic 1', () => changed((b) => b.writeInt8(1, MAGIC_AT)), ErrorCode.INVALID_RECORD],
  ['magic 3', () => changed((b) => b.writeInt8(3, MAGIC_AT)), ErrorCode.CORRUPT_MESSAGE],
  ['a length beyond the bytes', () => batchOf().subarray(0, 65), ErrorCode.INVALID_RECORD],
  [
    'a length below a header',
    () => changed((b) => setBatchLength(b, 0, 10)),
    ErrorCode.CORRUPT_MESSAGE,
  ],
  ['a negative length', () => changed((b) => setBatchLength(b, 0, -5)), ErrorCode.CORRUPT_MESSAGE],
  ['two batches', () => Buffer.concat([batchOf(), batchOf()]), ErrorCode.INVALID_RECORD],
  ['a base offset', () => changed((b) => setBaseOffset(b, 0, 1)), ErrorCode.INVALID_RECORD],
  ['too many bytes', () => batchOf({ valueBytes: 1000 }), ErrorCode.MESSAGE_TOO_LARGE],
  [
    'more than a segment holds',
    () => batchOf({ valueBytes: 500 }),
    ErrorCode.RECORD_LIST_TOO_LARGE,
    { segmentBytes: 400 },
  ],
  ['no records', () => changed((b) => setRecordsCount(b, 0, 0)), ErrorCode.INVALID_RECORD],
  ['a negative count', () => changed((b) => setRecordsCount(b, 0, -1)), ErrorCode.INVALID_RECORD],
  ['a count that lies', () => changed((b) => setRecordsCount(b, 0, 4)), ErrorCode.INVALID_RECORD],
  [
    'an offset delta that lies',
    () => changed((b) => setLastOffsetDelta(b, 0, 9)),
    ErrorCode.INVALID_RECORD,
  ],
  ['control records', () => control, ErrorCode.INVALID_RECORD],
  [
    'an id without a sequence',
    () => batchOf({ producerId: 1, producerEpoch: 0 }),
    ErrorCode.INVALID_RECORD,
  ],
  ['a transaction of nobody', () => orphan, ErrorCode.INVALID_RECORD],
]

for (const [what, make, code, over] of refusals) {
  test(`a request with ${what} is refused with ${code}`, (t) => {
    t.is(headerProblem(make(), { ...rules, ...over }, crc32c)?.errorCode, code)
  })
}

test('a sound batch has no problem, and each flipped bit behind its CRC is one', (t) => {
  t.is(headerProblem(batchOf({ count: 3 }), rules, crc32c), undefined)
  const batch = batchOf({ count: 3 })
  for (let at = CRC_FROM; at < batch.length; at++) {
    batch[at] = (batch[at] as number) ^ 4
    t.is(headerProblem(batch, rules, crc32c)?.errorCode, ErrorCode.CORRUPT_MESSAGE)
    batch[at] = (batch[at] as number) ^ 4
  }
})

function check(batch: Buffer, over: Partial<BatchRules> = {}, nowMs = 1000): RecordsFacts {
  const facts: RecordsFacts = { maxTimestamp: -1, refusal: undefined }
  checkRecords(batch, batch, RECORD_BATCH_OVERHEAD, { ...rules, ...over }, nowMs, facts)
  return facts
}

test('records tell their largest timestamp, in whatever order they come', (t) => {
  const records = [30, 10, 40, 20].map((timestamp) => ({ timestamp, value: Buffer.from('v') }))
  t.is(check(buildBatch({ records }, crc32c)).maxTimestamp, 40)
})

test('a record too old or too young is refused, and named by its place', (t) => {
  const at = (...timestamps: number[]) =>
    buildBatch({ records: timestamps.map((timestamp) => ({ timestamp, value: null })) }, crc32c)
  t.is(check(at(1000, 3000), {}, 2000).refusal?.errorCode, ErrorCode.INVALID_TIMESTAMP)
  t.is(check(at(1000, 2500), {}, 2000).refusal, undefined)
  const { refusal } = check(at(1000, 999), {}, 2000)
  t.is(refusal?.errorCode, ErrorCode.INVALID_TIMESTAMP)
  t.deepEqual(
    refusal?.recordErrors?.map((one) => one.batchIndex),
    [1],
  )
  t.is(check(at(1, 99999), { logAppendTime: true }, 2000).refusal, undefined)
})

test('a compacted topic refuses records without a key', (t) => {
  const keyed = { key: Buffer.from('k'), value: null }
  const batch = buildBatch({ records: [keyed, { value: null }] }, crc32c)
  t.deepEqual(check(batch, { compacted: true }).refusal?.recordErrors?.length, 1)
  t.is(check(batch, { compacted: true }).refusal?.recordErrors?.[0]?.batchIndex, 1)
  t.is(check(batch).refusal, undefined)
})

test('every record at fault is named', (t) => {
  const key = Buffer.from('k')
  const good = { key, timestamp: 1000, value: null }
  const keyless = { timestamp: 1000, value: null }
  const late = { key, timestamp: 9000, value: null }
  const refusalOf = (...records: (typeof late | typeof keyless)[]) =>
    check(buildBatch({ records }, crc32c), { compacted: true }, 1000).refusal
  const indexes = (refusal: Refusal | undefined) =>
    refusal?.recordErrors?.map(({ batchIndex }) => batchIndex)
  const two = refusalOf(keyless, good, keyless, good)
  t.is(two?.errorCode, ErrorCode.INVALID_RECORD)
  t.regex(two?.message ?? '', /due to 2 record errors in total/)
  t.deepEqual(indexes(two), [0, 2])
  const mixed = refusalOf(late, good, keyless)
  t.is(mixed?.errorCode, ErrorCode.INVALID_TIMESTAMP)
  t.deepEqual(indexes(mixed), [0, 2])
})

test('offset deltas that do not count from 0 are refused', (t) => {
  const records = [{ offsetDelta: 0 }, { offsetDelta: 2 }, { offsetDelta: 2 }]
  const batch = buildBatch({ records }, crc32c)
  t.is(check(batch).refusal?.errorCode, ErrorCode.INVALID_RECORD)
})

test('no records, however malformed, throw or pass unseen beyond their bytes', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(5), (noise, count) => {
      const batch = Buffer.concat([batchOf().subarray(0, RECORD_BATCH_OVERHEAD), noise])
      setRecordsCount(batch, 0, count)
      const { refusal } = check(batch)
      t.true(refusal !== undefined || count > 0 || noise.length === 0)
    }),
  )
})

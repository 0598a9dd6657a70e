import test from 'ava'
import { type BatchRules, headerProblem } from '../../src/log/batch-rules.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import { BATCH_LENGTH_AT, MAGIC_AT, setBatchLength } from '../../src/protocol/record-batch.ts'
import { batchOf, crc32c } from './batches.ts'

const rules: BatchRules = {
  maxMessageBytes: 1000,
  segmentBytes: 2000,
  compacted: false,
  logAppendTime: false,
  timestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
  timestampAfterMaxMs: 3_600_000,
}

const problemOf = (records: Buffer) => headerProblem(records, rules, crc32c)

/** What the answer says: the error, and whether it lacks the log start offset. */
function verdictOn(records: Buffer): [ErrorCode, boolean] {
  const problem = problemOf(records)
  return problem === undefined ? [ErrorCode.NONE, false] : [problem.errorCode, problem.beforeLog]
}

test('a sound batch passes', (t) => {
  t.is(problemOf(batchOf({ count: 3 })), undefined)
})

test('bytes that hold no whole batch are an invalid record, as in Kafka', (t) => {
  const batch = batchOf({ count: 3 })
  for (const bytes of [0, 16, 20, 60, 61, batch.length - 1]) {
    t.deepEqual(verdictOn(batch.subarray(0, bytes)), [ErrorCode.INVALID_RECORD, true], `${bytes}`)
  }
  const announced = batchOf()
  setBatchLength(announced, 0, 0x7fffffff)
  t.deepEqual(verdictOn(announced), [ErrorCode.INVALID_RECORD, true])
})

test('a batch that is shorter than its header is corrupt', (t) => {
  for (const length of [-0x80000000, -1, 0, 13, 48]) {
    const batch = batchOf()
    batch.writeInt32BE(length, BATCH_LENGTH_AT)
    t.deepEqual(verdictOn(batch), [ErrorCode.CORRUPT_MESSAGE, true], `${length}`)
  }
})

test('old formats are an invalid record, formats that never were are corrupt', (t) => {
  const verdicts = [0, 1, 3, -1].map((magic) => {
    const batch = batchOf()
    batch.writeInt8(magic, MAGIC_AT)
    return verdictOn(batch)
  })
  t.deepEqual(verdicts, [
    [ErrorCode.INVALID_RECORD, true],
    [ErrorCode.INVALID_RECORD, true],
    [ErrorCode.CORRUPT_MESSAGE, true],
    [ErrorCode.CORRUPT_MESSAGE, true],
  ])
})

test('one batch comes alone', (t) => {
  const batch = batchOf()
  t.deepEqual(verdictOn(Buffer.concat([batch, batch])), [ErrorCode.INVALID_RECORD, true])
  t.deepEqual(verdictOn(Buffer.concat([batch, Buffer.alloc(1)])), [ErrorCode.INVALID_RECORD, true])
})

test('what only the log can judge is answered with the log start offset', (t) => {
  t.deepEqual(verdictOn(batchOf({ base: 5 })), [ErrorCode.INVALID_RECORD, false])
  const unsequenced = batchOf({ producerId: 4, producerEpoch: 0 })
  t.deepEqual(verdictOn(unsequenced), [ErrorCode.INVALID_RECORD, false])
  const unowned = batchOf({ transactional: true })
  t.deepEqual(verdictOn(unowned), [ErrorCode.INVALID_RECORD, false])
})

test('a batch that is too large is told so before its CRC is looked at', (t) => {
  const batch = batchOf({ valueBytes: 1000 })
  batch[100] = 0xff
  t.deepEqual(verdictOn(batch), [ErrorCode.MESSAGE_TOO_LARGE, true])
})

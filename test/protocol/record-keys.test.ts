import test from 'ava'
import { ZERO_UUID } from '../../src/base/uuid.ts'
import { MalformedRequest } from '../../src/protocol/reader.ts'
import { consumerOffsetsRecords } from '../../src/protocol/records/consumer-offsets.ts'
import { OffsetCommit } from '../../src/protocol/records/offset-commit.ts'
import {
  decodeKey,
  decodeValue,
  encodeKey,
  encodeValue,
  recordTypeOf,
} from '../../src/protocol/records/record.ts'

test('the key of a coordinator record begins with its type, the value with its version', (t) => {
  const key = encodeKey(OffsetCommit, { group: 'g', topic: 't', partition: 2 })
  const value = encodeValue(OffsetCommit, 3, { offset: 9, metadata: 'm', commitTimestamp: 5 })
  t.is(key.toString('hex'), '0001' + '000167' + '000174' + '00000002')
  t.is(
    value.toString('hex'),
    '0003' + '0000000000000009' + 'ffffffff' + '00016d' + '0000000000000005',
  )
  t.is(consumerOffsetsRecords.get(recordTypeOf(key)), OffsetCommit as never)
  t.deepEqual(decodeKey(OffsetCommit, key), { group: 'g', topic: 't', partition: 2 })
  t.deepEqual(decodeValue(OffsetCommit, value), {
    offset: 9,
    leaderEpoch: -1,
    metadata: 'm',
    commitTimestamp: 5,
    expireTimestamp: -1,
    topicId: ZERO_UUID,
  })
})

test('a value of a version to come and a key without a type are malformed', (t) => {
  const malformed = { instanceOf: MalformedRequest }
  t.throws(() => decodeValue(OffsetCommit, Buffer.from('0063', 'hex')), malformed)
  t.throws(() => decodeValue(OffsetCommit, Buffer.alloc(1)), malformed)
  t.throws(() => recordTypeOf(Buffer.alloc(0)), malformed)
})

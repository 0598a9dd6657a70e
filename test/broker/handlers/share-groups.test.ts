/** The handlers of share groups through the codecs, and what they make of batches. */
import { crc32c } from '@node-rs/crc32'
import test from 'ava'
import { findCoordinator } from '../../../src/broker/handlers/10-find-coordinator.ts'
import { shareGroupHeartbeat } from '../../../src/broker/handlers/76-share-group-heartbeat.ts'
import { shareGroupDescribe } from '../../../src/broker/handlers/77-share-group-describe.ts'
import { shareFetch } from '../../../src/broker/handlers/78-share-fetch.ts'
import { shareAcknowledge } from '../../../src/broker/handlers/79-share-acknowledge.ts'
import { describeShareGroupOffsets } from '../../../src/broker/handlers/90-describe-share-group-offsets.ts'
import { alterShareGroupOffsets } from '../../../src/broker/handlers/91-alter-share-group-offsets.ts'
import { deleteShareGroupOffsets } from '../../../src/broker/handlers/92-delete-share-group-offsets.ts'
import { batchesIn, sliced } from '../../../src/broker/handlers/share.ts'
import { FindCoordinator } from '../../../src/protocol/apis/10-find-coordinator.ts'
import { ShareGroupHeartbeat } from '../../../src/protocol/apis/76-share-group-heartbeat.ts'
import { ShareGroupDescribe } from '../../../src/protocol/apis/77-share-group-describe.ts'
import { ShareFetch } from '../../../src/protocol/apis/78-share-fetch.ts'
import { ShareAcknowledge } from '../../../src/protocol/apis/79-share-acknowledge.ts'
import { DescribeShareGroupOffsets } from '../../../src/protocol/apis/90-describe-share-group-offsets.ts'
import { AlterShareGroupOffsets } from '../../../src/protocol/apis/91-alter-share-group-offsets.ts'
import { DeleteShareGroupOffsets } from '../../../src/protocol/apis/92-delete-share-group-offsets.ts'
import { ErrorCode } from '../../../src/protocol/errors.ts'
import { buildBatch, setBaseOffset } from '../../../src/protocol/record-batch.ts'
import { addTopic, TestBroker } from '../../support/cluster.ts'

function brokerWithGroups(): { broker: TestBroker; topicId: string } {
  const configs = {
    'offsets.topic.num.partitions': '2',
    'share.coordinator.state.topic.num.partitions': '2',
  }
  const broker = new TestBroker({ configs })
  const topicId = addTopic(broker.image, 't', { partitions: 2 })
  broker.ask(findCoordinator, FindCoordinator, { key: 'g' }, 1)
  return { broker, topicId }
}

const join = { groupId: 'g', memberId: 'm', memberEpoch: 0, subscribedTopicNames: ['t'] }

const fetchOf = (shareSessionEpoch: number) => ({
  groupId: 'g',
  memberId: 'm',
  shareSessionEpoch,
  maxWaitMs: 0,
  minBytes: 1,
  maxRecords: 10,
  batchSize: 10,
})

test('a member of a share group has its partitions with the first answer', (t) => {
  const { broker, topicId } = brokerWithGroups()
  const answer = broker.ask(shareGroupHeartbeat, ShareGroupHeartbeat, join)
  t.is(answer.errorCode, ErrorCode.NONE)
  t.deepEqual(answer.assignment, { topicPartitions: [{ topicId, partitions: [0, 1] }] })
  const groupIds = ['g', 'nobody']
  const described = broker.ask(shareGroupDescribe, ShareGroupDescribe, { groupIds })
  t.deepEqual(described.groups[0]?.members[0]?.assignment.topicPartitions, [
    { topicId, topicName: 't', partitions: [0, 1] },
  ])
  t.is(described.groups[1]?.errorCode, ErrorCode.GROUP_ID_NOT_FOUND)
})

test('a share group outlives its coordinator', (t) => {
  const { broker } = brokerWithGroups()
  broker.ask(shareGroupHeartbeat, ShareGroupHeartbeat, join)
  broker.restartCoordinator().advance(1000)
  const beat = { ...join, memberEpoch: 2, subscribedTopicNames: null }
  t.is(broker.ask(shareGroupHeartbeat, ShareGroupHeartbeat, beat).errorCode, ErrorCode.NONE)
  const request = { groups: [{ groupId: 'g', topics: null }] }
  const offsets = broker.ask(describeShareGroupOffsets, DescribeShareGroupOffsets, request)
  t.deepEqual(
    offsets.groups[0]?.topics[0]?.partitions.map(({ startOffset, lag }) => [startOffset, lag]),
    [
      [-1, -1],
      [-1, -1],
    ],
  )
})

test('a share session is opened, goes on and ends; its connection is remembered', (t) => {
  const { broker, topicId } = brokerWithGroups()
  broker.ask(shareGroupHeartbeat, ShareGroupHeartbeat, join)
  const fetch = (epoch: number, partitions: number[]) => {
    const topics = partitions.map((partitionIndex) => {
      return { topicId, partitions: [{ partitionIndex, acknowledgementBatches: [] }] }
    })
    return broker.ask(shareFetch, ShareFetch, { ...fetchOf(epoch), topics })
  }
  t.is(fetch(1, []).errorCode, ErrorCode.SHARE_SESSION_NOT_FOUND)
  t.is(fetch(0, [0]).responses[0]?.partitions[0]?.errorCode, ErrorCode.NONE)
  t.is(fetch(1, [7]).responses[0]?.partitions[0]?.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  t.is(fetch(1, []).errorCode, ErrorCode.INVALID_SHARE_SESSION_EPOCH)
  const { name: connection } = broker.session
  const command = { kind: 'connection-closed', connection, by: 'client' } as const
  broker.context.callCoordinator(command, () => undefined)
  t.true(broker.session.isCoordinated)
  t.is(fetch(2, []).errorCode, ErrorCode.SHARE_SESSION_NOT_FOUND)
})

test('a ShareFetch that contradicts itself is refused', (t) => {
  const { broker } = brokerWithGroups()
  for (const wrong of [
    { groupId: null },
    { memberId: null },
    { shareAcquireMode: 7 },
    // A renewal asks for no records besides.
    { isRenewAck: true },
  ]) {
    const answer = broker.ask(shareFetch, ShareFetch, { ...fetchOf(0), ...wrong })
    t.is(answer.errorCode, ErrorCode.INVALID_REQUEST)
  }
  const nobody = { ...fetchOf(1), groupId: null }
  const answer = broker.ask(shareAcknowledge, ShareAcknowledge, nobody)
  t.is(answer.errorCode, ErrorCode.INVALID_REQUEST)
})

test('without a coordinator the handlers of share groups say so', (t) => {
  const { broker } = brokerWithGroups()
  broker.coordinatorIsLost = true
  const codes = [
    broker.ask(shareGroupHeartbeat, ShareGroupHeartbeat, join).errorCode,
    broker.ask(shareGroupDescribe, ShareGroupDescribe, { groupIds: ['g'] }).groups[0]?.errorCode,
    broker.ask(shareFetch, ShareFetch, fetchOf(0)).errorCode,
    broker.ask(shareAcknowledge, ShareAcknowledge, fetchOf(1)).errorCode,
    broker.ask(describeShareGroupOffsets, DescribeShareGroupOffsets, {
      groups: [{ groupId: 'g' }],
    }).groups[0]?.errorCode,
    broker.ask(alterShareGroupOffsets, AlterShareGroupOffsets, { groupId: 'g' }).errorCode,
    broker.ask(deleteShareGroupOffsets, DeleteShareGroupOffsets, { groupId: 'g' }).errorCode,
  ]
  const { NOT_COORDINATOR: gone, SHARE_SESSION_NOT_FOUND: noSession } = ErrorCode
  t.deepEqual(codes, [gone, gone, noSession, noSession, gone, gone, gone])
})

/** A batch of so many records. */
function batch(baseOffset: number, count: number): Buffer {
  const records = Array.from({ length: count }, () => {
    return { key: null, value: Buffer.from('v'), timestamp: 0 }
  })
  const bytes = buildBatch({ records }, (data) => crc32c(data))
  setBaseOffset(bytes, 0, baseOffset)
  return bytes
}

/** The batch as one of a transaction, or as its marker. */
function ofProducer(bytes: Buffer, producerId: number, control: boolean): Buffer {
  bytes.writeInt16BE(control ? 0x30 : 0x10, 21)
  bytes.writeBigInt64BE(BigInt(producerId), 43)
  return bytes
}

test('what no consumer is to see is told from the rest', (t) => {
  const records = Buffer.concat([
    batch(0, 3),
    ofProducer(batch(3, 2), 7, false),
    ofProducer(batch(5, 2), 8, false),
    ofProducer(batch(7, 1), 7, true),
    ofProducer(batch(8, 2), 7, false),
  ])
  const found = batchesIn(records, [{ producerId: 7, firstOffset: 3 }])
  t.deepEqual(found.bounds, [0, 2, 3, 4, 5, 6, 7, 7, 8, 9])
  t.deepEqual(found.aborted, [1, 3])
})

test('only the batches with acquired records are sent', (t) => {
  const [a, b, c, d] = [batch(0, 3), batch(3, 3), batch(6, 3), batch(9, 3)]
  const acquired = [
    { firstOffset: 4, lastOffset: 4, deliveryCount: 1 },
    { firstOffset: 6, lastOffset: 8, deliveryCount: 2 },
  ]
  t.deepEqual(sliced(Buffer.concat([a, b, c, d]), acquired), Buffer.concat([b, c]))
})

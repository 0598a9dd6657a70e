/** A partition of __consumer_offsets that Apache Kafka 4.3.1 wrote, read by us. */
import test from 'ava'
import { replayBatches } from '../../src/actors/coordinator-log.ts'
import { consumerGroup } from '../../src/coordinator/group/consumer-group.ts'
import { MemberState } from '../../src/coordinator/group/consumer-member.ts'
import { listOfEpochs } from '../../src/coordinator/group/consumer-partitions.ts'
import { consumerOffsetsRecords } from '../../src/protocol/records/consumer-offsets.ts'
import { read } from '../support/source.ts'
import { ConsumerWorld } from './consumer-world.ts'

const TOPIC_ID = 'rq-TxNGiSTOIvM5ONUyqwg'
const FIRST = 'W-nerWgcSt-u6vtQZwKjvw'
const SECOND = 'O7n8Arz5QTqAAW-jkoXDpA'

test('a group that Kafka wrote is replayed with its members, epochs and partitions', (t) => {
  const hex = read('test/golden/groups/consumer-group-of-two.hex').replace(/\s/g, '')
  const bytes = Buffer.from(hex, 'hex')
  const world = new ConsumerWorld()
  const reader = {
    codecs: {
      decompress: () => {
        throw new Error('nothing in it is compressed')
      },
    } as never,
    decompressedBytesMax: 0,
    schemas: consumerOffsetsRecords,
  }
  const { runtime, coordinator } = world.service
  runtime.beginLoad(0)
  replayBatches(reader, bytes, 0, bytes.length, {
    onRecord: (record, producerId) => runtime.replay(0, record, producerId),
    onMarker: () => t.fail('there is no transaction in it'),
    onStrange: (_, why) => t.fail(why),
  })
  runtime.finishLoad(0)
  const group = consumerGroup(coordinator.groups, 'kg1')!
  t.is(group.stateName(), 'Stable')
  t.is(group.epoch, 3)
  t.is(group.targetEpoch, 3)
  const members = [...group.members.values()].map((member) => ({
    memberId: member.memberId,
    epochs: [member.previousMemberEpoch, member.memberEpoch],
    state: member.state,
    topics: member.subscribedTopicNames,
    regex: member.subscribedTopicRegex,
    assigned: listOfEpochs(member.assigned),
    classic: member.classic,
  }))
  const alike = { state: MemberState.STABLE, topics: ['kt'], regex: '', classic: null }
  const has = (...partitions: number[]) => [{ topicId: TOPIC_ID, partitions }]
  t.deepEqual(members, [
    { memberId: FIRST, epochs: [2, 3], assigned: has(0, 1), ...alike },
    { memberId: SECOND, epochs: [3, 3], assigned: has(2, 3), ...alike },
  ])
  t.deepEqual(group.targets.get(SECOND), new Map([[TOPIC_ID, [2, 3]]]))
  t.is(coordinator.offsets.get('kg1', 'kt', 1)?.offset, 6)
})

/** The group APIs through the codecs of each version, with a coordinator over logs in memory. */
import test from 'ava'
import { offsetCommit } from '../../../src/broker/handlers/08-offset-commit.ts'
import { offsetFetch } from '../../../src/broker/handlers/09-offset-fetch.ts'
import { findCoordinator } from '../../../src/broker/handlers/10-find-coordinator.ts'
import { joinGroup } from '../../../src/broker/handlers/11-join-group.ts'
import { heartbeat } from '../../../src/broker/handlers/12-heartbeat.ts'
import { leaveGroup } from '../../../src/broker/handlers/13-leave-group.ts'
import { syncGroup } from '../../../src/broker/handlers/14-sync-group.ts'
import { describeGroups } from '../../../src/broker/handlers/15-describe-groups.ts'
import { listGroups } from '../../../src/broker/handlers/16-list-groups.ts'
import { deleteGroups } from '../../../src/broker/handlers/42-delete-groups.ts'
import { offsetDelete } from '../../../src/broker/handlers/47-offset-delete.ts'
import { OffsetCommit } from '../../../src/protocol/apis/08-offset-commit.ts'
import { OffsetFetch } from '../../../src/protocol/apis/09-offset-fetch.ts'
import { FindCoordinator } from '../../../src/protocol/apis/10-find-coordinator.ts'
import { JoinGroup } from '../../../src/protocol/apis/11-join-group.ts'
import { Heartbeat } from '../../../src/protocol/apis/12-heartbeat.ts'
import { LeaveGroup } from '../../../src/protocol/apis/13-leave-group.ts'
import { SyncGroup } from '../../../src/protocol/apis/14-sync-group.ts'
import { DescribeGroups } from '../../../src/protocol/apis/15-describe-groups.ts'
import { ListGroups } from '../../../src/protocol/apis/16-list-groups.ts'
import { DeleteGroups } from '../../../src/protocol/apis/42-delete-groups.ts'
import { OffsetDelete } from '../../../src/protocol/apis/47-offset-delete.ts'
import { ErrorCode } from '../../../src/protocol/errors.ts'
import { addTopic, TestBroker } from '../../support/cluster.ts'

/** A broker with the topics `t` (2 partitions) and `__consumer_offsets`. */
function brokerWithGroups(): { broker: TestBroker; topicId: string } {
  const broker = new TestBroker({ configs: { 'offsets.topic.num.partitions': '5' } })
  const topicId = addTopic(broker.image, 't', { partitions: 2 })
  broker.ask(findCoordinator, FindCoordinator, { key: 'g' }, 1)
  return { broker, topicId }
}

const joinOf = (memberId: string) => ({
  groupId: 'g',
  sessionTimeoutMs: 10_000,
  memberId,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: Buffer.from([0, 0, 0, 0, 0, 1, 0, 1, 116, 0, 0, 0, 0]) }],
})

/** Joins as the only member; its id. */
function joined(broker: TestBroker): string {
  const { memberId } = broker.ask(joinGroup, JoinGroup, joinOf(''), 3)
  const assignments = [{ memberId, assignment: Buffer.from('mine') }]
  const request = { groupId: 'g', generationId: 1, memberId, assignments }
  broker.ask(syncGroup, SyncGroup, request, 3)
  return memberId
}

test('the topic of groups is made for the first who looks for a coordinator', (t) => {
  const broker = new TestBroker({ configs: { 'offsets.topic.num.partitions': '7' } })
  t.is(broker.image.topic('__consumer_offsets'), undefined)
  const request = { coordinatorKeys: ['a', 'b'] }
  const { coordinators } = broker.ask(findCoordinator, FindCoordinator, request, 4)
  t.deepEqual(
    coordinators.map(({ errorCode, host }) => [errorCode, host]),
    [
      [0, 'broker.test'],
      [0, 'broker.test'],
    ],
  )
  const topic = broker.image.topic('__consumer_offsets')
  t.is(topic?.partitions.length, 7)
  t.true(topic?.internal)
  t.is(topic?.configs.get('cleanup.policy'), 'compact')
})

for (let version = 0; version <= 9; version++) {
  test(`JoinGroup v${version} makes a member of a new group`, (t) => {
    const { broker } = brokerWithGroups()
    let answer = broker.ask(joinGroup, JoinGroup, joinOf(''), version)
    if (version >= 4) {
      t.is(answer.errorCode, ErrorCode.MEMBER_ID_REQUIRED)
      answer = broker.ask(joinGroup, JoinGroup, joinOf(answer.memberId), version)
    }
    t.is(answer.errorCode, 0)
    t.is(answer.generationId, 1)
    t.is(answer.leader, answer.memberId)
    t.is(answer.protocolName, 'range')
    t.is(answer.members.length, 1)
    t.regex(answer.memberId, /^test-[0-9a-f-]{36}$/)
  })

  test(`JoinGroup v${version} carries a refusal`, (t) => {
    const { broker } = brokerWithGroups()
    const answer = broker.ask(joinGroup, JoinGroup, joinOf('nobody'), version)
    t.is(answer.errorCode, ErrorCode.UNKNOWN_MEMBER_ID)
    t.is(answer.protocolName, version >= 7 ? null : '')
    broker.coordinatorIsLost = true
    const lost = broker.ask(joinGroup, JoinGroup, joinOf('nobody'), version)
    t.is(lost.errorCode, ErrorCode.NOT_COORDINATOR)
  })
}

for (let version = 0; version <= 5; version++) {
  test(`SyncGroup v${version} gives the assignment that is in the log`, (t) => {
    const { broker } = brokerWithGroups()
    const memberId = joined(broker)
    const protocol = version >= 5 ? { protocolType: 'consumer', protocolName: 'range' } : {}
    const request = { groupId: 'g', generationId: 1, memberId, ...protocol }
    t.is(String(broker.ask(syncGroup, SyncGroup, request, version).assignment), 'mine')
    if (version < 5) return
    const silent = { ...request, protocolName: null }
    const refused = broker.ask(syncGroup, SyncGroup, silent, version)
    t.is(refused.errorCode, ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  })
}

for (let version = 0; version <= 4; version++) {
  test(`Heartbeat v${version} knows the generation`, (t) => {
    const { broker } = brokerWithGroups()
    const memberId = joined(broker)
    const beat = (generationId: number) => {
      return broker.ask(heartbeat, Heartbeat, { groupId: 'g', generationId, memberId }, version)
        .errorCode
    }
    t.is(beat(1), 0)
    t.is(beat(2), ErrorCode.ILLEGAL_GENERATION)
  })
}

for (let version = 0; version <= 5; version++) {
  test(`LeaveGroup v${version} says how it went for each`, (t) => {
    const { broker } = brokerWithGroups()
    const memberId = joined(broker)
    const request = (id: string) => {
      return version < 3
        ? { groupId: 'g', memberId: id }
        : { groupId: 'g', members: [{ memberId: id }] }
    }
    const wrong = broker.ask(leaveGroup, LeaveGroup, request('nobody'), version)
    t.is(version < 3 ? wrong.errorCode : wrong.members[0]?.errorCode, ErrorCode.UNKNOWN_MEMBER_ID)
    t.is(broker.ask(leaveGroup, LeaveGroup, request(memberId), version).errorCode, 0)
  })
}

for (let version = 2; version <= 10; version++) {
  test(`OffsetCommit v${version} and every OffsetFetch agree`, (t) => {
    const { broker, topicId } = brokerWithGroups()
    const topic = version >= 10 ? { topicId } : { name: 't' }
    const partitions = [
      { partitionIndex: 1, committedOffset: 42, committedMetadata: 'm' },
      { partitionIndex: 5, committedOffset: 42 },
    ]
    const request = { groupId: 'g', topics: [{ ...topic, partitions }] }
    const answer = broker.ask(offsetCommit, OffsetCommit, request, version)
    t.deepEqual(
      answer.topics[0]?.partitions.map(({ errorCode }) => errorCode),
      [0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    )
    for (let fetched = 1; fetched <= 7; fetched++) {
      const topics = [{ name: 't', partitionIndexes: [0, 1] }]
      const found = broker.ask(offsetFetch, OffsetFetch, { groupId: 'g', topics }, fetched)
      t.deepEqual(found.topics[0]?.partitions.map(offsetOf), ['-1 ', '42 m'])
    }
    for (let fetched = 8; fetched <= 10; fetched++) {
      const named = fetched >= 10 ? { topicId } : { name: 't' }
      const topics = [{ ...named, partitionIndexes: [0, 1] }]
      const groups = [
        { groupId: 'g', topics },
        { groupId: 'g', topics: null },
      ]
      const found = broker.ask(offsetFetch, OffsetFetch, { groups }, fetched)
      t.deepEqual(found.groups[0]?.topics[0]?.partitions.map(offsetOf), ['-1 ', '42 m'])
      t.deepEqual(found.groups[1]?.topics[0]?.partitions.map(offsetOf), ['42 m'])
    }
  })
}

for (let version = 0; version <= 6; version++) {
  test(`DescribeGroups v${version} tells of members and of groups that are not there`, (t) => {
    const { broker } = brokerWithGroups()
    joined(broker)
    const asks = version >= 3 ? { includeAuthorizedOperations: true } : {}
    const request = { groups: ['g', 'nowhere'], ...asks }
    const { groups } = broker.ask(describeGroups, DescribeGroups, request, version)
    const [group, nowhere] = groups
    t.is(group?.groupState, 'Stable')
    t.is(String(group?.members[0]?.memberAssignment), 'mine')
    t.is(group?.authorizedOperations, version >= 3 ? 3400 : -2147483648)
    t.is(nowhere?.groupState, 'Dead')
    t.is(nowhere?.errorCode, version >= 6 ? ErrorCode.GROUP_ID_NOT_FOUND : 0)
  })
}

for (let version = 0; version <= 5; version++) {
  test(`ListGroups v${version} lists what is there`, (t) => {
    const { broker } = brokerWithGroups()
    joined(broker)
    const { groups } = broker.ask(listGroups, ListGroups, {}, version)
    t.deepEqual(groups, [
      {
        groupId: 'g',
        protocolType: 'consumer',
        groupState: version >= 4 ? 'Stable' : '',
        groupType: version >= 5 ? 'classic' : '',
      },
    ])
  })
}

for (let version = 0; version <= 2; version++) {
  test(`DeleteGroups v${version} deletes empty groups only`, (t) => {
    const { broker } = brokerWithGroups()
    const memberId = joined(broker)
    const remove = () => {
      return broker.ask(deleteGroups, DeleteGroups, { groupsNames: ['g'] }, version).results[0]
        ?.errorCode
    }
    t.is(remove(), ErrorCode.NON_EMPTY_GROUP)
    broker.ask(leaveGroup, LeaveGroup, { groupId: 'g', memberId }, 0)
    t.is(remove(), 0)
    t.is(remove(), ErrorCode.GROUP_ID_NOT_FOUND)
  })
}

test('OffsetDelete refuses offsets of topics that are read', (t) => {
  const { broker } = brokerWithGroups()
  joined(broker)
  const topics = [{ name: 't', partitions: [{ partitionIndex: 0 }] }]
  const answer = broker.ask(offsetDelete, OffsetDelete, { groupId: 'g', topics }, 0)
  t.is(answer.topics[0]?.partitions[0]?.errorCode, ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC)
  const unknown = broker.ask(offsetDelete, OffsetDelete, { groupId: 'x', topics }, 0)
  t.is(unknown.errorCode, ErrorCode.GROUP_ID_NOT_FOUND)
})

function offsetOf({ committedOffset, metadata }: { committedOffset: number; metadata: unknown }) {
  return `${committedOffset} ${metadata}`
}

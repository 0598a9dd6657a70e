/** The handlers of streams groups through the codecs, with the controller that creates topics. */
import test from 'ava'
import { findCoordinator } from '../../../src/broker/handlers/10-find-coordinator.ts'
import { joinGroup } from '../../../src/broker/handlers/11-join-group.ts'
import { apiVersionsResponse } from '../../../src/broker/handlers/18-api-versions.ts'
import { streamsGroupHeartbeat } from '../../../src/broker/handlers/88-streams-group-heartbeat.ts'
import { streamsGroupDescribe } from '../../../src/broker/handlers/89-streams-group-describe.ts'
import { handlers } from '../../../src/broker/handlers/index.ts'
import { GROUP_OPERATIONS } from '../../../src/broker/handlers/operations.ts'
import { FindCoordinator } from '../../../src/protocol/apis/10-find-coordinator.ts'
import { JoinGroup } from '../../../src/protocol/apis/11-join-group.ts'
import { StreamsGroupHeartbeat } from '../../../src/protocol/apis/88-streams-group-heartbeat.ts'
import { StreamsGroupDescribe } from '../../../src/protocol/apis/89-streams-group-describe.ts'
import { ErrorCode } from '../../../src/protocol/errors.ts'
import { addTopic, TestBroker } from '../../support/cluster.ts'

function brokerWithGroups(configs: Readonly<Record<string, string>> = {}): TestBroker {
  const broker = new TestBroker({
    configs: {
      'offsets.topic.num.partitions': '2',
      'group.streams.initial.rebalance.delay.ms': '0',
      'group.streams.assignment.interval.ms': '0',
      ...configs,
    },
  })
  addTopic(broker.image, 'in', { partitions: 2 })
  broker.ask(findCoordinator, FindCoordinator, { key: 'g' }, 1)
  return broker
}

const changelog = (configs: Readonly<Record<string, string>>) => ({
  name: 'g-counts-changelog',
  topicConfigs: Object.entries(configs).map(([key, value]) => ({ key, value })),
})

const joinWith = (configs: Readonly<Record<string, string>>) => ({
  groupId: 'g',
  memberId: 'm',
  memberEpoch: 0,
  rebalanceTimeoutMs: 60_000,
  processId: 'p',
  clientTags: [{ key: 'zone', value: 'a' }],
  userEndpoint: { host: 'here', port: 65_535 },
  activeTasks: [],
  standbyTasks: [],
  warmupTasks: [],
  topology: {
    epoch: 0,
    subtopologies: [
      {
        subtopologyId: '0',
        sourceTopics: ['in'],
        stateChangelogTopics: [changelog(configs)],
      },
    ],
  },
})

const join = joinWith({ 'cleanup.policy': 'compact' })

const active = [{ subtopologyId: '0', partitions: [0, 1] }]

test('a streams group gets its internal topics from the controller, and then its tasks', (t) => {
  const broker = brokerWithGroups()
  const first = broker.ask(streamsGroupHeartbeat, StreamsGroupHeartbeat, join)
  t.is(first.errorCode, ErrorCode.NONE)
  t.deepEqual(first.activeTasks, [])
  t.deepEqual(first.status, [
    { statusCode: 3, statusDetail: 'Internal topics are missing: g-counts-changelog' },
  ])
  const topic = broker.image.topic('g-counts-changelog')
  t.is(topic?.partitions.length, 2)
  t.is(topic?.configs.get('cleanup.policy'), 'compact')
  const beat = { groupId: 'g', memberId: 'm', memberEpoch: first.memberEpoch }
  const second = broker.ask(streamsGroupHeartbeat, StreamsGroupHeartbeat, beat)
  t.deepEqual(second.status, [])
  t.deepEqual(second.activeTasks, active)
  t.deepEqual(second.partitionsByUserEndpoint, [
    {
      userEndpoint: { host: 'here', port: 65_535 },
      activePartitions: [{ topic: 'in', partitions: [0, 1] }],
      standbyPartitions: [],
    },
  ])
})

test('topics that the controller refuses are told of with its reason', (t) => {
  const broker = brokerWithGroups()
  const refused = joinWith({ 'no.such.setting': 'x' })
  const { memberEpoch } = broker.ask(streamsGroupHeartbeat, StreamsGroupHeartbeat, refused)
  const beat = { groupId: 'g', memberId: 'm', memberEpoch }
  const { status } = broker.ask(streamsGroupHeartbeat, StreamsGroupHeartbeat, beat)
  t.regex(status?.[0]?.statusDetail ?? '', /; Creation failed: g-counts-changelog \(.+\)\.$/)
})

test('a streams group is described, also after the coordinator began anew', (t) => {
  const broker = brokerWithGroups()
  const { memberEpoch } = broker.ask(streamsGroupHeartbeat, StreamsGroupHeartbeat, join)
  const beat = { groupId: 'g', memberId: 'm', memberEpoch }
  broker.ask(streamsGroupHeartbeat, StreamsGroupHeartbeat, beat)
  const request = { groupIds: ['g', 'nobody', ''], includeAuthorizedOperations: true }
  const before = broker.ask(streamsGroupDescribe, StreamsGroupDescribe, request)
  const [group, nobody, unnamed] = before.groups
  t.is(group?.groupState, 'Stable')
  t.is(group?.authorizedOperations, GROUP_OPERATIONS)
  t.is(group?.topology?.subtopologies?.[0]?.stateChangelogTopics[0]?.partitions, 2)
  const [member] = group?.members ?? []
  t.deepEqual(member?.assignment.activeTasks, active)
  t.deepEqual(member?.targetAssignment.activeTasks, active)
  t.deepEqual(member?.userEndpoint, { host: 'here', port: 65_535 })
  t.deepEqual(member?.clientTags, [{ key: 'zone', value: 'a' }])
  t.is(nobody?.errorCode, ErrorCode.GROUP_ID_NOT_FOUND)
  t.is(unnamed?.errorCode, ErrorCode.INVALID_GROUP_ID)
  broker.restartCoordinator().advance(1)
  const after = broker.ask(streamsGroupDescribe, StreamsGroupDescribe, request)
  t.deepEqual(after.groups[0]?.members, group?.members)
})

test('a group of one kind is not entered with the protocol of another while it has members', (t) => {
  const broker = brokerWithGroups()
  broker.ask(streamsGroupHeartbeat, StreamsGroupHeartbeat, join)
  const classic = {
    groupId: 'g',
    memberId: '',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
  }
  const refused = broker.ask(joinGroup, JoinGroup, classic, 5)
  t.is(refused.errorCode, ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  const leave = { groupId: 'g', memberId: 'm', memberEpoch: -1 }
  broker.ask(streamsGroupHeartbeat, StreamsGroupHeartbeat, leave)
  const entered = broker.ask(joinGroup, JoinGroup, classic, 5)
  t.is(entered.errorCode, ErrorCode.MEMBER_ID_REQUIRED)
})

test('the protocol can be switched off', (t) => {
  const broker = brokerWithGroups({ 'group.coordinator.rebalance.protocols': 'classic,consumer' })
  const answer = broker.ask(streamsGroupHeartbeat, StreamsGroupHeartbeat, join)
  t.is(answer.errorCode, ErrorCode.UNSUPPORTED_VERSION)
})

test('a coordinator that is lost is said to be another one', (t) => {
  const broker = brokerWithGroups()
  broker.coordinatorIsLost = true
  const beat = broker.ask(streamsGroupHeartbeat, StreamsGroupHeartbeat, join)
  t.is(beat.errorCode, ErrorCode.NOT_COORDINATOR)
  const described = broker.ask(streamsGroupDescribe, StreamsGroupDescribe, { groupIds: ['g'] })
  t.is(described.groups[0]?.errorCode, ErrorCode.NOT_COORDINATOR)
})

test('ApiVersions names streams.version where heartbeats are served', (t) => {
  const named = (of: readonly (typeof handlers)[number][]) =>
    apiVersionsResponse(of, 4).finalizedFeatures?.some(({ name }) => name === 'streams.version')
  t.true(named(handlers))
  t.false(named(handlers.filter(({ api }) => api.key !== 88)))
})

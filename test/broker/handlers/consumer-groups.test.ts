/** ConsumerGroupHeartbeat and ConsumerGroupDescribe through the codecs of each version. */
import test from 'ava'
import { findCoordinator } from '../../../src/broker/handlers/10-find-coordinator.ts'
import { apiVersionsResponse } from '../../../src/broker/handlers/18-api-versions.ts'
import { consumerGroupHeartbeat } from '../../../src/broker/handlers/68-consumer-group-heartbeat.ts'
import { consumerGroupDescribe } from '../../../src/broker/handlers/69-consumer-group-describe.ts'
import { handlers } from '../../../src/broker/handlers/index.ts'
import { GROUP_OPERATIONS } from '../../../src/broker/handlers/operations.ts'
import { FindCoordinator } from '../../../src/protocol/apis/10-find-coordinator.ts'
import { ConsumerGroupHeartbeat } from '../../../src/protocol/apis/68-consumer-group-heartbeat.ts'
import { ConsumerGroupDescribe } from '../../../src/protocol/apis/69-consumer-group-describe.ts'
import { ErrorCode } from '../../../src/protocol/errors.ts'
import { addTopic, TestBroker } from '../../support/cluster.ts'

function brokerWithGroups(): { broker: TestBroker; topicId: string } {
  const broker = new TestBroker({ configs: { 'offsets.topic.num.partitions': '5' } })
  const topicId = addTopic(broker.image, 't', { partitions: 2 })
  broker.ask(findCoordinator, FindCoordinator, { key: 'g' }, 1)
  return { broker, topicId }
}

const joinOf = (memberId: string) => ({
  groupId: 'g',
  memberId,
  memberEpoch: 0,
  rebalanceTimeoutMs: 60_000,
  subscribedTopicNames: ['t'],
  topicPartitions: [],
})

for (const version of [0, 1]) {
  test(`ConsumerGroupHeartbeat v${version} gives a new member its partitions`, (t) => {
    const { broker, topicId } = brokerWithGroups()
    const request = joinOf(version === 0 ? '' : 'm')
    const answer = broker.ask(consumerGroupHeartbeat, ConsumerGroupHeartbeat, request, version)
    t.is(answer.errorCode, ErrorCode.NONE)
    t.regex(answer.memberId ?? '', version === 0 ? /^[\w-]{22}$/ : /^m$/)
    t.is(answer.memberEpoch, 2)
    t.is(answer.heartbeatIntervalMs, 5000)
    t.deepEqual(answer.assignment, { topicPartitions: [{ topicId, partitions: [0, 1] }] })
  })

  test(`ConsumerGroupDescribe v${version} tells of members and what they may do`, (t) => {
    const { broker, topicId } = brokerWithGroups()
    broker.ask(consumerGroupHeartbeat, ConsumerGroupHeartbeat, joinOf('m'), 1)
    const request = { groupIds: ['g', 'nobody'], includeAuthorizedOperations: true }
    const answer = broker.ask(consumerGroupDescribe, ConsumerGroupDescribe, request, version)
    const [group, nobody] = answer.groups
    t.is(group?.groupState, 'Stable')
    t.is(group?.assignorName, 'uniform')
    t.is(group?.authorizedOperations, GROUP_OPERATIONS)
    t.is(group?.members[0]?.memberType, version === 0 ? -1 : 1)
    t.deepEqual(group?.members[0]?.assignment.topicPartitions, [
      { topicId, topicName: 't', partitions: [0, 1] },
    ])
    t.is(nobody?.errorCode, ErrorCode.GROUP_ID_NOT_FOUND)
  })
}

test('a member that is unknown, or comes with another epoch, is told why', (t) => {
  const { broker } = brokerWithGroups()
  const beat = (memberId: string, memberEpoch: number) => {
    const request = { groupId: 'g', memberId, memberEpoch }
    return broker.ask(consumerGroupHeartbeat, ConsumerGroupHeartbeat, request, 1).errorCode
  }
  t.is(beat('m', 1), ErrorCode.GROUP_ID_NOT_FOUND)
  broker.ask(consumerGroupHeartbeat, ConsumerGroupHeartbeat, joinOf('m'), 1)
  t.is(beat('other', 2), ErrorCode.UNKNOWN_MEMBER_ID)
  t.is(beat('m', 3), ErrorCode.FENCED_MEMBER_EPOCH)
  t.is(beat('m', 2), ErrorCode.NONE)
})

test('ApiVersions names group.version where heartbeats are served, from v4 on as supported', (t) => {
  const named = (features: readonly { name?: string }[] | undefined) =>
    features?.some(({ name }) => name === 'group.version')
  const old = apiVersionsResponse(handlers, 3)
  const current = apiVersionsResponse(handlers, 4)
  t.deepEqual([named(old.supportedFeatures), named(old.finalizedFeatures)], [false, true])
  t.deepEqual([named(current.supportedFeatures), named(current.finalizedFeatures)], [true, true])
  const without = handlers.filter(({ api }) => api.key !== 68)
  t.false(named(apiVersionsResponse(without, 4).finalizedFeatures))
})

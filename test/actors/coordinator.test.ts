/** The coordinator actor: its topic, loading, what it does with bad logs and with its own end. */
import test from 'ava'
import type { CoordinatorAnswers } from '../../src/actors/mailbox/coordinator.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import { buildBatch } from '../../src/protocol/record-batch.ts'
import { addTopic, TestBroker } from '../support/cluster.ts'

const client = { apiVersion: 3, clientId: 'c', clientHost: '/127.0.0.1' }

function brokerWithTopic(): TestBroker {
  const broker = new TestBroker({ configs: { 'offsets.topic.num.partitions': '1' } })
  addTopic(broker.image, 't')
  broker.coordinator.actor.onCommand({ kind: 'ensure-offsets-topic' }, () => undefined)
  return broker
}

function join(
  broker: TestBroker,
  memberId: string,
  answer: (result: CoordinatorAnswers['join-group']) => void,
): void {
  const request = {
    groupId: 'g',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    memberId,
    groupInstanceId: null,
    protocolType: 'x',
    protocols: [{ name: 'p', metadata: Buffer.from('m') }],
    reason: null,
  }
  broker.coordinator.actor.onCommand({ kind: 'join-group', ...client, request }, answer)
}

function sync(broker: TestBroker, memberId: string): void {
  const request = {
    groupId: 'g',
    generationId: 1,
    memberId,
    groupInstanceId: null,
    protocolType: null,
    protocolName: null,
    assignments: [{ memberId, assignment: Buffer.from('mine') }],
  }
  broker.coordinator.actor.onCommand({ kind: 'sync-group', ...client, request }, () => undefined)
}

/** The error code of a heartbeat, and the state of the group. */
function look(broker: TestBroker, memberId: string): string {
  let text = ''
  const { actor } = broker.coordinator
  const beat = { groupId: 'g', generationId: 1, memberId, groupInstanceId: null }
  actor.onCommand({ kind: 'heartbeat', ...client, request: beat }, ({ errorCode }) => {
    text = String(errorCode)
  })
  const request = { groups: ['g'], includeAuthorizedOperations: false }
  actor.onCommand({ kind: 'describe-groups', ...client, request }, ({ groups }) => {
    text += ` ${groups?.[0]?.errorCode} ${groups?.[0]?.groupState}`
  })
  return text
}

function stableGroup(broker: TestBroker): string {
  let memberId = ''
  join(broker, '', (answer) => {
    memberId = answer.memberId ?? ''
  })
  sync(broker, memberId)
  return memberId
}

test('a group goes on where it was when the coordinator comes back', (t) => {
  const broker = brokerWithTopic()
  const memberId = stableGroup(broker)
  t.is(look(broker, memberId), '0 0 Stable')
  const again = broker.restartCoordinator()
  // Nobody is lost for not being known yet.
  t.is(look(broker, memberId), `0 ${ErrorCode.COORDINATOR_LOAD_IN_PROGRESS} `)
  again.advance(10)
  t.is(look(broker, memberId), '0 0 Stable')
  t.true(broker.logs.messages.includes('groups are loaded'))
  again.advance(9000)
  t.is(look(broker, memberId), '0 0 Stable')
  again.advance(10_100)
  t.is(look(broker, memberId), `${ErrorCode.UNKNOWN_MEMBER_ID} 0 Empty`)
})

test('a member is missed in time, however often others ask', (t) => {
  const broker = brokerWithTopic()
  // Between two ticks of the timers, as almost always: the first look at them comes too early.
  broker.coordinator.advance(3)
  stableGroup(broker)
  const request = { groups: ['g'], includeAuthorizedOperations: false }
  let state: string | undefined
  for (let sinceMs = 0; sinceMs <= 10_100; sinceMs += 5) {
    broker.coordinator.actor.onCommand(
      { kind: 'describe-groups', ...client, request },
      ({ groups }) => {
        state = groups?.[0]?.groupState
      },
    )
    if (sinceMs < 10_000) t.is(state, 'Stable')
    broker.coordinator.advance(5)
  }
  t.is(state, 'Empty')
})

test('a partition that is offline is loaded when it is back', (t) => {
  const broker = brokerWithTopic()
  const memberId = stableGroup(broker)
  const slot = broker.image.topic('__consumer_offsets')!.partitions[0]!.slot
  broker.logs.readOutcomes.set(slot, ErrorCode.KAFKA_STORAGE_ERROR)
  const again = broker.restartCoordinator()
  again.advance(5000)
  t.is(look(broker, memberId), `0 ${ErrorCode.COORDINATOR_LOAD_IN_PROGRESS} `)
  broker.logs.readOutcomes.clear()
  again.advance(1000)
  t.is(look(broker, memberId), '0 0 Stable')
})

test('records that nobody understands are left out, and said', (t) => {
  const broker = brokerWithTopic()
  const memberId = stableGroup(broker)
  const slot = broker.image.topic('__consumer_offsets')!.partitions[0]!.slot
  const strange = [
    { key: Buffer.from([0, 99, 1, 2, 3]), value: Buffer.from([1]) },
    { key: null, value: Buffer.from([1]) },
    { key: Buffer.from([0, 2, 0, 9, 65]), value: null },
    { key: Buffer.from([0, 2, 0, 1, 103]), value: Buffer.from([0, 77]) },
  ]
  broker.logs.append(
    slot,
    buildBatch({ records: strange }, () => 0),
  )
  broker.restartCoordinator().advance(10)
  t.is(look(broker, memberId), '0 0 Stable')
  t.is(broker.logs.messages.filter((one) => one.includes('is left out')).length, 3)
})

test('a coordinator that stops answers what it held', (t) => {
  const broker = brokerWithTopic()
  stableGroup(broker)
  const answers: unknown[] = []
  join(broker, '', ({ errorCode }) => answers.push(errorCode))
  t.deepEqual(answers, [])
  broker.coordinator.actor.stop()
  t.deepEqual(answers, [ErrorCode.NOT_COORDINATOR])
  join(broker, '', ({ errorCode }) => answers.push(errorCode))
  t.deepEqual(answers, [ErrorCode.NOT_COORDINATOR, ErrorCode.NOT_COORDINATOR])
})

test('groups go with their topic, and a new topic begins with none', (t) => {
  const broker = brokerWithTopic()
  const memberId = stableGroup(broker)
  const { name, id } = broker.image.topic('__consumer_offsets')!
  broker.image.apply({ kind: 'topic-deleted', name, id })
  t.is(
    look(broker, memberId),
    `${ErrorCode.COORDINATOR_NOT_AVAILABLE} ${ErrorCode.COORDINATOR_NOT_AVAILABLE} `,
  )
  broker.coordinator.actor.onCommand({ kind: 'ensure-offsets-topic' }, () => undefined)
  t.is(look(broker, memberId), `${ErrorCode.UNKNOWN_MEMBER_ID} 0 Dead`)
})

test('the offsets of a deleted topic are deleted', (t) => {
  const broker = brokerWithTopic()
  const { actor } = broker.coordinator
  const partition = { committedOffset: 5, committedLeaderEpoch: -1, committedMetadata: null }
  const topicId = 'AAAAAAAAAAAAAAAAAAAAAA'
  const topics = [{ name: 't', topicId, partitions: [{ partitionIndex: 0, ...partition }] }]
  const of = { groupId: 'g', memberId: '', groupInstanceId: null, retentionTimeMs: -1 }
  const request = { ...of, generationIdOrMemberEpoch: -1, topics }
  actor.onCommand({ kind: 'offset-commit', ...client, request }, () => undefined)
  const offsets = () => {
    let text = ''
    const fetch = { groupId: 'g', topics: null, groups: [], requireStable: false }
    actor.onCommand({ kind: 'offset-fetch', ...client, request: fetch }, (answer) => {
      text = JSON.stringify(answer.topics)
    })
    return text
  }
  t.true(offsets().includes('"committedOffset":5'))
  const gone = [{ name: 't', id: topicId }]
  broker.controller.onCommand({ kind: 'delete-topics', topics: gone }, () => undefined)
  t.is(offsets(), '[]')
})

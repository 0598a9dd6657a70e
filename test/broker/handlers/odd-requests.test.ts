/** Answers to requests that no client means, as Apache Kafka gives them. */
import test from 'ava'
import { FetchSessionCache } from '../../../src/broker/fetch-session.ts'
import { electLeaders } from '../../../src/broker/handlers/43-elect-leaders.ts'
import { alterPartitionReassignments } from '../../../src/broker/handlers/45-alter-partition-reassignments.ts'
import { deleteTopics } from '../../../src/cluster/delete-topics.ts'
import { ElectLeaders } from '../../../src/protocol/apis/43-elect-leaders.ts'
import { AlterPartitionReassignments } from '../../../src/protocol/apis/45-alter-partition-reassignments.ts'
import { ErrorCode } from '../../../src/protocol/errors.ts'
import { addTopic, TestBroker } from '../../support/cluster.ts'

test('elections and reassignments that are granted no time are not begun', (t) => {
  const broker = new TestBroker()
  addTopic(broker.image, 'a')
  for (const timeoutMs of [0, -1]) {
    const topicPartitions = [{ topic: 'a', partitions: [0] }]
    const elected = broker.ask(electLeaders, ElectLeaders, { topicPartitions, timeoutMs })
    t.is(elected.errorCode, ErrorCode.REQUEST_TIMED_OUT)
    const [first] = elected.replicaElectionResults
    t.is(first?.partitionResult[0]?.errorCode, ErrorCode.REQUEST_TIMED_OUT)
    const [old] = broker.ask(
      electLeaders,
      ElectLeaders,
      { topicPartitions, timeoutMs },
      0,
    ).replicaElectionResults
    t.is(old?.partitionResult[0]?.errorCode, ErrorCode.REQUEST_TIMED_OUT)
    const topics = [{ name: 'a', partitions: [{ partitionIndex: 0, replicas: [1] }] }]
    const asked = { topics, timeoutMs }
    const moved = broker.ask(alterPartitionReassignments, AlterPartitionReassignments, asked)
    t.is(moved.errorCode, ErrorCode.REQUEST_TIMED_OUT)
    t.is(moved.responses[0]?.partitions[0]?.errorCode, ErrorCode.REQUEST_TIMED_OUT)
  }
})

test('a new fetch session has forgotten nothing', (t) => {
  const sessions = new FetchSessionCache(
    () => 10,
    () => 0.5,
  )
  const target = {
    topic: 'a',
    partition: 0,
    fetchOffset: 0,
    maxBytes: 1000,
    currentLeaderEpoch: -1,
    lastFetchedEpoch: -1,
    sentHighWatermark: -1,
    sentLogStartOffset: -1,
  }
  const forgotten = [{ topic: 'a', partition: 0 }]
  const request = { usesTopicIds: false, targets: [target], forgotten }
  const plan = sessions.plan({ ...request, sessionId: 0, sessionEpoch: 0 }, 0)
  t.is(plan.kind, 'full')
  t.is(plan.kind === 'full' ? plan.targets.length : 0, 1)
})

test('a topic that is asked by name and by id is answered once, with both', (t) => {
  const broker = new TestBroker()
  const id = addTopic(broker.image, 'a')
  const nameless = { name: null, id }
  const named = { name: 'a', id: 'AAAAAAAAAAAAAAAAAAAAAA' }
  const { answers, deltas } = deleteTopics(broker.image, [nameless, named])
  t.deepEqual(
    answers.map(({ name, id, errorCode }) => [name, id, errorCode]),
    [['a', id, ErrorCode.INVALID_REQUEST]],
  )
  t.is(deltas.length, 0)
})

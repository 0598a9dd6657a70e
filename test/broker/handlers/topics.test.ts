import test from 'ava'
import { metadata } from '../../../src/broker/handlers/03-metadata.ts'
import { createTopics } from '../../../src/broker/handlers/19-create-topics.ts'
import { deleteTopics } from '../../../src/broker/handlers/20-delete-topics.ts'
import { createPartitions } from '../../../src/broker/handlers/37-create-partitions.ts'
import { describeCluster } from '../../../src/broker/handlers/60-describe-cluster.ts'
import { describeTopicPartitions } from '../../../src/broker/handlers/75-describe-topic-partitions.ts'
import { Metadata } from '../../../src/protocol/apis/03-metadata.ts'
import { CreateTopics } from '../../../src/protocol/apis/19-create-topics.ts'
import { DeleteTopics } from '../../../src/protocol/apis/20-delete-topics.ts'
import { CreatePartitions } from '../../../src/protocol/apis/37-create-partitions.ts'
import { DescribeCluster } from '../../../src/protocol/apis/60-describe-cluster.ts'
import {
  DescribeTopicPartitions,
  type DescribeTopicPartitionsResponse,
} from '../../../src/protocol/apis/75-describe-topic-partitions.ts'
import { ErrorCode, errorName } from '../../../src/protocol/errors.ts'
import { addTopic, TestBroker } from '../../support/cluster.ts'

type Described = { readonly errorCode: number; readonly name: string | null }
const named = ({ errorCode, name }: Described) => `${name} ${errorName(errorCode as ErrorCode)}`

function brokerWith(topics: Record<string, number>): TestBroker {
  const broker = new TestBroker()
  for (const [name, partitions] of Object.entries(topics))
    addTopic(broker.image, name, { partitions })
  return broker
}

for (let version = 0; version <= 13; version++) {
  test(`Metadata v${version} describes all topics, or the one that is asked for`, (t) => {
    const broker = brokerWith({ a: 2, b: 1 })
    const all = version === 0 ? [] : null
    const answer = broker.ask(metadata, Metadata, { topics: all }, version)
    t.deepEqual(answer.topics.map(named), ['a NONE', 'b NONE'])
    t.deepEqual(
      answer.topics[0]?.partitions.map(({ leaderId }) => leaderId),
      [1, 1],
    )
    t.like(answer.brokers[0], { nodeId: 1, host: 'broker.test', port: 9092 })
    const one = broker.ask(metadata, Metadata, { topics: [{ name: 'b' }] }, version)
    t.deepEqual(one.topics.map(named), ['b NONE'])
  })
}

test('a topic that is used for the first time is answered complete', (t) => {
  const broker = new TestBroker()
  const topics = [{ name: 'new' }, { name: 'bad name' }, { name: '__consumer_offsets' }]
  const answer = broker.ask(metadata, Metadata, { topics })
  t.deepEqual(answer.topics.map(named), [
    'new NONE',
    'bad name INVALID_TOPIC_EXCEPTION',
    '__consumer_offsets NONE',
  ])
  t.is(answer.topics[0]?.partitions.length, 1)
  t.like(answer.topics[2], { isInternal: true })
  t.is(answer.topics[2]?.partitions.length, 50)
  t.is(answer.topics[0]?.topicId, broker.image.topic('new')?.id)
})

test('no topic is created where client or broker do not want it', (t) => {
  const asked = { topics: [{ name: 'new' }], allowAutoTopicCreation: false }
  const unwilling = new TestBroker().ask(metadata, Metadata, asked)
  t.deepEqual(unwilling.topics.map(named), ['new UNKNOWN_TOPIC_OR_PARTITION'])
  const broker = new TestBroker({ configs: { 'auto.create.topics.enable': 'false' } })
  const answer = broker.ask(metadata, Metadata, { topics: [{ name: 'new' }] })
  t.deepEqual(answer.topics.map(named), ['new UNKNOWN_TOPIC_OR_PARTITION'])
  t.is(broker.image.topicCount, 0)
})

test('topics are found by id from version 12 on, and each is answered once', (t) => {
  const broker = brokerWith({ a: 1 })
  const topicId = broker.image.topic('a')?.id ?? ''
  const unknown = 'AAAAAAAAAAAAAAAAAAAAAQ'
  const topics = [{ name: null, topicId }, { name: 'a' }, { name: null, topicId: unknown }]
  const answer = broker.ask(metadata, Metadata, { topics }, 12)
  t.deepEqual(answer.topics.map(named), ['a NONE', 'null UNKNOWN_TOPIC_ID'])
  const tooEarly = broker.ask(metadata, Metadata, { topics: [{ name: null, topicId }] }, 10)
  t.deepEqual(tooEarly.topics.map(named), [' INVALID_REQUEST'])
  const nameless = broker.ask(metadata, Metadata, { topics: [{ name: null }] }, 13)
  t.is(nameless.errorCode, ErrorCode.INVALID_REQUEST)
})

test('authorized operations are told on request alone', (t) => {
  const broker = brokerWith({ a: 1 })
  const asked = {
    topics: [{ name: 'a' }],
    includeClusterAuthorizedOperations: true,
    includeTopicAuthorizedOperations: true,
  }
  const answer = broker.ask(metadata, Metadata, asked, 9)
  t.is(answer.clusterAuthorizedOperations, 8096)
  t.is(answer.topics[0]?.topicAuthorizedOperations, 3576)
  const silent = broker.ask(metadata, Metadata, { topics: [{ name: 'a' }] }, 9)
  t.is(silent.clusterAuthorizedOperations, -2147483648)
  t.is(silent.topics[0]?.topicAuthorizedOperations, -2147483648)
})

const newTopic = (name: string) => ({ name, numPartitions: 3, replicationFactor: 1 })

for (let version = 2; version <= 7; version++) {
  test(`CreateTopics v${version} answers what was made`, (t) => {
    const broker = new TestBroker()
    const asked = { topics: [newTopic('a'), newTopic('')], timeoutMs: 1000 }
    const { topics } = broker.ask(createTopics, CreateTopics, asked, version)
    t.deepEqual(topics.map(named), ['a NONE', ' INVALID_TOPIC_EXCEPTION'])
    t.is(broker.image.topic('a')?.partitions.length, 3)
    if (version < 5) return
    t.like(topics[0], { numPartitions: 3, replicationFactor: 1 })
    t.is(topics[0]?.configs?.length, 33)
    t.like(topics[1], { numPartitions: -1, replicationFactor: -1 })
  })
}

test('a request without time, or without a controller, is REQUEST_TIMED_OUT', (t) => {
  const broker = brokerWith({ a: 1 })
  const late = broker.ask(createTopics, CreateTopics, { topics: [newTopic('b')], timeoutMs: 0 })
  t.deepEqual(late.topics.map(named), ['b REQUEST_TIMED_OUT'])
  t.is(broker.image.topic('b'), undefined)
  broker.controllerIsLost = true
  const lost = broker.ask(createTopics, CreateTopics, { topics: [newTopic('b')], timeoutMs: 5 })
  t.deepEqual(lost.topics.map(named), ['b REQUEST_TIMED_OUT'])
  const topics = [{ name: 'a', count: 2, assignments: null }]
  const grown = broker.ask(createPartitions, CreatePartitions, { topics, timeoutMs: 5 })
  t.deepEqual(grown.results.map(named), ['a REQUEST_TIMED_OUT'])
})

for (let version = 1; version <= 6; version++) {
  test(`DeleteTopics v${version} frees the name`, (t) => {
    const broker = brokerWith({ a: 1 })
    const names = ['a', 'nope']
    const asked =
      version >= 6
        ? { topics: names.map((name) => ({ name })), timeoutMs: 5 }
        : { topicNames: names, timeoutMs: 5 }
    const { responses } = broker.ask(deleteTopics, DeleteTopics, asked, version)
    t.deepEqual(responses.map(named), ['a NONE', 'nope UNKNOWN_TOPIC_OR_PARTITION'])
    t.is(broker.image.topic('a'), undefined)
  })
}

test('CreatePartitions grows a topic, unless it only validates', (t) => {
  const broker = brokerWith({ a: 1 })
  const asked = { topics: [{ name: 'a', count: 3, assignments: null }], timeoutMs: 5 }
  const validated = { ...asked, validateOnly: true }
  t.is(broker.ask(createPartitions, CreatePartitions, validated).results[0]?.errorCode, 0)
  t.is(broker.image.topic('a')?.partitions.length, 1)
  t.is(broker.ask(createPartitions, CreatePartitions, asked).results[0]?.errorCode, 0)
  t.is(broker.image.topic('a')?.partitions.length, 3)
})

function page(
  broker: TestBroker,
  parts: { names?: string[]; limit?: number; cursor?: [string, number] },
) {
  const { names = [], limit = 2000, cursor } = parts
  const answer = broker.ask(describeTopicPartitions, DescribeTopicPartitions, {
    topics: names.map((name) => ({ name })),
    responsePartitionLimit: limit,
    cursor: cursor ? { topicName: cursor[0], partitionIndex: cursor[1] } : null,
  })
  const next = answer.nextCursor
  return [
    ...answer.topics.map(
      ({ errorCode, name, partitions }) =>
        `${name} ${errorName(errorCode as ErrorCode)} ${partitions.map(({ partitionIndex }) => partitionIndex)}`,
    ),
    next ? `next ${next.topicName} ${next.partitionIndex}` : 'end',
  ]
}

test('topic descriptions come sorted, in pages', (t) => {
  const broker = brokerWith({ b: 3, a: 2 })
  t.deepEqual(page(broker, {}), ['a NONE 0,1', 'b NONE 0,1,2', 'end'])
  t.deepEqual(page(broker, { limit: 2 }), ['a NONE 0,1', 'next b 0'])
  t.deepEqual(page(broker, { limit: 3 }), ['a NONE 0,1', 'b NONE 0', 'next b 1'])
  t.deepEqual(page(broker, { limit: 0 }), ['a NONE 0', 'next a 1'])
  t.deepEqual(page(broker, { cursor: ['b', 1] }), ['b NONE 1,2', 'end'])
  t.deepEqual(page(broker, { cursor: ['a', 9] }), ['a NONE ', 'b NONE 0,1,2', 'end'])
  t.deepEqual(page(broker, { cursor: ['aa', 1] }), ['b NONE 0,1,2', 'end'])
  t.deepEqual(page(broker, { names: ['b', 'nope', 'b'] }), [
    'b NONE 0,1,2',
    'nope UNKNOWN_TOPIC_OR_PARTITION ',
    'end',
  ])
  t.deepEqual(page(broker, { names: ['a'], cursor: ['a', -1] }), ['a INVALID_REQUEST ', 'end'])
  t.deepEqual(page(broker, { names: ['a'], cursor: ['b', 0] }), ['a INVALID_REQUEST ', 'end'])
})

test('following the cursor shows every partition once', (t) => {
  const broker = brokerWith({ a: 5, b: 1, c: 4 })
  const seen: string[] = []
  let cursor: { topicName: string; partitionIndex: number } | null = null
  for (let pages = 0; pages < 20; pages++) {
    const asked = { topics: [], responsePartitionLimit: 2, cursor }
    const answer: DescribeTopicPartitionsResponse = broker.ask(
      describeTopicPartitions,
      DescribeTopicPartitions,
      asked,
    )
    for (const { name, partitions } of answer.topics)
      seen.push(...partitions.map(({ partitionIndex }) => `${name}${partitionIndex}`))
    cursor = answer.nextCursor
    if (!cursor) break
  }
  t.deepEqual(seen, ['a0', 'a1', 'a2', 'a3', 'a4', 'b0', 'c0', 'c1', 'c2', 'c3'])
})

test('DescribeCluster names this node to clients and refuses who looks for controllers', (t) => {
  const broker = new TestBroker()
  for (const version of [0, 1, 2]) {
    const answer = broker.ask(describeCluster, DescribeCluster, {}, version)
    t.like(answer, { errorCode: 0, controllerId: 1, clusterId: broker.image.clusterId })
    t.like(answer.brokers[0], { brokerId: 1, host: 'broker.test', port: 9092 })
  }
  const controllers = broker.ask(describeCluster, DescribeCluster, { endpointType: 2 })
  t.is(controllers.errorCode, ErrorCode.MISMATCHED_ENDPOINT_TYPE)
  const unknown = broker.ask(describeCluster, DescribeCluster, { endpointType: 3 })
  t.is(unknown.errorCode, ErrorCode.UNSUPPORTED_ENDPOINT_TYPE)
})

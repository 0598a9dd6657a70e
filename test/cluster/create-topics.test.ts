import test from 'ava'
import fc from 'fast-check'
import type { NewTopic } from '../../src/cluster/commands.ts'
import { createPartitions } from '../../src/cluster/create-partitions.ts'
import { createTopics } from '../../src/cluster/create-topics.ts'
import type { ClusterImage } from '../../src/cluster/image.ts'
import { newTopicOnFirstUse } from '../../src/cluster/internal-topics.ts'
import { ErrorCode, errorName } from '../../src/protocol/errors.ts'
import { addTopic, applyAll, countingIds, emptyImage } from '../support/cluster.ts'

function topic(name: string, parts: Partial<NewTopic> = {}): NewTopic {
  return { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [], ...parts }
}

function decide(image: ClusterImage, topics: readonly NewTopic[], validateOnly = false) {
  return createTopics(image, { topics, validateOnly }, countingIds())
}

function codes(image: ClusterImage, topics: readonly NewTopic[]): string[] {
  return decide(image, topics).answers.map(
    ({ name, errorCode }) => `${name} ${errorName(errorCode)}`,
  )
}

const assigned = (...lists: [number, number[]][]): Partial<NewTopic> => ({
  numPartitions: -1,
  replicationFactor: -1,
  assignments: lists.map(([partitionIndex, brokerIds]) => ({ partitionIndex, brokerIds })),
})

test('a created topic has an id, consecutive slots and its settings', (t) => {
  const image = emptyImage({ startCount: 3 })
  const configs = [{ name: 'retention.ms', value: '5' }]
  const { answers, deltas } = decide(image, [topic('a', { numPartitions: 2, configs }), topic('b')])
  t.deepEqual(
    answers.map(({ errorCode }) => errorCode),
    [0, 0],
  )
  t.is(answers[0]?.partitions, 2)
  applyAll(image, deltas)
  t.deepEqual(
    image.topic('a')?.partitions.map(({ slot }) => slot),
    [0, 1],
  )
  t.is(image.topic('b')?.partitions[0]?.slot, 2)
  t.is(image.topic('a')?.config['retention.ms'], 5)
  t.is(image.topic('a')?.partitions[0]?.leaderEpoch, 0)
})

test('-1 stands for the defaults of the broker', (t) => {
  const image = emptyImage({ configs: { 'num.partitions': '7' } })
  const unsaid = topic('a', { numPartitions: -1, replicationFactor: -1 })
  const [answer] = decide(image, [unsaid]).answers
  t.is(answer?.partitions, 7)
  t.is(answer?.replicationFactor, 1)
})

test('bad names, shapes and assignments are refused as Kafka refuses them', (t) => {
  const image = emptyImage()
  addTopic(image, 'there')
  t.deepEqual(
    codes(image, [
      topic('there'),
      topic(''),
      topic('..'),
      topic('a b'),
      topic('x'.repeat(250)),
      topic('__cluster_metadata'),
      topic('p0', { numPartitions: 0 }),
      topic('p-2', { numPartitions: -2 }),
      topic('r0', { replicationFactor: 0 }),
      topic('r3', { replicationFactor: 3 }),
    ]),
    [
      'there TOPIC_ALREADY_EXISTS',
      ' INVALID_TOPIC_EXCEPTION',
      '.. INVALID_TOPIC_EXCEPTION',
      'a b INVALID_TOPIC_EXCEPTION',
      `${'x'.repeat(250)} INVALID_TOPIC_EXCEPTION`,
      '__cluster_metadata INVALID_REQUEST',
      'p0 INVALID_PARTITIONS',
      'p-2 INVALID_PARTITIONS',
      'r0 INVALID_REPLICATION_FACTOR',
      'r3 INVALID_REPLICATION_FACTOR',
    ],
  )
  t.deepEqual(
    codes(image, [
      topic('ok', assigned([1, [1]], [0, [1]])),
      topic('count', { ...assigned([0, [1]]), numPartitions: 1 }),
      topic('factor', { ...assigned([0, [1]]), replicationFactor: 1 }),
      topic('gap', assigned([1, [1]])),
      topic('stranger', assigned([0, [9]])),
      topic('nobody', assigned([0, []])),
      topic('twice', assigned([0, [1, 1]])),
      topic('again', assigned([0, [1]], [0, [1]])),
    ]),
    [
      'ok NONE',
      'count INVALID_REQUEST',
      'factor INVALID_REQUEST',
      'gap INVALID_REPLICA_ASSIGNMENT',
      'stranger INVALID_REPLICA_ASSIGNMENT',
      'nobody INVALID_REPLICA_ASSIGNMENT',
      'twice INVALID_REPLICA_ASSIGNMENT',
      'again INVALID_REPLICA_ASSIGNMENT',
    ],
  )
})

test('a wrong, unknown or null setting is INVALID_CONFIG, and the last of two counts', (t) => {
  const image = emptyImage()
  const set = (name: string, value: string | null) => ({ configs: [{ name, value }] })
  t.deepEqual(
    codes(image, [
      topic('unknown', set('nope', '1')),
      topic('wrong', set('retention.ms', 'x')),
      topic('null', set('retention.ms', null)),
      topic('inherited', set('constructor', '1')),
    ]),
    [
      'unknown INVALID_CONFIG',
      'wrong INVALID_CONFIG',
      'null INVALID_CONFIG',
      'inherited INVALID_CONFIG',
    ],
  )
  const configs = ['1', '2'].map((value) => ({ name: 'retention.ms', value }))
  t.deepEqual(decide(image, [topic('two', { configs })]).answers[0]?.configs, [
    ['retention.ms', '2'],
  ])
})

test('a name that is asked twice is refused once and the others go on', (t) => {
  t.deepEqual(codes(emptyImage(), [topic('d'), topic('a'), topic('d'), topic('d')]), [
    'a NONE',
    'd INVALID_REQUEST',
  ])
})

test('names that differ in a period or underscore alone collide, also within one request', (t) => {
  const image = emptyImage()
  addTopic(image, 'a.b')
  t.deepEqual(codes(image, [topic('a_b'), topic('c.d'), topic('c_d'), topic('ab')]), [
    'a_b INVALID_TOPIC_EXCEPTION',
    'c.d NONE',
    'c_d INVALID_TOPIC_EXCEPTION',
    'ab NONE',
  ])
})

test('a request for more than ten thousand partitions makes none', (t) => {
  const image = emptyImage()
  const { answers, deltas } = decide(image, [
    topic('a', { numPartitions: 6000 }),
    topic('b', { numPartitions: 6000 }),
  ])
  t.deepEqual(
    answers.map(({ errorCode }) => errorCode),
    [ErrorCode.POLICY_VIOLATION, ErrorCode.POLICY_VIOLATION],
  )
  t.deepEqual(deltas, [])
  const huge = decide(image, [topic('huge', { numPartitions: 2 ** 31 - 1 })])
  t.is(huge.answers[0]?.errorCode, ErrorCode.POLICY_VIOLATION)
})

test('the broker holds no more than odradek.partitions.max', (t) => {
  const image = emptyImage({ configs: { 'odradek.partitions.max': '3' } })
  t.deepEqual(codes(image, [topic('a', { numPartitions: 2 }), topic('b', { numPartitions: 2 })]), [
    'a NONE',
    'b POLICY_VIOLATION',
  ])
  addTopic(image, 'there', { partitions: 2 })
  const grown = createPartitions(image, [{ name: 'there', count: 4, assignments: null }], false)
  t.is(grown.answers[0]?.errorCode, ErrorCode.POLICY_VIOLATION)
  t.deepEqual(grown.deltas, [])
})

test('validating alone answers like success and changes nothing', (t) => {
  const { answers, deltas } = decide(emptyImage(), [topic('a', { numPartitions: 2 })], true)
  t.is(answers[0]?.errorCode, ErrorCode.NONE)
  t.is(answers[0]?.partitions, 2)
  t.deepEqual(deltas, [])
})

test('the topics of the coordinators are internal, with the coordinator and as it needs them', (t) => {
  const image = emptyImage()
  const names = ['__consumer_offsets', '__share_group_state', '__transaction_state']
  const wanted = names.map((name) => newTopicOnFirstUse(name, image.brokerConfig))
  const { answers, deltas } = decide(image, wanted)
  t.deepEqual(
    answers.map(({ errorCode, partitions }) => [errorCode, partitions]),
    [
      [0, 50],
      [0, 50],
      [0, 50],
    ],
  )
  applyAll(image, deltas)
  const policies = image.topics().map(({ config }) => config['cleanup.policy'])
  t.deepEqual(policies, [['compact'], ['delete'], ['compact']])
  for (const { internal, partitions } of image.topics()) {
    t.true(internal)
    t.true(partitions.every(({ thread }) => thread === 2))
  }
})

test('whatever is asked, what is answered as done is what the image then shows', (t) => {
  const anyTopic = fc.record({
    name: fc.constantFrom('a', 'b', 'a.b', 'a_b', '', '__proto__', 'constructor', 'c'),
    numPartitions: fc.integer({ min: -2, max: 5 }),
    replicationFactor: fc.integer({ min: -2, max: 2 }),
    assignments: fc.array(
      fc.record({ partitionIndex: fc.integer({ min: -1, max: 2 }), brokerIds: fc.constant([1]) }),
      { maxLength: 2 },
    ),
    configs: fc.constantFrom(
      [],
      [{ name: 'retention.ms', value: '1' }],
      [{ name: 'x', value: null }],
    ),
  })
  fc.assert(
    fc.property(fc.array(fc.array(anyTopic, { maxLength: 6 }), { maxLength: 4 }), (requests) => {
      const image = emptyImage()
      const newId = countingIds()
      for (const topics of requests) {
        const before = image.topicCount
        const decision = createTopics(image, { topics, validateOnly: false }, newId)
        applyAll(image, decision.deltas)
        const done = decision.answers.filter(({ errorCode }) => errorCode === ErrorCode.NONE)
        t.is(image.topicCount, before + done.length)
        t.is(decision.answers.length, new Set(topics.map(({ name }) => name)).size)
        for (const { name, id, partitions } of done) {
          t.is(image.topic(name)?.id, id)
          t.is(image.topic(name)?.partitions.length, partitions)
        }
      }
      const slots = image.topics().flatMap((each) => each.partitions.map(({ slot }) => slot))
      t.is(new Set(slots).size, slots.length)
    }),
    { numRuns: 200 },
  )
})

import test from 'ava'
import { ZERO_UUID } from '../../src/base/uuid.ts'
import type { MorePartitions, TopicToDelete } from '../../src/cluster/commands.ts'
import { createPartitions } from '../../src/cluster/create-partitions.ts'
import { deleteTopics } from '../../src/cluster/delete-topics.ts'
import type { ClusterImage } from '../../src/cluster/image.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { addTopic, applyAll, emptyImage } from '../support/cluster.ts'

const byName = (name: string): TopicToDelete => ({ name, id: ZERO_UUID })
const byId = (id: string): TopicToDelete => ({ name: null, id })

function deletion(image: ClusterImage, topics: readonly TopicToDelete[]) {
  const { answers, deltas } = deleteTopics(image, topics)
  return {
    answers: answers.map(({ name, errorCode }) => `${name} ${errorName(errorCode)}`),
    deleted: deltas.map((delta) => (delta.kind === 'topic-deleted' ? delta.name : '?')),
  }
}

test('topics are deleted by name and by id, and the answer names both', (t) => {
  const image = emptyImage()
  addTopic(image, 'a')
  const id = addTopic(image, 'b')
  t.deepEqual(deletion(image, [byName('a'), byId(id)]), {
    answers: ['a NONE', 'b NONE'],
    deleted: ['a', 'b'],
  })
})

test('unknown, contradicting and repeated requests delete nothing', (t) => {
  const image = emptyImage()
  const id = addTopic(image, 'a')
  const none = 'AAAAAAAAAAAAAAAAAAAAAQ'
  t.deepEqual(deletion(image, [byName('nope'), byId(none), { name: 'a', id }, byId(ZERO_UUID)]), {
    answers: [
      'nope UNKNOWN_TOPIC_OR_PARTITION',
      'null UNKNOWN_TOPIC_ID',
      'a INVALID_REQUEST',
      'null INVALID_REQUEST',
    ],
    deleted: [],
  })
  t.deepEqual(deletion(image, [byName('a'), byName('a')]), {
    answers: ['a INVALID_REQUEST'],
    deleted: [],
  })
  t.deepEqual(deletion(image, [byName('a'), byId(id)]), {
    answers: ['a INVALID_REQUEST'],
    deleted: [],
  })
})

test('the topics of the coordinators stay', (t) => {
  const image = emptyImage()
  addTopic(image, '__consumer_offsets', { internal: true })
  t.deepEqual(deletion(image, [byName('__consumer_offsets')]), {
    answers: ['__consumer_offsets INVALID_REQUEST'],
    deleted: [],
  })
})

test('a name is free at once, and its next topic has other slots', (t) => {
  const image = emptyImage()
  addTopic(image, 'a.b', { partitions: 2 })
  applyAll(image, deleteTopics(image, [byName('a.b')]).deltas)
  addTopic(image, 'a_b', { partitions: 1 })
  t.is(image.topic('a_b')?.partitions[0]?.slot, 2)
})

function growth(image: ClusterImage, topics: readonly MorePartitions[]) {
  const { answers, deltas } = createPartitions(image, topics, false)
  applyAll(image, deltas)
  return answers.map(({ name, errorCode }) => `${name} ${errorName(errorCode)}`)
}

const more = (
  name: string,
  count: number,
  assignments: MorePartitions['assignments'] = null,
): MorePartitions => ({ name, count, assignments })

test('a topic grows and never shrinks', (t) => {
  const image = emptyImage()
  addTopic(image, 'a', { partitions: 3 })
  t.deepEqual(growth(image, [more('a', 3)]), ['a INVALID_PARTITIONS'])
  t.deepEqual(growth(image, [more('a', 2)]), ['a INVALID_PARTITIONS'])
  t.deepEqual(growth(image, [more('nope', 2)]), ['nope UNKNOWN_TOPIC_OR_PARTITION'])
  t.deepEqual(growth(image, [more('a', 5)]), ['a NONE'])
  t.deepEqual(
    image.topic('a')?.partitions.map(({ slot }) => slot),
    [0, 1, 2, 3, 4],
  )
})

test('assignments fit the added partitions, one for each, on this node', (t) => {
  const image = emptyImage()
  addTopic(image, 'a')
  const wrong = [
    [],
    [{ brokerIds: [1] }, { brokerIds: [1] }],
    [{ brokerIds: [2] }],
    [{ brokerIds: [] }],
  ]
  for (const assignments of wrong) {
    t.deepEqual(growth(image, [more('a', 2, assignments)]), ['a INVALID_REPLICA_ASSIGNMENT'])
  }
  t.deepEqual(growth(image, [more('a', 2, [{ brokerIds: [1] }])]), ['a NONE'])
})

test('a topic that is named twice does not grow', (t) => {
  const image = emptyImage()
  addTopic(image, 'a')
  addTopic(image, 'b')
  t.deepEqual(growth(image, [more('a', 2), more('b', 2), more('a', 3)]), [
    'a INVALID_REQUEST',
    'b NONE',
  ])
  t.is(image.topic('a')?.partitions.length, 1)
})

test('a request for more than ten thousand partitions adds none', (t) => {
  const image = emptyImage()
  addTopic(image, 'a')
  addTopic(image, 'b')
  t.deepEqual(growth(image, [more('a', 6001), more('b', 6001)]), [
    'a POLICY_VIOLATION',
    'b POLICY_VIOLATION',
  ])
  t.is(image.partitionCount, 2)
})

test('an internal topic keeps its number of partitions', (t) => {
  const image = emptyImage()
  addTopic(image, '__consumer_offsets', { internal: true })
  t.deepEqual(growth(image, [more('__consumer_offsets', 5)]), [
    '__consumer_offsets INVALID_REQUEST',
  ])
})

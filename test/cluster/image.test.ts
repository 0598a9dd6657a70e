import test from 'ava'
import fc from 'fast-check'
import type { ImageChange } from '../../src/cluster/image.ts'
import { addTopic, emptyImage } from '../support/cluster.ts'

test('a topic is found by name, id and slot, and gone after its deletion', (t) => {
  const image = emptyImage()
  const id = addTopic(image, 'orders', { partitions: 3 })
  const topic = image.topic('orders')
  t.truthy(topic)
  t.is(image.topicById(id), topic)
  t.deepEqual(
    topic?.partitions.map(({ slot }) => slot),
    [0, 1, 2],
  )
  t.is(image.partition(1), topic?.partitions[1])
  image.apply({ kind: 'topic-deleted', name: 'orders', id })
  t.is(image.topic('orders'), undefined)
  t.is(image.topicById(id), undefined)
  t.is(image.partition(1), undefined)
  t.is(image.partitionCount, 0)
})

test('slots are not given out again after a deletion', (t) => {
  const image = emptyImage()
  const id = addTopic(image, 'a', { partitions: 4 })
  image.apply({ kind: 'topic-deleted', name: 'a', id })
  t.is(image.nextSlot, 4)
  image.apply({ kind: 'slots-reserved', next: 10 })
  image.apply({ kind: 'slots-reserved', next: 7 })
  t.is(image.nextSlot, 10)
})

test('partitions spread over the shards and internal ones sit with the coordinator', (t) => {
  const image = emptyImage({ shards: 2, coordinatorThread: 2 })
  addTopic(image, 'a', { partitions: 4 })
  addTopic(image, '__consumer_offsets', { partitions: 2, internal: true })
  t.deepEqual(
    image.topic('a')?.partitions.map(({ thread }) => thread),
    [0, 1, 0, 1],
  )
  t.deepEqual(
    image.topic('__consumer_offsets')?.partitions.map(({ thread }) => thread),
    [2, 2],
  )
})

test('the leader epoch counts the starts since the partition was made', (t) => {
  const image = emptyImage({ startCount: 5 })
  image.apply({
    kind: 'topic-created',
    name: 'old',
    id: 'oooooooooooooooooooooA',
    internal: false,
    partitions: [{ slot: 0, createdAtStart: 2 }],
    configs: [],
  })
  image.apply({
    kind: 'partitions-added',
    name: 'old',
    id: 'oooooooooooooooooooooA',
    firstIndex: 1,
    partitions: [{ slot: 1, createdAtStart: 5 }],
  })
  t.deepEqual(
    image.topic('old')?.partitions.map(({ leaderEpoch }) => leaderEpoch),
    [3, 0],
  )
})

test('a delta that is applied twice changes nothing the second time', (t) => {
  const image = emptyImage()
  const changes: ImageChange[] = []
  const id = addTopic(image, 'a', { partitions: 1 })
  const more = {
    kind: 'partitions-added',
    name: 'a',
    id,
    firstIndex: 1,
    partitions: [{ slot: 1, createdAtStart: 1 }],
  } as const
  image.apply(more)
  image.onChange((change) => changes.push(change))
  image.apply(more)
  t.is(image.partitionCount, 2)
  image.apply({ kind: 'topic-deleted', name: 'a', id })
  const afterFirst = changes.length
  image.apply({ kind: 'topic-deleted', name: 'a', id })
  t.is(changes.length, afterFirst)
})

test('names that objects inherit are ordinary topics', (t) => {
  const image = emptyImage()
  t.is(image.topic('constructor'), undefined)
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    addTopic(image, name)
    t.is(image.topic(name)?.name, name)
  }
  t.deepEqual(
    image.topics().map(({ name }) => name),
    ['__proto__', 'constructor', 'hasOwnProperty', 'toString'],
  )
})

test('topics come sorted by name, whatever happened before', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.stringMatching(/^[a-zA-Z0-9-]{1,6}$/), fc.boolean()), { maxLength: 40 }),
      (steps) => {
        const image = emptyImage()
        const model = new Map<string, string>()
        for (const [name, isCreation] of steps) {
          const id = model.get(name)
          if (isCreation && id === undefined) model.set(name, addTopic(image, name))
          else if (!isCreation && id !== undefined) {
            image.apply({ kind: 'topic-deleted', name, id })
            model.delete(name)
          }
          if (image.topics().length !== model.size) return false
        }
        const names = image.topics().map((topic) => topic.name)
        return JSON.stringify(names) === JSON.stringify([...model.keys()].sort())
      },
    ),
  )
  t.pass()
})

test('listeners hear of partitions once the whole topic can be seen', (t) => {
  const image = emptyImage()
  const heard: string[] = []
  image.onChange((change) => {
    if (change.kind !== 'partition-created') return
    const { topic, index } = change.partition
    heard.push(`${topic.name}-${index} of ${image.topic(topic.name)?.partitions.length}`)
  })
  addTopic(image, 'a', { partitions: 2 })
  t.deepEqual(heard, ['a-0 of 2', 'a-1 of 2'])
})

test('a listener that left hears nothing more', (t) => {
  const image = emptyImage()
  const heard: ImageChange[] = []
  const leave = image.onChange((change) => heard.push(change))
  addTopic(image, 'a')
  leave()
  addTopic(image, 'b')
  t.is(heard.length, 1)
})

test('an own setting beats a dynamic default, which beats the static one, at once', (t) => {
  const image = emptyImage({ configs: { 'log.retention.ms': '1000' } })
  const id = addTopic(image, 'a')
  const retention = () => image.topic('a')?.config['retention.ms']
  t.is(retention(), 1000)
  image.apply({ kind: 'broker-configs-set', broker: '', configs: [['log.retention.ms', '2000']] })
  t.is(retention(), 2000)
  image.apply({ kind: 'broker-configs-set', broker: '1', configs: [['log.retention.ms', '3000']] })
  t.is(retention(), 3000)
  image.apply({ kind: 'topic-configs-set', name: 'a', id, configs: [['retention.ms', '4000']] })
  t.is(retention(), 4000)
  image.apply({ kind: 'topic-configs-set', name: 'a', id, configs: [] })
  image.apply({ kind: 'broker-configs-set', broker: '1', configs: [] })
  t.is(retention(), 2000)
})

test('the configuration is one object until it changes', (t) => {
  const image = emptyImage()
  const id = addTopic(image, 'a')
  const before = image.topic('a')?.config
  t.is(image.topic('a')?.config, before)
  image.apply({ kind: 'topic-configs-set', name: 'a', id, configs: [['retention.ms', '4']] })
  t.not(image.topic('a')?.config, before)
})

test('the broker configuration shows what was set dynamically', (t) => {
  const image = emptyImage()
  image.apply({ kind: 'broker-configs-set', broker: '', configs: [['message.max.bytes', '5000']] })
  t.is(image.brokerConfig['message.max.bytes'], 5000)
})

test('a group whose last setting is removed is not listed any more', (t) => {
  const image = emptyImage()
  const configs = [['consumer.session.timeout.ms', '50000']] as const
  image.apply({ kind: 'group-configs-set', group: 'g', configs })
  image.apply({ kind: 'client-metrics-set', subscription: 's', configs: [['metrics', '*']] })
  t.deepEqual([...image.groupConfigs.keys()], ['g'])
  t.is(image.clientMetrics.get('s')?.get('metrics'), '*')
  image.apply({ kind: 'group-configs-set', group: 'g', configs: [] })
  t.is(image.groupConfigs.size, 0)
})

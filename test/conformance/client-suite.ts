/**
 * What the client promises, as a function of the broker: the same cases run against ours, over
 * whatever way leads to it, and against Apache Kafka.
 */
import { randomUUID } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import { Admin } from '../../src/client/admin.ts'
import { PartialError } from '../../src/client/errors.ts'
import type { ClientOptions } from '../../src/client/options.ts'
import { partitionOfKey } from '../../src/client/partitioners.ts'
import { Producer } from '../../src/client/producer.ts'
import type { CompressionName, ProducerSettings } from '../../src/client/producer-options.ts'
import { type ReadRecord, readPartition } from './client-read.ts'

/** A broker that clients can be made for, any number of them. */
export interface ClientSubject {
  /** Options of one more client. */
  target(): ClientOptions
}

/** One promise. */
export interface ClientCase {
  readonly title: string
  run(t: ExecutionContext, world: World): Promise<void>
}

/** What cases use. */
export class World {
  readonly #subject: ClientSubject
  readonly admin: Admin
  readonly #producers: Producer[] = []

  constructor(subject: ClientSubject) {
    this.#subject = subject
    this.admin = new Admin(subject.target())
  }

  producer(settings: ProducerSettings = {}): Producer {
    const producer = new Producer({ ...this.#subject.target(), ...settings })
    this.#producers.push(producer)
    return producer
  }

  target(): ClientOptions {
    return this.#subject.target()
  }

  /** The name of a topic that has just been created. */
  async topic(numPartitions = 1, configs: Record<string, string> = {}): Promise<string> {
    const topic = `t-${randomUUID()}`
    await this.admin.createTopics([{ topic, numPartitions, replicationFactor: 1, configs }])
    return topic
  }

  read(topic: string, partition = 0): Promise<ReadRecord[]> {
    return readPartition(this.#subject.target(), topic, partition)
  }

  async close(): Promise<void> {
    await Promise.all(this.#producers.map((producer) => producer.close({ timeoutMs: 1000 })))
    await this.admin.close()
  }
}

const codecs: readonly CompressionName[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

const producing: readonly ClientCase[] = [
  {
    title: 'a record comes back as it was sent',
    async run(t, world) {
      const topic = await world.topic()
      const producer = world.producer()
      const [record] = await producer.send({
        topic,
        messages: [
          {
            key: 'schlüssel',
            value: Buffer.from([0, 255, 7]),
            headers: { a: 'ä', b: null, c: new Uint8Array([1]) },
            timestamp: 1_700_000_000_000,
          },
        ],
      })
      t.deepEqual(record, { topic, partition: 0, offset: 0, timestamp: 1_700_000_000_000 })
      const [read] = await world.read(topic)
      t.is(String(read?.key), 'schlüssel')
      t.deepEqual(read?.value, Buffer.from([0, 255, 7]))
      t.is(read?.timestamp, 1_700_000_000_000)
      t.deepEqual(read?.headers, [
        { key: 'a', value: Buffer.from('ä') },
        { key: 'b', value: null },
        { key: 'c', value: Buffer.from([1]) },
      ])
    },
  },
  {
    title: 'records without key or value, empty and long ones come back',
    async run(t, world) {
      const topic = await world.topic()
      const values = [null, '', 'x'.repeat(50), 'é'.repeat(5000), 'y'.repeat(200_000)]
      await world.producer().send({ topic, messages: values.map((value) => ({ value })) })
      const read = await world.read(topic)
      t.deepEqual(
        read.map(({ key, value }) => [key, value === null ? null : String(value)]),
        values.map((value) => [null, value]),
      )
    },
  },
  ...codecs.map(
    (compressionType): ClientCase => ({
      title: `batches with codec ${compressionType} are written and read`,
      async run(t, world) {
        const topic = await world.topic()
        const producer = world.producer({ compressionType })
        const messages = Array.from({ length: 500 }, (_, i) => ({ key: `k${i}`, value: `v${i}` }))
        const records = await producer.send({ topic, messages })
        t.deepEqual(
          records.map(({ offset }) => offset),
          messages.map((_, i) => i),
        )
        const read = await world.read(topic)
        t.deepEqual(
          read.map(({ key, value }) => `${key} ${value}`),
          messages.map(({ key, value }) => `${key} ${value}`),
        )
      },
    }),
  ),
  {
    title: 'many sends at once keep their order in every partition',
    async run(t, world) {
      const topic = await world.topic(4)
      const producer = world.producer({ batchSize: 2000 })
      const sends = []
      for (let i = 0; i < 3000; i++) {
        sends.push(producer.send({ topic, messages: [{ key: `k${i % 97}`, value: String(i) }] }))
      }
      const records = (await Promise.all(sends)).flat()
      t.is(new Set(records.map((one) => `${one.partition} ${one.offset}`)).size, 3000)
      for (let partition = 0; partition < 4; partition++) {
        const numbers = (await world.read(topic, partition)).map(({ value }) => Number(value))
        t.deepEqual(
          numbers,
          [...numbers].sort((a, b) => a - b),
        )
      }
    },
  },
  {
    title: 'a key goes to the partition that Kafka gives it, a number to that partition',
    async run(t, world) {
      const topic = await world.topic(5)
      const producer = world.producer()
      const records = await producer.send({
        topic,
        messages: [
          { key: 'alpha', value: '' },
          { key: Buffer.from('ωμέγα'), value: '' },
          { key: 'alpha', value: '', partition: 3 },
        ],
      })
      t.deepEqual(
        records.map(({ partition }) => partition),
        [partitionOfKey('alpha', 5), partitionOfKey(Buffer.from('ωμέγα'), 5), 3],
      )
    },
  },
  {
    title: 'acks 0 and acks 1 write as well, and callbacks and posts need no promise',
    async run(t, world) {
      const topic = await world.topic()
      for (const acks of [0, 1] as const) {
        const producer = world.producer({ acks })
        const [record] = await producer.send({ topic, messages: [{ value: `acks ${acks}` }] })
        t.is(record?.offset, acks === 0 ? -1 : 1)
        // The broker never answers acks 0: what it has is seen from the other side.
        await eventually(async () => {
          if ((await world.read(topic)).length <= acks) throw new Error('not yet')
        })
      }
      const producer = world.producer()
      await new Promise<void>((resolve) => {
        producer.send({ topic, messages: [{ value: 'callback' }] }, (error, records) => {
          t.is(error, null)
          t.is(records[0]?.offset, 2)
          resolve()
        })
      })
      producer.post({ topic, messages: [{ value: 'posted' }] })
      await producer.flush()
      t.deepEqual(
        (await world.read(topic)).map(({ value }) => String(value)),
        ['acks 0', 'acks 1', 'callback', 'posted'],
      )
    },
  },
  {
    title: 'a batch that the broker finds too large is split, a record is refused',
    async run(t, world) {
      const topic = await world.topic(1, { 'max.message.bytes': '2000' })
      const producer = world.producer()
      const messages = Array.from({ length: 40 }, (_, i) => ({ value: String(i).padEnd(200, '.') }))
      const records = await producer.send({ topic, messages })
      t.deepEqual(
        records.map(({ offset }) => offset),
        messages.map((_, i) => i),
      )
      t.true(producer.metrics().splits > 0)
      const large = producer.send({ topic, messages: [{ value: 'z'.repeat(3000) }] })
      await t.throwsAsync(large, { name: 'MESSAGE_TOO_LARGE' })
      const [after] = await producer.send({ topic, messages: [{ value: 'goes on' }] })
      t.is(after?.offset, 40)
      t.deepEqual(
        (await world.read(topic))
          .slice(0, 40)
          .map(({ value }) => Number.parseInt(String(value), 10)),
        messages.map((_, i) => i),
      )
    },
  },
  {
    title: 'a record without a key is refused by a compacted topic, with the reason',
    async run(t, world) {
      const topic = await world.topic(1, { 'cleanup.policy': 'compact' })
      const producer = world.producer()
      const error = await t.throwsAsync(producer.send({ topic, messages: [{ value: 'v' }] }))
      t.is(error?.name, 'INVALID_RECORD')
      const [record] = await producer.send({ topic, messages: [{ key: 'k', value: 'v' }] })
      t.is(record?.offset, 0)
    },
  },
  {
    title: 'the time of the append is answered where the topic asks for it',
    async run(t, world) {
      const topic = await world.topic(1, { 'message.timestamp.type': 'LogAppendTime' })
      const [record] = await world
        .producer()
        .send({ topic, messages: [{ value: '', timestamp: 5 }] })
      t.true((record?.timestamp ?? 0) > 1_600_000_000_000)
    },
  },
  {
    title: 'sending to a topic that is created at the same time succeeds',
    async run(t, world) {
      const topic = `t-${randomUUID()}`
      const producer = world.producer()
      const sent = producer.send({ topic, messages: [{ value: 'early' }] })
      await world.admin
        .createTopics([{ topic, numPartitions: 1, replicationFactor: 1 }])
        .catch((error: Error) => t.regex(error.name, /TOPIC_ALREADY_EXISTS/))
      t.is((await sent)[0]?.offset, 0)
    },
  },
  {
    title: 'a topic that is deleted and created again takes records',
    async run(t, world) {
      const topic = await world.topic()
      const producer = world.producer()
      await producer.send({ topic, messages: [{ value: '1' }, { value: '2' }] })
      await world.admin.deleteTopics([topic])
      await eventually(() =>
        world.admin.createTopics([{ topic, numPartitions: 1, replicationFactor: 1 }]),
      )
      const [record] = await producer.send({ topic, messages: [{ value: '3' }] })
      t.is(record?.offset, 0)
    },
  },
]

const administrating: readonly ClientCase[] = [
  {
    title: 'topics are created, described, listed, grown and deleted',
    async run(t, { admin }) {
      const topic = `t-${randomUUID()}`
      const [created] = await admin.createTopics([
        { topic, numPartitions: 2, configs: { 'retention.ms': '60000' } },
      ])
      t.is(created?.numPartitions, 2)
      t.is(created?.configs['retention.ms'], '60000')
      const exists = await t.throwsAsync(admin.createTopics([{ topic, numPartitions: 2 }]))
      t.true(exists instanceof PartialError)
      t.is(exists?.name, 'TOPIC_ALREADY_EXISTS')
      await admin.createPartitions([{ topic, count: 3 }])
      await eventually(async () => {
        const [described] = await admin.describeTopics([topic])
        if (described?.partitions.length !== 3) throw new Error('not yet')
        t.is(described.topicId, created?.topicId as string)
      })
      t.true((await admin.listTopics()).some((one) => one.topic === topic))
      await admin.deleteTopics([topic])
      await eventually(async () => {
        if ((await admin.listTopics()).some((one) => one.topic === topic)) throw new Error('there')
      })
      const gone = await t.throwsAsync(admin.describeTopics([topic]))
      t.is(gone?.name, 'UNKNOWN_TOPIC_OR_PARTITION')
    },
  },
  {
    title: 'a topic is described by its id, with what the client may do with it',
    async run(t, world) {
      const topic = await world.topic(2)
      const [byName] = await eventually(() => world.admin.describeTopics([topic]))
      const { topicId = '' } = byName ?? {}
      t.is(byName?.authorizedOperations, undefined)
      const [byId] = await world.admin.describeTopics([{ topicId }], {
        includeAuthorizedOperations: true,
      })
      t.deepEqual(byId?.authorizedOperations, [
        'read',
        'write',
        'create',
        'delete',
        'alter',
        'describe',
        'describeConfigs',
        'alterConfigs',
      ])
      t.deepEqual({ ...byId, authorizedOperations: undefined }, byName)
      const other = 'AAAAAAAAAAAAAAAAAAAAAQ'
      const gone = await t.throwsAsync(world.admin.describeTopics([topic, { topicId: other }]))
      t.true(gone instanceof PartialError)
      t.deepEqual([...(gone as PartialError).failures.keys()], [other])
      t.is(gone?.name, 'UNKNOWN_TOPIC_ID')
      const wrong = [{ topicId: 'no id' }]
      await t.throwsAsync(world.admin.describeTopics(wrong), { instanceOf: TypeError })
      await t.throwsAsync(world.admin.deleteTopics(wrong), { instanceOf: TypeError })
    },
  },
  {
    title: 'configurations are described and changed key by key',
    async run(t, world) {
      const topic = await world.topic()
      const resource = { type: 'topic', name: topic } as const
      await world.admin.incrementalAlterConfigs([
        {
          ...resource,
          changes: [{ name: 'retention.ms', operation: 'set', value: '1234567' }],
        },
      ])
      await eventually(async () => {
        const [described] = await world.admin.describeConfigs(
          [{ ...resource, keys: ['retention.ms', 'segment.bytes'] }],
          { includeSynonyms: true, includeDocumentation: true },
        )
        const entries = new Map(described?.configs.map((one) => [one.name, one]))
        if (entries.get('retention.ms')?.value !== '1234567') throw new Error('not yet')
        t.is(entries.get('retention.ms')?.source, 'topic')
        t.is(entries.get('retention.ms')?.type, 'long')
        t.is(entries.get('segment.bytes')?.source, 'default')
        t.true((entries.get('segment.bytes')?.documentation?.length ?? 0) > 10)
      })
      const { brokers } = await world.admin.describeCluster()
      const name = String(brokers[0]?.nodeId)
      const [broker] = await world.admin.describeConfigs([{ type: 'broker', name }])
      t.true((broker?.configs.length ?? 0) > 50)
      const wrong = world.admin.incrementalAlterConfigs([
        { ...resource, changes: [{ name: 'retention.ms', operation: 'set', value: 'soon' }] },
      ])
      await t.throwsAsync(wrong, { name: 'INVALID_CONFIG' })
    },
  },
  {
    title: 'offsets are listed and records deleted',
    async run(t, world) {
      const topic = await world.topic(2)
      const messages = [100, 200, 300].map((timestamp) => ({ value: '', timestamp, partition: 1 }))
      await world.producer().send({ topic, messages })
      const at = (spec: 'earliest' | 'latest' | 'maxTimestamp' | number) =>
        world.admin
          .listOffsets([{ topic, partition: 1, at: spec }])
          .then(([one]) => [one?.offset, one?.timestamp])
      t.deepEqual(await at('earliest'), [0, -1])
      t.deepEqual(await at('latest'), [3, -1])
      t.deepEqual(await at('maxTimestamp'), [2, 300])
      t.deepEqual(await at(150), [1, 200])
      t.deepEqual(await at(1000), [-1, -1])
      const deleted = await world.admin.deleteRecords([{ topic, partition: 1, beforeOffset: 2 }])
      t.deepEqual(deleted, [{ topic, partition: 1, lowWatermark: 2 }])
      t.deepEqual(await at('earliest'), [2, -1])
      const beyond = world.admin.deleteRecords([{ topic, partition: 1, beforeOffset: 9 }])
      await t.throwsAsync(beyond, { name: 'OFFSET_OUT_OF_RANGE' })
    },
  },
  {
    title: 'producers of a partition are described',
    async run(t, world) {
      const topic = await world.topic()
      await world.producer().send({ topic, messages: [{ value: '1' }, { value: '2' }] })
      const [described] = await world.admin.describeProducers([{ topic, partition: 0 }])
      t.is(described?.producers.length, 1)
      t.is(described?.producers[0]?.lastSequence, 1)
      t.is(described?.producers[0]?.currentTransactionStartOffset, -1)
    },
  },
  {
    title: 'offsets of groups are committed, listed and deleted, and groups deleted',
    async run(t, world) {
      const { admin } = world
      const topic = await world.topic(2)
      const groupId = `g-${randomUUID()}`
      await admin.alterGroupOffsets(groupId, [
        { topic, partition: 0, offset: 5, metadata: 'five' },
        { topic, partition: 1, offset: 6, leaderEpoch: 0 },
      ])
      t.deepEqual(
        (await admin.listGroupOffsets(groupId)).sort((a, b) => a.partition - b.partition),
        [
          { topic, partition: 0, offset: 5, leaderEpoch: -1, metadata: 'five' },
          { topic, partition: 1, offset: 6, leaderEpoch: 0, metadata: '' },
        ],
      )
      await admin.deleteGroupOffsets(groupId, [{ topic, partition: 0 }])
      t.deepEqual(
        (
          await admin.listGroupOffsets(groupId, [
            { topic, partition: 0 },
            { topic, partition: 1 },
          ])
        ).map(({ partition }) => partition),
        [1],
      )
      t.true((await admin.listGroups()).some((one) => one.groupId === groupId))
      const [described] = await admin.describeGroups([groupId])
      t.is(described?.state, 'Empty')
      t.deepEqual(described?.members, [])
      const elsewhere = [{ topic: `no-${topic}`, partition: 0, offset: 1 }]
      await t.throwsAsync(admin.alterGroupOffsets(groupId, elsewhere), {
        name: 'UNKNOWN_TOPIC_OR_PARTITION',
      })
      await admin.deleteGroups([groupId])
      t.false((await admin.listGroups()).some((one) => one.groupId === groupId))
      await t.throwsAsync(admin.deleteGroups([groupId]), { name: 'GROUP_ID_NOT_FOUND' })
    },
  },
  {
    title: 'cluster, quorum, log directories, leaders and reassignments are described',
    async run(t, world) {
      const { admin } = world
      const topic = await world.topic()
      await world.producer().send({ topic, messages: [{ value: 'some bytes' }] })
      const cluster = await admin.describeCluster()
      t.is(cluster.brokers.length, 1)
      t.true(cluster.clusterId.length > 0)
      t.false(cluster.brokers[0]?.isFenced)
      t.is(cluster.authorizedOperations, undefined)
      const allowed = await admin.describeCluster({ includeAuthorizedOperations: true })
      t.true(allowed.authorizedOperations?.includes('clusterAction'))
      const features = await admin.describeFeatures()
      t.deepEqual(features.finalizedFeatures['share.version'], {
        minVersionLevel: 1,
        maxVersionLevel: 1,
      })
      t.is(features.supportedFeatures['group.version']?.maxVersionLevel, 1)
      t.true((features.finalizedFeaturesEpoch ?? -1) >= 0)
      const dirs = await admin.describeLogDirs()
      const replica = dirs.flatMap(({ replicas }) => replicas).find((one) => one.topic === topic)
      t.true((replica?.bytes ?? 0) > 0)
      const quorum = await admin.describeQuorum()
      t.true(quorum.voters.length >= 1)
      await admin.electLeaders('preferred', [{ topic, partition: 0 }])
      t.deepEqual(await admin.listPartitionReassignments(), [])
      const resources = await admin.listConfigResources(['topic'])
      t.true(resources.some(({ name }) => name === topic))
    },
  },
]

/** All promises. */
export const clientCases: readonly ClientCase[] = [...producing, ...administrating]

const PATIENCE_MS = 20_000

/** Repeats `attempt` until it does not throw: brokers may need time to tell one another. */
export async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > until) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

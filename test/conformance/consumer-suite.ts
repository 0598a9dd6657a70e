/**
 * What the consumer promises, as a function of the broker: the same cases run against ours, over
 * whatever way leads to it, and against Apache Kafka.
 */
import { randomUUID } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import type { AssignorName } from '../../src/client/assignors.ts'
import { Consumer } from '../../src/client/consumer.ts'
import type { ConsumerSettings } from '../../src/client/consumer-options.ts'
import type { ConsumerRecord } from '../../src/client/consumer-record.ts'
import { KafkaError } from '../../src/client/errors.ts'
import type { CompressionName } from '../../src/client/producer-options.ts'
import type { TopicPartition } from '../../src/client/topic-partition.ts'
import type { ClientCase, World } from './client-suite.ts'

const POLL_MS = 200
/** Polls after which what is waited for will not come. */
const POLLS_MAX = 300

/** One promise. */
export interface ConsumerCase {
  readonly title: string
  run(t: ExecutionContext, world: ConsumerWorld): Promise<void>
}

/** What cases use. */
export class ConsumerWorld {
  readonly world: World
  readonly #consumers: Consumer[] = []

  constructor(world: World) {
    this.world = world
  }

  consumer(settings: ConsumerSettings = {}): Consumer {
    const consumer = new Consumer({
      ...this.world.target(),
      autoOffsetReset: 'earliest',
      heartbeatIntervalMs: 200,
      ...settings,
    })
    this.#consumers.push(consumer)
    return consumer
  }

  /** A topic with records 0, 1, 2, … in each partition. */
  async filled(partitions: number, count: number): Promise<string> {
    const topic = await this.world.topic(partitions)
    for (let partition = 0; partition < partitions; partition++) {
      await this.send(topic, count, partition)
    }
    return topic
  }

  async send(topic: string, count: number, partition = 0, from = 0): Promise<void> {
    const producer = this.world.producer()
    const messages = Array.from({ length: count }, (_, i) => ({ value: `${from + i}`, partition }))
    await producer.send({ topic, messages })
    await producer.close()
  }

  async close(): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.close({ timeoutMs: 5000 })))
    await this.world.close()
  }
}

/** The case with consumers that are closed after it. */
export function withConsumers({ title, run }: ConsumerCase): ClientCase {
  return {
    title,
    async run(t, world) {
      const consumers = new ConsumerWorld(world)
      try {
        await run(t, consumers)
      } finally {
        await consumers.close()
      }
    },
  }
}

const group = () => `g-${randomUUID()}`
const values = (records: readonly ConsumerRecord[]) => records.map(({ value }) => String(value))
const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `${from + i}`)

/** Polls all of them in turn until `done`. */
export async function pollUntil(
  consumers: readonly Consumer[],
  done: (records: readonly ConsumerRecord[]) => boolean,
): Promise<ConsumerRecord[]> {
  const records: ConsumerRecord[] = []
  for (let polls = 0; polls < POLLS_MAX; polls++) {
    const polled = await Promise.all(
      consumers.map((consumer) => consumer.poll({ timeoutMs: POLL_MS })),
    )
    records.push(...polled.flat())
    if (done(records)) return records
  }
  throw new Error('what was waited for did not come')
}

const sizes = (consumers: readonly Consumer[]) =>
  consumers.map((consumer) => consumer.assignment().length)

const reading: readonly ConsumerCase[] = [
  {
    title: 'a record is read as it was sent',
    async run(t, { world }) {
      const topic = await world.topic()
      const headers = { a: 'ä', b: null }
      const timestamp = 1_700_000_000_000
      const messages = [
        { key: 'k', value: Buffer.from([0, 255]), headers, timestamp },
        { value: null, key: 'gone', timestamp },
      ]
      await world.producer().send({ topic, messages })
      const consumer = new ConsumerWorld(world).consumer({ groupId: group() })
      await consumer.subscribe([topic])
      const [first, second] = await pollUntil([consumer], ({ length }) => length >= 2)
      t.is(first?.topic, topic)
      t.is(first?.offset, 0)
      t.is(first?.timestamp, timestamp)
      t.is(first?.timestampType, 'CreateTime')
      t.is(String(first?.key), 'k')
      t.deepEqual(first?.value, Buffer.from([0, 255]))
      t.is(first?.value, first?.value)
      t.deepEqual(first?.headers, [
        { key: 'a', value: Buffer.from('ä') },
        { key: 'b', value: null },
      ])
      t.is(second?.value, null)
      await consumer.close()
    },
  },
  {
    title: 'a loop reads all partitions in order, and goes on where the last one ended',
    async run(t, world) {
      const topic = await world.filled(3, 40)
      const groupId = group()
      const read = new Map<number, string[]>()
      let left = 120
      for (const part of [70, 50]) {
        const consumer = world.consumer({ groupId })
        await consumer.subscribe([topic])
        let here = part
        for await (const { partition, value } of consumer) {
          read.set(partition, [...(read.get(partition) ?? []), String(value)])
          left--
          if (--here === 0) break
        }
        await consumer.close()
      }
      t.is(left, 0)
      for (const partition of [0, 1, 2]) t.deepEqual(read.get(partition), numbers(40))
    },
  },
  {
    title: 'records of all codecs come unfolded',
    async run(t, world) {
      const topic = await world.world.topic()
      const codecs: CompressionName[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
      for (const compressionType of codecs) {
        const producer = world.world.producer({ compressionType })
        const messages = numbers(200).map((n) => ({ value: `${compressionType} ${n}` }))
        await producer.send({ topic, messages })
      }
      const consumer = world.consumer({ isolationLevel: 'read_committed' })
      consumer.assign([{ topic, partition: 0 }])
      const records = await pollUntil([consumer], ({ length }) => length >= 1000)
      t.deepEqual(
        values(records),
        codecs.flatMap((codec) => numbers(200).map((n) => `${codec} ${n}`)),
      )
    },
  },
  {
    title: 'a batch that fails is read again, and one that does not is not',
    async run(t, world) {
      const topic = await world.filled(1, 10)
      const consumer = world.consumer({ groupId: group(), maxPollRecords: 4 })
      await consumer.subscribe([topic])
      const seen: string[][] = []
      const handle = async ({ records }: { records: readonly ConsumerRecord[] }) => {
        seen.push(values(records))
        if (seen.length === 2) throw new Error('not now')
        if (seen.length === 4) void consumer.close()
      }
      await t.throwsAsync(consumer.eachBatch(handle), { message: 'not now' })
      await consumer.eachBatch(handle)
      t.deepEqual(seen, [numbers(4), numbers(4, 4), numbers(4, 4), numbers(2, 8)])
    },
  },
  {
    title: 'keys and values are decoded by deserializers',
    async run(t, world) {
      const topic = await world.filled(1, 3)
      const consumer = new Consumer({
        ...world.world.target(),
        autoOffsetReset: 'earliest',
        deserializers: { value: { deserialize: (bytes) => Number(bytes) } },
      })
      consumer.assign([{ topic, partition: 0 }])
      const records = await consumer.poll({ timeoutMs: 10_000 })
      t.deepEqual(
        records.map(({ value }) => value),
        [0, 1, 2],
      )
      await consumer.close()
    },
  },
  {
    title: 'an aborted signal ends a wait with its reason, and the consumer goes on',
    async run(t, world) {
      const topic = await world.world.topic()
      const consumer = world.consumer()
      consumer.assign([{ topic, partition: 0 }])
      const abort = new AbortController()
      const wait = consumer.poll({ timeoutMs: 60_000, signal: abort.signal })
      abort.abort(new Error('enough'))
      await t.throwsAsync(wait, { message: 'enough' })
      const loop = consumer.records({ signal: AbortSignal.abort(new Error('at once')) })
      await t.throwsAsync(loop.next(), { message: 'at once' })
      await world.send(topic, 1)
      t.is((await consumer.poll({ timeoutMs: 10_000 })).length, 1)
    },
  },
  {
    title: 'a loop ends when the consumer is closed',
    async run(t, world) {
      const topic = await world.filled(1, 2)
      const consumer = world.consumer({ groupId: group() })
      await consumer.subscribe([topic])
      const read: string[] = []
      for await (const { value } of consumer) {
        read.push(String(value))
        if (read.length === 2) setImmediate(() => void consumer.close())
      }
      t.deepEqual(read, ['0', '1'])
      await t.throwsAsync(consumer.poll(), { name: 'CLIENT_CLOSED' })
    },
  },
]

const positions: readonly ConsumerCase[] = [
  {
    title: 'seek goes to an offset, both ends, and a time',
    async run(t, world) {
      const topic = await world.world.topic()
      const partition = { topic, partition: 0 }
      const messages = numbers(10).map((value, i) => ({ value, timestamp: 1_000_000 + i * 1000 }))
      await world.world.producer().send({ topic, messages })
      const consumer = world.consumer({ maxPollRecords: 1 })
      consumer.assign([partition])
      const next = async () => values(await consumer.poll({ timeoutMs: 10_000 }))
      t.deepEqual(await next(), ['0'])
      consumer.seek({ ...partition, offset: 7 })
      t.deepEqual(await next(), ['7'])
      t.is(await consumer.position(partition), 8)
      t.is(consumer.lag(partition), 2)
      consumer.seekToBeginning()
      t.deepEqual(await next(), ['0'])
      consumer.seekToTimestamp(1_004_500)
      t.deepEqual(await next(), ['5'])
      consumer.seekToEnd()
      t.is(await consumer.position(partition), 10)
      consumer.seekToTimestamp(2_000_000)
      t.is(await consumer.position(partition), 10)
      const [found] = await consumer.listOffsets([{ ...partition, at: 1_008_001 }])
      t.deepEqual([found?.offset, found?.timestamp], [9, 1_009_000])
      t.throws(() => consumer.seek({ topic, partition: 9, offset: 0 }), {
        name: 'UNKNOWN_TOPIC_OR_PARTITION',
      })
    },
  },
  {
    title: 'a paused partition is silent until it is resumed, the others are not',
    async run(t, world) {
      const topic = await world.filled(2, 20)
      const consumer = world.consumer({ maxPollRecords: 5 })
      const paused = { topic, partition: 0 }
      consumer.assign([paused, { topic, partition: 1 }])
      await consumer.poll({ timeoutMs: 10_000 })
      const before = await consumer.position(paused)
      consumer.pause([paused])
      t.deepEqual(consumer.paused(), [paused])
      await pollUntil([consumer], () => consumer.lag({ topic, partition: 1 }) === 0)
      t.is(await consumer.position(paused), before)
      consumer.resume([paused])
      const rest = await pollUntil([consumer], () => consumer.lag(paused) === 0)
      t.deepEqual(values(rest), numbers(20 - before, before))
    },
  },
  {
    title: 'records that are gone are passed over as autoOffsetReset says',
    async run(t, world) {
      const topic = await world.filled(1, 10)
      const partition = { topic, partition: 0 }
      await world.world.admin.deleteRecords([{ ...partition, beforeOffset: 6 }])
      const earliest = world.consumer()
      earliest.assign([partition])
      earliest.seek({ ...partition, offset: 2 })
      t.deepEqual(values(await earliest.poll({ timeoutMs: 10_000 })), numbers(4, 6))
      const none = world.consumer({ autoOffsetReset: 'none' })
      none.assign([partition])
      await t.throwsAsync(none.poll({ timeoutMs: 10_000 }), { name: 'OFFSET_OUT_OF_RANGE' })
      none.seek({ ...partition, offset: 2 })
      await t.throwsAsync(none.poll({ timeoutMs: 10_000 }), { name: 'OFFSET_OUT_OF_RANGE' })
      none.seek({ ...partition, offset: 8 })
      t.deepEqual(values(await none.poll({ timeoutMs: 10_000 })), ['8', '9'])
    },
  },
  {
    title: 'chosen offsets are committed with their metadata; nothing is an offset as well',
    async run(t, world) {
      const topic = await world.filled(2, 5)
      const groupId = group()
      const consumer = world.consumer({ groupId, enableAutoCommit: false })
      consumer.assign([
        { topic, partition: 0 },
        { topic, partition: 1 },
      ])
      await consumer.commit([{ topic, partition: 0, offset: 3, metadata: 'note' }])
      const committed = await consumer.committed(consumer.assignment())
      const byPartition = committed.sort((a, b) => a.partition - b.partition)
      t.deepEqual(
        byPartition.map(({ offset, metadata }) => [offset, metadata]),
        [
          [3, 'note'],
          [undefined, ''],
        ],
      )
      const again = world.consumer({ groupId, enableAutoCommit: false })
      again.assign([{ topic, partition: 0 }])
      t.deepEqual(values(await again.poll({ timeoutMs: 10_000 })), ['3', '4'])
      await again.commit()
      t.is((await again.committed(again.assignment()))[0]?.offset, 5)
    },
  },
  {
    title: 'of commits without waiting the last one stays',
    async run(t, world) {
      const topic = await world.filled(1, 1)
      const partition = { topic, partition: 0 }
      const consumer = world.consumer({ groupId: group(), enableAutoCommit: false })
      consumer.assign([partition])
      const told: (KafkaError | null)[] = []
      for (let offset = 1; offset <= 50; offset++) {
        consumer.commitAsync([{ ...partition, offset }], (error) => told.push(error))
      }
      await consumer.commit([{ ...partition, offset: 51 }])
      t.is(told.length, 50)
      t.true(told.every((error) => error === null))
      t.is((await consumer.committed([partition]))[0]?.offset, 51)
    },
  },
  {
    title: 'positions are committed every autoCommitIntervalMs while records are asked for',
    async run(t, world) {
      const topic = await world.filled(1, 5)
      const partition = { topic, partition: 0 }
      const consumer = world.consumer({ groupId: group(), autoCommitIntervalMs: 50 })
      await consumer.subscribe([topic])
      await pollUntil([consumer], ({ length }) => length === 5)
      let offset: number | undefined
      for (let polls = 0; offset !== 5 && polls < POLLS_MAX; polls++) {
        await consumer.poll({ timeoutMs: 50 })
        offset = (await consumer.committed([partition]))[0]?.offset
      }
      t.is(offset, 5)
    },
  },
]

/** All ways of a group to share partitions. */
const ways: readonly ConsumerSettings[] = [
  ...(['range', 'roundrobin', 'sticky', 'cooperative-sticky'] as const).map(
    (name: AssignorName): ConsumerSettings => ({ partitionAssignmentStrategy: [name] }),
  ),
  { groupProtocol: 'consumer' },
]

const groups: readonly ConsumerCase[] = ways.map((settings) => ({
  title: `${settings.partitionAssignmentStrategy ?? 'consumer protocol'}: members share partitions, and take over from who leaves`,
  async run(t, world) {
    const topic = await world.filled(4, 10)
    const groupId = group()
    const held = new Set<string>()
    const listener = {
      onPartitionsAssigned(partitions: readonly TopicPartition[]) {
        for (const { partition } of partitions) {
          t.false(held.has(`${partition}`), 'no two members have one partition')
          held.add(`${partition}`)
        }
      },
      onPartitionsRevoked(partitions: readonly TopicPartition[]) {
        for (const { partition } of partitions) held.delete(`${partition}`)
      },
    }
    const first = world.consumer({ groupId, ...settings })
    await first.subscribe([topic], listener)
    const records = await pollUntil([first], () => sizes([first])[0] === 4)
    const second = world.consumer({ groupId, ...settings })
    await second.subscribe([topic], listener)
    const both = [first, second]
    records.push(...(await pollUntil(both, () => sizes(both).join() === '2,2' && held.size === 4)))
    await second.close()
    records.push(
      ...(await pollUntil([first], (more) => {
        return sizes([first])[0] === 4 && records.length + more.length >= 40
      })),
    )
    t.is(held.size, 4)
    for (const partition of [0, 1, 2, 3]) {
      const mine = records.filter((record) => record.partition === partition)
      t.deepEqual(values(mine), numbers(10))
    }
  },
}))

const membership: readonly ConsumerCase[] = [
  {
    title: 'a RegExp follows topics as they come',
    async run(t, world) {
      const mark = randomUUID()
      const admin = world.world.admin
      const create = (topic: string) =>
        admin.createTopics([{ topic, numPartitions: 1, replicationFactor: 1 }])
      await create(`${mark}-a`)
      await create(`other-${mark}`)
      const consumer = new Consumer({
        ...world.world.target(),
        groupId: group(),
        metadataMaxAgeMs: 200,
        autoOffsetReset: 'earliest',
      })
      await consumer.subscribe(new RegExp(`^${mark}-`))
      await pollUntil([consumer], () => consumer.assignment().length === 1)
      await create(`${mark}-b`)
      await pollUntil([consumer], () => consumer.assignment().length === 2)
      const topics = consumer.assignment().map(({ topic }) => topic)
      t.deepEqual(topics.sort(), [`${mark}-a`, `${mark}-b`])
      await consumer.close()
    },
  },
  {
    title: 'an RE2 expression is matched by the broker',
    async run(t, world) {
      const topic = await world.filled(1, 3)
      const consumer = world.consumer({ groupId: group(), groupProtocol: 'consumer' })
      await consumer.subscribe({ re2: `${topic.slice(0, -1)}.` })
      const records = await pollUntil([consumer], ({ length }) => length >= 3)
      t.deepEqual(values(records), ['0', '1', '2'])
      const classic = world.consumer({ groupId: group() })
      await t.throwsAsync(classic.subscribe({ re2: '.*' }), { instanceOf: TypeError })
    },
  },
  {
    title: 'who does not ask for records in time gives its partitions up, and gets them again',
    async run(t, world) {
      const topic = await world.filled(1, 3)
      const groupId = group()
      const told: string[] = []
      const consumer = world.consumer({ groupId, maxPollIntervalMs: 1000 })
      await consumer.subscribe([topic], {
        onPartitionsAssigned: () => void told.push('assigned'),
        onPartitionsLost: () => void told.push('lost'),
      })
      await pollUntil([consumer], ({ length }) => length === 3)
      await consumer.commit()
      for (;;) {
        const [described] = await world.world.admin.describeGroups([groupId])
        if (described?.members.length === 0) break
      }
      await t.throwsAsync(consumer.commit(), { instanceOf: KafkaError })
      await pollUntil([consumer], () => told.length >= 3)
      t.deepEqual(told, ['assigned', 'lost', 'assigned'])
    },
  },
  {
    title: 'a static member comes back to its partitions without a rebalance',
    async run(t, world) {
      const topic = await world.filled(2, 5)
      const groupId = group()
      const start = async (groupInstanceId: string, told: string[]) => {
        const consumer = world.consumer({ groupId, groupInstanceId })
        await consumer.subscribe([topic], {
          onPartitionsRevoked: () => void told.push('revoked'),
        })
        return consumer
      }
      const told: string[] = []
      const first = await start('one', told)
      const second = await start('two', [])
      await pollUntil([first, second], () => sizes([first, second]).join() === '1,1')
      const mine = second.assignment()
      await second.close()
      told.length = 0
      const again = await start('two', [])
      await pollUntil([first, again], () => again.assignment().length === 1)
      t.deepEqual(again.assignment(), mine)
      t.deepEqual(told, [])
    },
  },
  {
    title: 'positions set when partitions are assigned count more than what is committed',
    async run(t, world) {
      const topic = await world.filled(1, 10)
      const consumer = world.consumer({ groupId: group() })
      await consumer.subscribe([topic], {
        onPartitionsAssigned(partitions) {
          for (const one of partitions) consumer.seek({ ...one, offset: 8 })
        },
      })
      t.deepEqual(values(await pollUntil([consumer], ({ length }) => length >= 2)), ['8', '9'])
    },
  },
  {
    title: 'offsets can be committed while partitions are revoked',
    async run(t, world) {
      const topic = await world.filled(1, 4)
      const consumer = world.consumer({ groupId: group(), enableAutoCommit: false })
      await consumer.subscribe([topic], { onPartitionsRevoked: () => consumer.commit() })
      await pollUntil([consumer], ({ length }) => length === 4)
      await consumer.unsubscribe()
      t.is((await consumer.committed([{ topic, partition: 0 }]))[0]?.offset, 4)
    },
  },
]

/** All of them. */
export const consumerCases: readonly ConsumerCase[] = [
  ...reading,
  ...positions,
  ...groups,
  ...membership,
]

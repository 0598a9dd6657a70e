/** What settings of producers and consumers promise, as a function of the broker. */
import { randomUUID } from 'node:crypto'
import type { ConsumerSettings } from '../../src/client/consumer-options.ts'
import { KafkaError } from '../../src/client/errors.ts'
import { type ConsumerCase, pollUntil } from './consumer-suite.ts'

/** Each brings one batch at a time, since that is always sent whole. */
const bounds: readonly ConsumerSettings[] = [
  { maxPartitionFetchBytes: 1 },
  { fetchMaxBytes: 1 },
  { prefetchBytesMax: 1 },
]

const fetching: readonly ConsumerCase[] = bounds.map((settings) => ({
  title: `${Object.keys(settings)[0]} of 1: batches come one by one, all and in order`,
  async run(t, world) {
    const topic = await world.world.topic(2)
    for (let from = 0; from < 5; from++) {
      for (const partition of [0, 1]) await world.send(topic, 1, partition, from)
    }
    const consumer = world.consumer({ fetchMaxWaitMs: 50, ...settings })
    consumer.assign([0, 1].map((partition) => ({ topic, partition })))
    const records = await pollUntil([consumer], ({ length }) => length === 10)
    for (const wanted of [0, 1]) {
      const mine = records.filter(({ partition }) => partition === wanted)
      t.deepEqual(
        mine.map(({ value }) => String(value)),
        ['0', '1', '2', '3', '4'],
      )
    }
    t.true(consumer.metrics().fetches >= 5)
  },
}))

const choosing: readonly ConsumerCase[] = [
  {
    title: 'groupRemoteAssignor names what the broker assigns by; one that it lacks is an error',
    async run(t, world) {
      const topic = await world.world.topic(4)
      const settings = { groupId: `g-${randomUUID()}`, groupProtocol: 'consumer' } as const
      const ranged = { ...settings, groupRemoteAssignor: 'range' }
      const both = [world.consumer(ranged), world.consumer(ranged)]
      for (const one of both) await one.subscribe([topic])
      const held = () =>
        both.map((one) =>
          one
            .assignment()
            .map(({ partition }) => partition)
            .sort()
            .join(''),
        )
      await pollUntil(both, () => held().every(({ length }) => length === 2))
      t.deepEqual(held().sort(), ['01', '23'])
      const lost = world.consumer({ ...settings, groupRemoteAssignor: 'no-such-assignor' })
      await lost.subscribe([topic])
      await t.throwsAsync(
        pollUntil([lost], () => false),
        { name: 'UNSUPPORTED_ASSIGNOR' },
      )
    },
  },
  {
    title: 'who may not create topics by asking for them does not',
    async run(t, world) {
      const { admin } = world.world
      const names = async () => (await admin.listTopics()).map(({ topic }) => topic)
      const missing = `t-${randomUUID()}`
      const producer = world.world.producer({ allowAutoTopicCreation: false, maxBlockMs: 500 })
      const sent = producer.send({ topic: missing, messages: [{ value: 'v' }] })
      await t.throwsAsync(sent, { instanceOf: KafkaError })
      const groupId = `g-${randomUUID()}`
      const consumer = world.consumer({ groupId, allowAutoCreateTopics: false })
      await consumer.subscribe([missing])
      for (let polls = 0; polls < 5; polls++) await consumer.poll({ timeoutMs: 100 })
      t.false((await names()).includes(missing))
      const may = world.consumer({ groupId: `g-${randomUUID()}` })
      await may.subscribe([missing])
      await pollUntil([may], () => may.assignment().length > 0)
      t.true((await names()).includes(missing))
    },
  },
]

export const settingsCases: readonly ConsumerCase[] = [...fetching, ...choosing]

/** What a transactional producer promises, on any broker. */
import { randomUUID } from 'node:crypto'
import { Consumer } from '../../src/client/consumer.ts'
import { KafkaError } from '../../src/client/errors.ts'
import type { Producer } from '../../src/client/producer.ts'
import type { ProducerSettings } from '../../src/client/producer-options.ts'
import { Seeded } from '../support/seeded.ts'
import type { ClientCase, World } from './client-suite.ts'

const ROUNDS = 40
const SEED = 11

/** With an id of its own, unless it is told one. */
function transactional(world: World, settings: ProducerSettings = {}): Producer {
  return world.producer({ transactionalId: randomUUID(), ...settings })
}

interface Reading {
  readonly partitions?: number
  readonly isolationLevel?: 'read_committed' | 'read_uncommitted'
  /** A transaction is open, so that its readers do not come to the end. */
  readonly isOpen?: boolean
}

/** All values that readers see, by partition; by default those of committed records. */
async function committed(world: World, topic: string, reading: Reading = {}): Promise<string[][]> {
  const { partitions = 1, isolationLevel = 'read_committed', isOpen = false } = reading
  const consumer = new Consumer({ ...world.target(), autoOffsetReset: 'earliest', isolationLevel })
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  consumer.assign(all)
  const queries = all.map((one) => ({ ...one, at: 'latest' as const }))
  const ends = await (isOpen ? consumer : world.admin).listOffsets(queries)
  const values: string[][] = all.map(() => [])
  const isRead = async () => {
    for (const { offset = 0, ...one } of ends) {
      if ((await consumer.position(one)) < offset) return false
    }
    return true
  }
  while (!(await isRead())) {
    for (const { partition, value } of await consumer.poll({ timeoutMs: 100 })) {
      values[partition]?.push(String(value))
    }
  }
  await consumer.close()
  return values
}

/** What is committed of partition 0. */
async function committedOffset(
  world: World,
  groupId: string,
  topic: string,
): Promise<number | undefined> {
  const offsets = await world.admin.listGroupOffsets(groupId, [{ topic, partition: 0 }])
  return offsets[0]?.offset
}

/** The promises. */
export const transactionCases: readonly ClientCase[] = [
  {
    title: 'a transaction is seen whole when it is committed, and not at all when it is aborted',
    async run(t, world) {
      const topic = await world.topic(3)
      const producer = transactional(world)
      const send = (values: string[]) =>
        producer.send({
          topic,
          messages: values.map((value, i) => ({ value, partition: i % 3 })),
        })
      await producer.beginTransaction()
      await send(['a', 'b', 'c'])
      t.deepEqual(await committed(world, topic, { partitions: 3, isOpen: true }), [[], [], []])
      await producer.commitTransaction()
      t.deepEqual(await committed(world, topic, { partitions: 3 }), [['a'], ['b'], ['c']])
      await producer.beginTransaction()
      await send(['d', 'e', 'f'])
      await producer.abortTransaction()
      await producer.beginTransaction()
      await send(['g', 'h', 'i'])
      await producer.commitTransaction()
      t.deepEqual(await committed(world, topic, { partitions: 3 }), [
        ['a', 'g'],
        ['b', 'h'],
        ['c', 'i'],
      ])
      // The aborted ones are there for who reads everything.
      t.deepEqual(await committed(world, topic, { isolationLevel: 'read_uncommitted' }), [
        ['a', 'd', 'g'],
      ])
    },
  },
  {
    title: 'transaction() commits what its function sent, and aborts when that throws',
    async run(t, world) {
      const topic = await world.topic()
      const producer = transactional(world)
      const answer = await producer.transaction((same) => {
        same.post({ topic, messages: [{ value: 'posted' }] })
        return 7
      })
      t.is(answer, 7)
      const failing = producer.transaction(async () => {
        await producer.send({ topic, messages: [{ value: 'regretted' }] })
        throw new Error('on second thought')
      })
      await t.throwsAsync(failing, { message: 'on second thought' })
      await producer.transaction(() => {})
      await producer.transaction(() => void producer.post({ topic, messages: [{ value: 'last' }] }))
      t.deepEqual(await committed(world, topic), [['posted', 'last']])
    },
  },
  {
    title: 'many transactions, some aborted: each committed record is seen once, in order',
    async run(t, world) {
      const topic = await world.topic(4)
      const random = new Seeded(SEED)
      const producer = transactional(world, { batchSize: 500 })
      const expected: string[][] = [[], [], [], []]
      for (let round = 0; round < ROUNDS; round++) {
        await producer.beginTransaction()
        const sent: [number, string][] = []
        for (let left = random.between(0, 60); left > 0; left--) {
          const partition = random.between(0, 3)
          const value = `${round} ${left} ${'x'.repeat(random.between(0, 100))}`
          sent.push([partition, value])
          producer.post({ topic, messages: [{ value, partition }] })
        }
        if (random.between(0, 3) === 0) {
          await producer.abortTransaction()
          continue
        }
        await producer.commitTransaction()
        for (const [partition, value] of sent) expected[partition]?.push(value)
      }
      t.deepEqual(await committed(world, topic, { partitions: 4 }), expected)
    },
  },
  {
    title: 'offsets of a group are committed with the transaction, or not at all',
    async run(t, world) {
      const [from, to] = [await world.topic(), await world.topic()]
      const groupId = `g-${randomUUID()}`
      const messages = Array.from({ length: 10 }, (_, i) => ({ value: String(i) }))
      await world.producer().send({ topic: from, messages })
      const consumer = new Consumer({
        ...world.target(),
        groupId,
        autoOffsetReset: 'earliest',
        enableAutoCommit: false,
      })
      await consumer.subscribe([from])
      const producer = transactional(world)
      const pass = async (commits: boolean) => {
        const records = []
        while (records.length < 5) {
          records.push(
            ...(await consumer.poll({ timeoutMs: 1000, maxRecords: 5 - records.length })),
          )
        }
        await producer.beginTransaction()
        const doubled = records.map(({ value }) => ({ value: String(Number(String(value)) * 2) }))
        producer.post({ topic: to, messages: doubled })
        await producer.sendOffsetsToTransaction(consumer.positions(), consumer.groupMetadata())
        await (commits ? producer.commitTransaction() : producer.abortTransaction())
      }
      await pass(true)
      t.is(await committedOffset(world, groupId, from), 5)
      await pass(false)
      t.is(await committedOffset(world, groupId, from), 5)
      t.deepEqual(await committed(world, to), [['0', '2', '4', '6', '8']])
      await consumer.close()
    },
  },
  {
    title: 'offsets of who is no member of the group any more abort the transaction',
    async run(t, world) {
      const topic = await world.topic()
      const groupId = `g-${randomUUID()}`
      const consumer = new Consumer({ ...world.target(), groupId, enableAutoCommit: false })
      await consumer.subscribe([topic])
      while (consumer.groupMetadata().generation < 0) await consumer.poll({ timeoutMs: 100 })
      const metadata = consumer.groupMetadata()
      await consumer.close()
      const producer = transactional(world)
      await producer.beginTransaction()
      await producer.send({ topic, messages: [{ value: 'too late' }] })
      const offsets = [{ topic, partition: 0, offset: 1 }]
      const error = await t.throwsAsync(producer.sendOffsetsToTransaction(offsets, metadata), {
        instanceOf: KafkaError,
      })
      t.true(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION'].includes(error?.name ?? ''), error?.name)
      await t.throwsAsync(producer.commitTransaction(), { name: 'TRANSACTION_ABORTABLE' })
      await producer.abortTransaction()
      await producer.transaction(() => void producer.post({ topic, messages: [{ value: 'next' }] }))
      t.deepEqual(await committed(world, topic), [['next']])
    },
  },
  {
    title: 'the next producer of an id ends what the last one left open, and fences it',
    async run(t, world) {
      const topic = await world.topic()
      const transactionalId = randomUUID()
      const first = transactional(world, { transactionalId })
      await first.beginTransaction()
      await first.send({ topic, messages: [{ value: 'left open' }] })
      const second = transactional(world, { transactionalId })
      await second.beginTransaction()
      await second.send({ topic, messages: [{ value: 'of the second' }] })
      const error = await t.throwsAsync(first.commitTransaction(), { instanceOf: KafkaError })
      t.is(error?.name, 'PRODUCER_FENCED')
      t.true(error?.fatal)
      await t.throwsAsync(first.send({ topic, messages: [{ value: 'more' }] }), {
        name: 'PRODUCER_FENCED',
      })
      await t.throwsAsync(first.beginTransaction(), { name: 'PRODUCER_FENCED' })
      await t.throwsAsync(first.abortTransaction(), { name: 'PRODUCER_FENCED' })
      await second.commitTransaction()
      t.deepEqual(await committed(world, topic), [['of the second']])
    },
  },
  {
    title: 'a record that cannot be written fails its transaction; after the abort the next begins',
    async run(t, world) {
      const topic = await world.topic(1, { 'max.message.bytes': '2000' })
      const producer = transactional(world)
      await producer.beginTransaction()
      await producer.send({ topic, messages: [{ value: 'small' }] })
      await t.throwsAsync(producer.send({ topic, messages: [{ value: 'x'.repeat(3000) }] }), {
        name: 'MESSAGE_TOO_LARGE',
      })
      await t.throwsAsync(producer.send({ topic, messages: [{ value: 'more' }] }), {
        name: 'TRANSACTION_ABORTABLE',
      })
      const error = await t.throwsAsync(producer.commitTransaction(), {
        name: 'TRANSACTION_ABORTABLE',
      })
      t.like(error?.cause, { name: 'MESSAGE_TOO_LARGE' })
      await t.throwsAsync(producer.beginTransaction(), { name: 'TRANSACTION_ABORTABLE' })
      await producer.abortTransaction()
      await producer.beginTransaction()
      // Nobody waits for this one, and it fails all the same.
      producer.post({ topic, messages: [{ value: 'y', partition: 5 }] })
      await t.throwsAsync(producer.commitTransaction(), { name: 'TRANSACTION_ABORTABLE' })
      await producer.abortTransaction()
      await producer.transaction(() => void producer.post({ topic, messages: [{ value: 'good' }] }))
      t.deepEqual(await committed(world, topic), [['good']])
    },
  },
  {
    title: 'outside of a transaction nothing is sent, and calls out of order are refused',
    async run(t, world) {
      const topic = await world.topic()
      const producer = transactional(world)
      const name = 'INVALID_TXN_STATE'
      await t.throwsAsync(producer.send({ topic, messages: [{ value: 'a' }] }), { name })
      await t.throwsAsync(producer.commitTransaction(), { name })
      await t.throwsAsync(producer.abortTransaction(), { name })
      const offsets = [{ topic, partition: 0, offset: 1 }]
      const group = { groupId: 'g', memberId: '', generation: -1, groupInstanceId: null }
      await t.throwsAsync(producer.sendOffsetsToTransaction(offsets, group), { name })
      const beginning = producer.beginTransaction()
      await t.throwsAsync(producer.beginTransaction(), { name })
      await beginning
      await t.throwsAsync(producer.beginTransaction(), { name })
      await producer.commitTransaction()
      await t.throwsAsync(world.producer().beginTransaction(), { instanceOf: TypeError })
      t.throws(() => transactional(world, { acks: 1 }), { instanceOf: TypeError })
    },
  },
  {
    title: 'a producer that is closed aborts what it has open',
    async run(t, world) {
      const topic = await world.topic()
      const producer = transactional(world)
      await producer.beginTransaction()
      await producer.send({ topic, messages: [{ value: 'unfinished' }] })
      await producer.close()
      t.deepEqual(await committed(world, topic), [[]])
      // Nothing is open any more: the end for readers of committed records is that of the log.
      const [end] = await world.admin.listOffsets([{ topic, partition: 0, at: 'latest' }])
      const isolationLevel = 'readCommitted'
      const [stable] = await world.admin.listOffsets([{ topic, partition: 0, at: 'latest' }], {
        isolationLevel,
      })
      t.is(stable?.offset, end?.offset)
    },
  },
]

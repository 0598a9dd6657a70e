/** Topics typed by their serdes. What the compiler promises is checked by `@ts-expect-error`. */
import test from 'ava'
import {
  Broker,
  bytesSerde,
  Consumer,
  type ConsumerRecord,
  int64Serde,
  jsonSerde,
  Producer,
  type RecordOf,
  type SerdeContext,
  stringSerde,
  type Topic,
  topic,
} from '../../src/index.ts'

interface Order {
  readonly id: string
  readonly pieces: number
}

const orders = topic('orders', { key: stringSerde, value: jsonSerde<Order>() })
const counts = topic('counts', { value: int64Serde })
const notes = topic('notes')
const topics = ['orders', 'counts', 'notes', 'plain', 'secret']

/** Exactly the same type, which assignability alone does not tell. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

function holds<T extends true>(): T | undefined {
  return undefined
}

function start(): Promise<Broker> {
  return Broker.start({ storage: 'memory', threads: 0, topics })
}

test('types follow from the serdes', (t) => {
  holds<Same<typeof orders, Topic<string, Order, 'orders'>>>()
  holds<Same<typeof counts.topic, 'counts'>>()
  type Read = RecordOf<Buffer, Buffer, typeof orders | typeof counts | typeof notes>
  holds<
    Same<
      Read,
      | ConsumerRecord<string, Order, 'orders'>
      | ConsumerRecord<Buffer, bigint, 'counts'>
      | ConsumerRecord<Buffer, Buffer, 'notes'>
    >
  >()
  holds<Same<RecordOf<number, Date, never>, ConsumerRecord<number, Date>>>()
  // @ts-expect-error A serde has two directions.
  topic('half', { value: { serialize: (value: string) => value } })
  t.deepEqual(notes, { topic: 'notes', key: undefined, value: undefined })
})

test('one producer writes each topic by its own serdes', async (t) => {
  await using broker = await start()
  const upper = { serialize: (value: string) => value.toUpperCase() }
  await using producer = new Producer({ port: broker.connect(), serializers: { value: upper } })
  await producer.send({ topic: orders, messages: [{ key: 'a', value: { id: 'a', pieces: 1 } }] })
  await producer.send({ topic: counts, messages: [{ key: 'k', value: 7n }, { value: null }] })
  producer.post({ topic: notes, messages: [{ value: 'as it is' }] })
  await new Promise((resolve) => {
    producer.send({ topic: 'plain', messages: [{ value: 'loud' }] }, resolve)
  })
  await producer.flush()
  const wrong = () => {
    // @ts-expect-error The topic says what a value is.
    producer.post({ topic: orders, messages: [{ key: 'a', value: { id: 1 } }] })
    // @ts-expect-error The topic says what a key is.
    producer.post({ topic: orders, messages: [{ key: 1, value: null }] })
    // @ts-expect-error For other topics the producer's serializers say it.
    producer.post({ topic: 'plain', messages: [{ value: 7n }] })
  }
  t.is(typeof wrong, 'function')

  await using consumer = new Consumer({ port: broker.connect(), autoOffsetReset: 'earliest' })
  const written: Record<string, (string | null)[]> = {}
  for (const name of ['orders', 'counts', 'notes', 'plain']) {
    consumer.assign([{ topic: name, partition: 0 }])
    const records = await consumer.poll({ timeoutMs: 10_000 })
    written[name] = records.map(({ value }) => value?.toString('latin1') ?? null)
  }
  t.deepEqual(written, {
    orders: ['{"id":"a","pieces":1}'],
    counts: ['\0\0\0\0\0\0\0\x07', null],
    notes: ['as it is'],
    plain: ['LOUD'],
  })
})

test('a serializer of a topic may need time, and the order is kept', async (t) => {
  await using broker = await start()
  const slow = topic('secret', {
    value: {
      serialize: async (value: number) => String(value),
      deserialize: async (bytes: Buffer) => new Date(Number(bytes)),
    },
  })
  await using producer = new Producer({ port: broker.connect() })
  const first = producer.send({ topic: slow, messages: [{ value: 1 }] })
  const second = producer.send({ topic: 'secret', messages: [{ value: '2' }] })
  t.deepEqual(
    (await Promise.all([first, second])).map(([record]) => record?.offset),
    [0, 1],
  )
  await using consumer = new Consumer({
    port: broker.connect(),
    autoOffsetReset: 'earliest',
    topics: [slow],
  })
  consumer.assign([{ topic: 'secret', partition: 0 }])
  const records = await consumer.poll({ timeoutMs: 10_000 })
  const dates: (Date | null)[] = records.map(({ value }) => value)
  t.deepEqual(dates, [new Date(1), new Date(2)])
})

test('one consumer reads each topic by its own serdes, told apart by name', async (t) => {
  await using broker = await start()
  await using producer = new Producer({ port: broker.connect() })
  await producer.send({ topic: orders, messages: [{ key: 'a', value: { id: 'a', pieces: 3 } }] })
  await producer.send({ topic: counts, messages: [{ key: 'k', value: 5n }] })
  await using consumer = new Consumer({
    port: broker.connect(),
    groupId: 'g',
    autoOffsetReset: 'earliest',
    topics: [orders, counts],
  })
  await consumer.subscribe([orders, 'counts'])
  const wrong = () => {
    // @ts-expect-error Nobody has said what the records of this topic are.
    void consumer.subscribe(['plain'])
    // @ts-expect-error Nor of this one, as far as this consumer goes.
    void consumer.subscribe([notes])
  }
  t.is(typeof wrong, 'function')
  let sum = 0n
  let keys = ''
  for await (const record of consumer) {
    if (record.topic === 'orders') {
      sum += BigInt(record.value?.pieces ?? 0)
      keys += record.key
    } else {
      sum += record.value ?? 0n
      keys += record.key?.toString()
    }
    if (keys.length === 2) break
  }
  t.is(sum, 8n)
  t.deepEqual([...keys].sort(), ['a', 'k'])
})

test('batches and what interceptors see are typed by their topic as well', async (t) => {
  await using broker = await start()
  await using producer = new Producer({ port: broker.connect() })
  await producer.send({ topic: orders, messages: [{ key: 'a', value: { id: 'a', pieces: 3 } }] })
  const seen: (number | undefined)[] = []
  await using consumer = new Consumer({
    port: broker.connect(),
    autoOffsetReset: 'earliest',
    topics: [orders],
    interceptors: [
      {
        onConsume: (records) => {
          seen.push(...records.map(({ value }) => value?.pieces))
          return records
        },
      },
    ],
  })
  consumer.assign([{ topic: 'orders', partition: 0 }])
  await consumer.eachBatch(({ topic, records }) => {
    const name: 'orders' = topic
    seen.push(name.length, ...records.map(({ value }) => value?.pieces))
    void consumer.close()
  })
  t.deepEqual(seen, [3, 6, 3])
})

test('a topic that is typed when it is subscribed to has to be of the consumer’s types', async (t) => {
  await using broker = await start()
  await using producer = new Producer({ port: broker.connect() })
  await producer.send({ topic: orders, messages: [{ key: 'a', value: { id: 'a', pieces: 3 } }] })
  const client = { port: broker.connect(), groupId: 'g', autoOffsetReset: 'earliest' } as const
  await using consumer = new Consumer<string, Order>(client)
  // @ts-expect-error Its values are no orders.
  const wrong = () => consumer.subscribe([counts])
  t.is(typeof wrong, 'function')
  await consumer.subscribe([orders])
  const [record] = await consumer.poll({ timeoutMs: 10_000 })
  t.is(record?.value?.pieces, 3)
})

test('other topics are read as the consumer’s deserializers say', async (t) => {
  await using broker = await start()
  await using producer = new Producer({ port: broker.connect() })
  await producer.send({ topic: 'plain', messages: [{ value: 'x' }] })
  await producer.send({ topic: orders, messages: [{ value: { id: 'a', pieces: 3 } }] })
  const named = { deserialize: (_: Buffer, { topic }: SerdeContext) => `of ${topic}` }
  await using consumer = new Consumer({
    port: broker.connect(),
    autoOffsetReset: 'earliest',
    topics: [orders, topic('notes', { value: bytesSerde })],
    deserializers: { value: named },
  })
  const values: unknown[] = []
  for (const name of ['plain', 'orders']) {
    consumer.assign([{ topic: name, partition: 0 }])
    for (const { value } of await consumer.poll({ timeoutMs: 10_000 })) values.push(value)
  }
  t.deepEqual(values, ['of plain', { id: 'a', pieces: 3 }])
})

test('a broker creates topics that are typed', async (t) => {
  await using broker = await Broker.start({ storage: 'memory', threads: 0, topics: [orders] })
  await broker.admin.createTopics([counts])
  const names = (await broker.admin.listTopics()).map(({ topic }) => topic)
  t.deepEqual(names.sort(), ['counts', 'orders'])
})

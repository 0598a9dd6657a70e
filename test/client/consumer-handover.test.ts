/** Records on their way to the user: deserializers that need time, interceptors, counters. */
import { setImmediate as turn } from 'node:timers/promises'
import test from 'ava'
import {
  Broker,
  Consumer,
  type ConsumerInterceptor,
  type ConsumerSettings,
  Producer,
} from '../../src/index.ts'

const COUNT = 20

/** A broker in memory with numbered records in `t`, and a consumer of them. */
async function withConsumer<V>(
  settings: ConsumerSettings<Buffer, V>,
  use: (consumer: Consumer<Buffer, V>) => Promise<void>,
): Promise<void> {
  await using broker = await Broker.start({ storage: 'memory', threads: 0, topics: ['t'] })
  await using producer = new Producer({ port: broker.connect() })
  const messages = Array.from({ length: COUNT }, (_, i) => ({ value: i === 7 ? null : `${i}` }))
  await producer.send({ topic: 't', messages })
  await using consumer = new Consumer<Buffer, V>({
    port: broker.connect(),
    autoOffsetReset: 'earliest',
    ...settings,
  })
  consumer.assign([{ topic: 't', partition: 0 }])
  await use(consumer)
}

/** Every third value needs time, and number 5 cannot be decoded. */
const slow = {
  deserialize(bytes: Buffer): number | Promise<number> {
    const number = Number(bytes.toString())
    if (number === 5) return turn().then(() => Promise.reject(new RangeError('five')))
    return number % 3 === 0 ? turn().then(() => number) : number
  },
}
const wanted = Array.from({ length: COUNT }, (_, i) => (i === 5 ? 'five' : i === 7 ? null : i))

function look(record: { readonly value: number | null }): number | string | null {
  try {
    return record.value
  } catch (error) {
    return (error as Error).message
  }
}

test('a deserializer that needs time is waited for, one by one', async (t) => {
  await withConsumer({ deserializers: { value: slow } }, async (consumer) => {
    const values: unknown[] = []
    for await (const record of consumer) {
      values.push(look(record))
      if (values.length === COUNT) break
    }
    t.deepEqual(values, wanted)
  })
})

test('a deserializer that needs time is waited for by poll', async (t) => {
  await withConsumer({ deserializers: { value: slow } }, async (consumer) => {
    const values: unknown[] = []
    while (values.length < COUNT) {
      values.push(...(await consumer.poll({ timeoutMs: 1000, maxRecords: 8 })).map(look))
    }
    t.deepEqual(values, wanted)
  })
})

test('a deserializer that needs time is waited for by eachBatch', async (t) => {
  await withConsumer({ deserializers: { value: slow }, maxPollRecords: 8 }, async (consumer) => {
    const values: unknown[] = []
    await consumer.eachBatch(({ records }) => {
      values.push(...records.map(look))
      if (values.length === COUNT) void consumer.close()
    })
    t.deepEqual(values, wanted)
  })
})

test('null that a deserializer makes is null', async (t) => {
  const deserializers = { value: { deserialize: () => null } }
  await withConsumer({ deserializers }, async (consumer) => {
    const [record] = await consumer.poll({ timeoutMs: 1000 })
    t.is(record?.value, null)
  })
})

test('interceptors see what is handed out and committed, and may leave out', async (t) => {
  const seen: string[] = []
  const odd: ConsumerInterceptor = {
    onConsume: (records) => records.filter(({ offset }) => offset % 2 === 1),
    onCommit: (offsets) => seen.push(`committed ${offsets[0]?.offset}`),
    close: () => seen.push('closed'),
  }
  const failing: ConsumerInterceptor = {
    onConsume: () => {
      throw new Error('an interceptor that fails')
    },
  }
  const interceptors = [odd, failing]
  await withConsumer({ groupId: 'g', enableAutoCommit: false, interceptors }, async (consumer) => {
    const offsets: number[] = []
    for await (const { offset } of consumer) {
      offsets.push(offset)
      if (offset === 9) break
    }
    t.deepEqual(offsets, [1, 3, 5, 7, 9])
    await consumer.commit()
    while (offsets.length < COUNT / 2) {
      offsets.push(...(await consumer.poll({ timeoutMs: 1000 })).map(({ offset }) => offset))
    }
    t.is(offsets.at(-1), COUNT - 1)
  })
  t.deepEqual(seen, ['committed 10', 'closed'])
})

test('a consumer counts what it does', async (t) => {
  await withConsumer({ groupId: 'g', enableAutoCommit: false }, async (consumer) => {
    let count = 0
    while (count < COUNT) count += (await consumer.poll({ timeoutMs: 1000 })).length
    await consumer.commit()
    const metrics = consumer.metrics()
    t.like(metrics, { recordsConsumed: COUNT, commits: 1, commitsFailed: 0, bufferBytes: 0 })
    t.true(metrics.fetches > 0 && metrics.bytesFetched > COUNT)
  })
})

/** What clients over message ports hold while the other side is slow: a bounded amount. */
import { setImmediate as turn } from 'node:timers/promises'
import test from 'ava'
import { Broker, Consumer, Producer, type RecordMetadata } from '../../src/index.ts'
import { FakeBroker } from './fake-broker.ts'

const MIB = 1024 * 1024
const RECORD_BYTES = 100_000
const RECORDS = 100

const value = (number: number) => String(number).padEnd(RECORD_BYTES, '.')
const numbers = (count: number) => Array.from({ length: count }, (_, number) => number)

for (const acks of [0, 1, 'all'] as const) {
  test(`a producer whose broker does not read holds bufferMemory, acks ${acks}`, async (t) => {
    const broker = await FakeBroker.start()
    const producer = new Producer({ port: broker.connect(), acks, bufferMemory: MIB })
    try {
      await producer.send({ topic: 't', messages: [{ value: value(0) }] })
      broker.pause()
      const sent: Promise<readonly RecordMetadata[]>[] = []
      let most = 0
      for (let number = 1; number < RECORDS; number++) {
        sent.push(producer.send({ topic: 't', messages: [{ value: value(number) }] }))
        await turn()
        most = Math.max(most, producer.metrics().bufferBytes)
      }
      // The ring of the port holds what it holds; all else waits here.
      t.true(most <= MIB + 2 * RECORD_BYTES, `${most} bytes`)
      t.true(producer.metrics().waitingSends > RECORDS / 2)
      const first = Promise.race([producer.ready().then(() => 'ready'), turn('full')])
      t.is(await first, 'full')
      broker.resume()
      await producer.ready()
      await Promise.all(sent)
      await producer.flush()
      t.is(producer.metrics().bufferBytes, 0)
      // With acks 0 nobody says when the last one has arrived.
      while (broker.values('t').length < RECORDS) await turn()
      t.deepEqual(broker.values('t').map(Number.parseFloat), numbers(RECORDS))
    } finally {
      await producer.close({ timeoutMs: 100 })
      await broker.stop()
    }
  })
}

test('post says that it would be kind to wait before the topic is known, too', async (t) => {
  await using broker = await Broker.start({ storage: 'memory', threads: 1, topics: ['t'] })
  await using producer = new Producer({ port: broker.connect() })
  let waits = 0
  for (let i = 0; i < 150_000; i++) {
    if (producer.post({ topic: 't', messages: [{ value: 'v' }] })) continue
    waits++
    await producer.ready()
  }
  await producer.flush()
  t.true(waits > 0)
  t.is(producer.metrics().recordsFailed, 0)
  await using consumer = new Consumer({ port: broker.connect() })
  const [end] = await consumer.listOffsets([{ topic: 't', partition: 0, at: 'latest' }])
  t.is(end?.offset, 150_000)
})

/** Sends all records to the topic `t`, to its partitions in turn. */
async function fill(broker: Broker): Promise<void> {
  await using producer = new Producer({ port: broker.connect(), partitioner: 'roundRobin' })
  const messages = numbers(RECORDS).map((number) => ({ value: value(number) }))
  await producer.send({ topic: 't', messages })
}

test('a consumer that reads slowly holds twice prefetchBytesMax at most', async (t) => {
  await using broker = await Broker.start({
    storage: 'memory',
    threads: 1,
    topics: [{ topic: 't', numPartitions: 4 }],
  })
  await fill(broker)
  await using consumer = new Consumer({
    port: broker.connect(),
    autoOffsetReset: 'earliest',
    prefetchBytesMax: MIB,
    fetchMaxWaitMs: 10,
  })
  consumer.assign(numbers(4).map((partition) => ({ topic: 't', partition })))
  const seen: number[] = []
  let most = 0
  while (seen.length < RECORDS) {
    for (const record of await consumer.poll({ timeoutMs: 60_000, maxRecords: 1 })) {
      seen.push(Number.parseFloat(String(record.value)))
    }
    // Time for answers that are under way.
    for (let look = 0; look < 20; look++) await turn()
    most = Math.max(most, consumer.metrics().bufferBytes)
  }
  t.true(most <= 2 * MIB + 4 * RECORD_BYTES, `${most} bytes`)
  t.true(most > MIB / 2, 'what comes next lies ready meanwhile')
  t.deepEqual(
    seen.sort((a, b) => a - b),
    numbers(RECORDS),
  )
})

test('a consumer that nobody reads asks for no more', async (t) => {
  await using broker = await Broker.start({ storage: 'memory', threads: 1, topics: ['t'] })
  await fill(broker)
  await using consumer = new Consumer({
    port: broker.connect(),
    autoOffsetReset: 'earliest',
    prefetchBytesMax: MIB,
  })
  consumer.assign([{ topic: 't', partition: 0 }])
  await consumer.poll({ timeoutMs: 60_000, maxRecords: 1 })
  while (consumer.metrics().bufferBytes < MIB) {
    await consumer.listOffsets([{ topic: 't', partition: 0, at: 'latest' }])
  }
  const { fetches } = consumer.metrics()
  // Others of this consumer's requests are answered as ever.
  for (let look = 0; look < 50; look++) {
    await consumer.listOffsets([{ topic: 't', partition: 0, at: 'latest' }])
  }
  t.is(consumer.metrics().fetches, fetches)
  t.true(consumer.metrics().bufferBytes <= 2 * MIB + RECORD_BYTES)
})

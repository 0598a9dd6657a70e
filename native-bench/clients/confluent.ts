/** @confluentinc/kafka-javascript by its node-rdkafka API, which is faster than the one that is
 *  like kafkajs's. Produces record by record, with a delivery report for each. */
import { createRequire } from 'node:module'
import path from 'node:path'
import { promisify } from 'node:util'
import { type Contender, type Job, recordValue } from './job.ts'

type Callback<T> = (error: Error | null, result: T) => void
interface Client {
  connect(options: object, callback: Callback<unknown>): void
  disconnect(callback: Callback<unknown>): void
}
interface RdProducer extends Client {
  on(event: 'delivery-report', listener: (error: Error | null) => void): void
  setPollInterval(ms: number): void
  poll(): void
  produce(topic: string, partition: null, value: Buffer): void
  flush(timeoutMs: number, callback: Callback<unknown>): void
}
interface RdConsumer extends Client {
  subscribe(topics: readonly string[]): void
  setDefaultConsumeTimeout(ms: number): void
  consume(count: number, callback: Callback<readonly { value: Buffer | null }[]>): void
}
interface Confluent {
  readonly Producer: new (options: object) => RdProducer
  readonly KafkaConsumer: new (options: object, topicOptions: object) => RdConsumer
}

/** Records that are not acknowledged: librdkafka's own bound. */
const IN_FLIGHT_MAX = 90_000
/** Records of one read. */
const READ_MAX = 2000
const CONNECT_MS = 10_000

/** See above. */
export const confluent: Contender = {
  async produce(job) {
    const { Producer } = open(job)
    const producer = new Producer({
      'bootstrap.servers': job.bootstrapServers,
      acks: -1,
      'linger.ms': 5,
      'batch.size': 1_000_000,
      dr_cb: true,
    })
    await connect(producer)
    let reported = 0
    let failure: Error | undefined
    producer.on('delivery-report', (error) => {
      reported++
      if (error) failure = error
    })
    producer.setPollInterval(5)
    const value = recordValue(job)
    return {
      async send(records) {
        const until = reported + records
        for (let left = records; left > 0; ) {
          const room = IN_FLIGHT_MAX - (until - left - reported)
          for (let i = Math.min(room, left); i > 0; i--, left--) {
            producer.produce(job.topic, null, value)
          }
          await turn()
        }
        await promisify(producer.flush.bind(producer))(60_000)
        while (reported < until) await turn()
        if (failure !== undefined) throw failure
      },
      close: () => promisify(producer.disconnect.bind(producer))() as Promise<void>,
    }
  },

  async consume(job, seen) {
    const { KafkaConsumer } = open(job)
    const consumer = new KafkaConsumer(
      {
        'bootstrap.servers': job.bootstrapServers,
        'group.id': `bench-${process.pid}`,
        'enable.auto.commit': false,
      },
      { 'auto.offset.reset': 'earliest' },
    )
    await connect(consumer)
    consumer.setDefaultConsumeTimeout(100)
    consumer.subscribe([job.topic])
    const read = promisify(consumer.consume.bind(consumer)) as (
      count: number,
    ) => Promise<readonly { value: Buffer | null }[]>
    let bytes = 0
    for (;;) {
      const messages = await read(READ_MAX)
      for (const { value } of messages) bytes += value?.length ?? 0
      if (seen(messages.length)) break
    }
    if (bytes === 0) throw new Error('no bytes')
  },
}

function open({ packages }: Job): Confluent {
  const require = createRequire(path.join(packages, 'x.js'))
  return require('@confluentinc/kafka-javascript') as Confluent
}

function connect(client: Client): Promise<unknown> {
  return promisify(
    client.connect.bind(client) as (options: object, done: Callback<unknown>) => void,
  )({
    timeout: CONNECT_MS,
  })
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

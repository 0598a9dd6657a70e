/** Our own client. */
import { Consumer, type RecordBatch } from '../../src/client/consumer.ts'
import { Producer } from '../../src/client/producer.ts'
import { type Contender, type Job, recordValue, sendByCalls } from './job.ts'

/** librdkafka's default; kafkajs and @platformatic/kafka send what one call brings. */
const BATCH_SIZE = 1_000_000

/** The producer is idempotent, as it is by default, which the others are not. */
export const odradek: Contender = {
  async produce(job) {
    const { bootstrapServers, topic } = job
    const producer = new Producer({ bootstrapServers, acks: 'all', batchSize: BATCH_SIZE })
    await producer.partitionsFor(topic)
    const value = recordValue(job)
    return {
      send: (records) =>
        sendByCalls(job, records, (count) =>
          producer.send({ topic, messages: Array.from({ length: count }, () => ({ value })) }),
        ),
      close: () => producer.close(),
    }
  },

  async consume(job, seen) {
    const consumer = await openConsumer(job)
    let bytes = 0
    for await (const { value } of consumer) {
      bytes += value?.length ?? 0
      if (seen(1)) break
    }
    if (bytes === 0) throw new Error('no bytes')
    await consumer.close()
  },
}

/** The same, but read by batches. */
export const odradekByBatch: Contender = {
  produce: odradek.produce,

  async consume(job, seen) {
    const consumer = await openConsumer(job)
    const enough = new AbortController()
    let bytes = 0
    const handle = ({ records }: RecordBatch) => {
      for (const { value } of records) bytes += value?.length ?? 0
      if (seen(records.length)) enough.abort()
    }
    await consumer.eachBatch(handle, { signal: enough.signal }).catch(() => {})
    if (bytes === 0) throw new Error('no bytes')
    await consumer.close()
  },
}

async function openConsumer({ bootstrapServers, topic }: Job): Promise<Consumer> {
  const consumer = new Consumer({
    bootstrapServers,
    groupId: `bench-${process.pid}`,
    autoOffsetReset: 'earliest',
    enableAutoCommit: false,
  })
  await consumer.subscribe([topic])
  return consumer
}

/** kafkajs: calls of many records, and eachBatch, which are its fastest; or eachMessage. */
import { createRequire } from 'node:module'
import path from 'node:path'
import { type Contender, type Job, recordValue, sendByCalls } from './job.ts'

interface Message {
  readonly value: Buffer | null
}
interface Batch {
  readonly messages: readonly Message[]
}
interface KafkaJs {
  producer(options: object): {
    connect(): Promise<void>
    send(request: object): Promise<unknown>
    disconnect(): Promise<void>
  }
  consumer(options: object): {
    connect(): Promise<void>
    subscribe(request: object): Promise<void>
    run(options: {
      eachBatch?(payload: { batch: Batch }): Promise<void>
      eachMessage?(payload: { message: Message }): Promise<void>
    }): Promise<void>
  }
}

/** See above. */
export const kafkajs: Contender = {
  async produce(job) {
    const { topic } = job
    const producer = open(job).producer({ allowAutoTopicCreation: false })
    await producer.connect()
    const value = recordValue(job)
    return {
      send: (records) =>
        sendByCalls(job, records, (count) => {
          const messages = Array.from({ length: count }, () => ({ value }))
          return producer.send({ topic, messages, acks: -1 })
        }),
      close: () => producer.disconnect(),
    }
  },

  async consume(job, seen) {
    const consumer = await subscribed(job)
    let bytes = 0
    await new Promise<void>((resolve, reject) => {
      const eachBatch = async ({ batch }: { batch: Batch }) => {
        for (const { value } of batch.messages) bytes += value?.length ?? 0
        if (seen(batch.messages.length)) resolve()
      }
      consumer.run({ eachBatch }).catch(reject)
    })
    if (bytes === 0) throw new Error('no bytes')
  },
}

/** The same, but read record by record. */
export const kafkajsByMessage: Contender = {
  produce: kafkajs.produce,

  async consume(job, seen) {
    const consumer = await subscribed(job)
    let bytes = 0
    await new Promise<void>((resolve, reject) => {
      const eachMessage = async ({ message }: { message: Message }) => {
        bytes += message.value?.length ?? 0
        if (seen(1)) resolve()
      }
      consumer.run({ eachMessage }).catch(reject)
    })
    if (bytes === 0) throw new Error('no bytes')
  },
}

async function subscribed(job: Job) {
  const consumer = open(job).consumer({ groupId: `bench-${process.pid}` })
  await consumer.connect()
  await consumer.subscribe({ topic: job.topic, fromBeginning: true })
  return consumer
}

function open({ packages, bootstrapServers }: Job): KafkaJs {
  process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1'
  const { Kafka, logLevel } = createRequire(path.join(packages, 'x.js'))('kafkajs') as {
    Kafka: new (options: object) => KafkaJs
    logLevel: { NOTHING: number }
  }
  return new Kafka({ brokers: [bootstrapServers], logLevel: logLevel.NOTHING })
}

/** @platformatic/kafka: calls of many records, and its stream in flowing mode. */
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Contender, type Job, recordValue, sendByCalls } from './job.ts'

interface Platformatic {
  readonly Producer: new (
    options: object,
  ) => {
    metadata(options: object): Promise<unknown>
    send(options: object): Promise<unknown>
    close(): Promise<void>
  }
  readonly Consumer: new (
    options: object,
  ) => {
    consume(options: object): Promise<{
      on(event: 'data', listener: (message: { value: Buffer }) => void): unknown
      on(event: 'error', listener: (error: Error) => void): unknown
    }>
  }
}

/** See above. */
export const platformatic: Contender = {
  async produce(job) {
    const { topic, bootstrapServers } = job
    const { Producer } = await open(job)
    const producer = new Producer({
      clientId: 'bench',
      bootstrapBrokers: [bootstrapServers],
      autocreateTopics: false,
    })
    await producer.metadata({ topics: [topic] })
    const value = recordValue(job)
    return {
      send: (records) =>
        sendByCalls(job, records, (count) => {
          const messages = Array.from({ length: count }, () => ({ topic, value }))
          return producer.send({ messages, acks: -1 })
        }),
      close: () => producer.close(),
    }
  },

  async consume(job, seen) {
    const { Consumer } = await open(job)
    const consumer = new Consumer({
      clientId: 'bench',
      bootstrapBrokers: [job.bootstrapServers],
      groupId: `bench-${process.pid}`,
      autocommit: false,
      maxWaitTime: 500,
      // Twice its default, and as much as is still of use.
      highWaterMark: 2048,
    })
    const stream = await consumer.consume({ topics: [job.topic], mode: 'earliest' })
    let bytes = 0
    await new Promise<void>((resolve, reject) => {
      stream.on('error', reject)
      stream.on('data', ({ value }) => {
        bytes += value.length
        if (seen(1)) resolve()
      })
    })
    if (bytes === 0) throw new Error('no bytes')
  },
}

async function open({ packages }: Job): Promise<Platformatic> {
  const file = createRequire(path.join(packages, 'x.js')).resolve('@platformatic/kafka')
  return (await import(pathToFileURL(file).href)) as Platformatic
}

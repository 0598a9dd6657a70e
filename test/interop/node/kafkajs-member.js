/** A member of a group with kafkajs, which has no static members and no asynchronous commit. */
import { Kafka, logLevel } from 'kafkajs'
import { bootstrap, obey, owns, record, settings } from './member.js'

const kafka = new Kafka({ clientId: 'member', brokers: [bootstrap], logLevel: logLevel.ERROR })
const consumer = kafka.consumer({
  groupId: settings.group,
  sessionTimeout: 6_000,
  heartbeatInterval: 500,
  rebalanceTimeout: 10_000,
  metadataMaxAge: 1_000,
  maxWaitTimeInMs: 300,
})
const positions = new Map()

consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
  positions.clear()
  owns(
    Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition })),
    ),
  )
})
consumer.on(consumer.events.REBALANCING, () => owns([]))

await consumer.connect()
await consumer.subscribe({
  topics: settings.regex ? [new RegExp(settings.regex)] : settings.topics.split(','),
  fromBeginning: settings.reset !== 'latest',
})
await consumer.run({
  autoCommit: false,
  eachMessage: async ({ topic, partition, message }) => {
    const offset = String(Number(message.offset) + 1)
    positions.set(`${topic}:${partition}`, { topic, partition, offset })
    record(topic, partition, message.offset)
  },
})

await obey({
  commit: () => consumer.commitOffsets([...positions.values()]),
  pause: ({ topic, partition }) => consumer.pause([{ topic, partitions: [partition] }]),
  resume: ({ topic, partition }) => consumer.resume([{ topic, partitions: [partition] }]),
  seek: ({ topic, partition, offset }) =>
    consumer.seek({ topic, partition, offset: String(offset) }),
  close: () => consumer.disconnect(),
})

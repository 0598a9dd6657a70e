/**
 * A member of a group with @platformatic/kafka. It has no patterns, and pauses or seeks no single
 * partition of a stream.
 */
import { Consumer } from '@platformatic/kafka'
import { bootstrap, obey, owns, record, settings } from './member.js'

const protocol =
  settings.protocol === 'consumer'
    ? { groupProtocol: 'consumer' }
    : { sessionTimeout: 6_000, heartbeatInterval: 500 }
const consumer = new Consumer({
  clientId: 'member',
  bootstrapBrokers: [bootstrap],
  groupId: settings.group,
  ...(settings.instance && { groupInstanceId: settings.instance }),
  ...protocol,
  rebalanceTimeout: 10_000,
  metadataMaxAge: 1_000,
  autocommit: false,
  maxWaitTime: 300,
})
const positions = new Map()

const assigned = () =>
  (consumer.assignments ?? []).flatMap(({ topic, partitions }) =>
    partitions.map((partition) => ({ topic, partition })),
  )
consumer.on('consumer:group:join', () => {
  positions.clear()
  owns(assigned())
})
consumer.on('consumer:group:rebalance', () => owns([]))

const stream = await consumer.consume({
  topics: settings.topics.split(','),
  mode: 'committed',
  fallbackMode: settings.reset ?? 'earliest',
})
stream.on('error', (error) => console.error(error))
stream.on('data', ({ topic, partition, offset }) => {
  positions.set(`${topic}:${partition}`, { topic, partition, offset: offset + 1n, leaderEpoch: 0 })
  record(topic, partition, offset)
})

await obey({
  commit: () => consumer.commit({ offsets: [...positions.values()] }),
  close: async () => {
    await stream.close()
    await consumer.close()
  },
})

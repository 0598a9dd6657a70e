/**
 * A member of a group with @confluentinc/kafka-javascript (librdkafka) by its node-rdkafka API.
 * Closing it blocks the whole process now and then, with Kafka's broker as well.
 */
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import { bootstrap, changed, obey, record, settings } from './member.js'

const RdKafka = createRequire(import.meta.url)('@confluentinc/kafka-javascript')
const assignPartitions = -175
const waiting = []

const config = {
  'bootstrap.servers': bootstrap,
  'group.id': settings.group,
  'enable.auto.commit': false,
  'topic.metadata.refresh.interval.ms': 1_000,
  'session.timeout.ms': 6_000,
  'heartbeat.interval.ms': 500,
  rebalance_cb: true,
  offset_commit_cb: (error) => {
    const { done, failed } = waiting.shift() ?? {}
    if (error) failed?.(error)
    else done?.()
  },
}
if (settings.cooperative) config['partition.assignment.strategy'] = 'cooperative-sticky'
if (settings.instance) config['group.instance.id'] = settings.instance
const topicConfig = { 'auto.offset.reset': settings.reset ?? 'earliest' }
const consumer = new RdKafka.KafkaConsumer(config, topicConfig)

consumer.on('rebalance', (error, partitions) =>
  changed(error.code === assignPartitions ? 'assigned' : 'revoked', partitions),
)
consumer.on('event.error', (error) => console.error(error))
consumer.on('data', ({ topic, partition, offset }) => record(topic, partition, offset))

await promisify(consumer.connect.bind(consumer))({ timeout: 10_000 })
consumer.subscribe(settings.regex ? [settings.regex] : settings.topics.split(','))
consumer.setDefaultConsumeTimeout(100)
consumer.consume()

await obey({
  commit: () => {
    // Its callback reports synchronous commits as well.
    waiting.push({})
    consumer.commitSync()
  },
  'commit-async': () =>
    new Promise((done, failed) => {
      waiting.push({ done, failed })
      consumer.commit()
    }),
  pause: ({ topic, partition }) => consumer.pause([{ topic, partition }]),
  resume: ({ topic, partition }) => consumer.resume([{ topic, partition }]),
  seek: (place) => promisify(consumer.seek.bind(consumer))(place, 5_000),
  close: () => promisify(consumer.disconnect.bind(consumer))(),
})

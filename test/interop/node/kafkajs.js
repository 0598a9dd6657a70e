/**
 * kafkajs. Its consumer reads only as a member of a group, so records are read back through the
 * cluster and broker objects that its consumer is made of: the same requests and decoders.
 */
import { createRequire } from 'node:module'
import { blob, check, compare, expect, numbered, refused, T0, variety, waitFor } from './checks.js'
import { openNetwork } from './network.js'

const require = createRequire(import.meta.url)
process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1'
const {
  CompressionCodecs,
  CompressionTypes,
  ConfigResourceTypes,
  Kafka,
  logLevel,
} = require('kafkajs')
const Cluster = require('kafkajs/src/cluster')
const lz4 = require('lz4-napi')
const zstd = require('@bokuweb/zstd-wasm')

await zstd.init()
const codec = (compress, decompress) => () => ({
  compress: async (encoder) => Buffer.from(compress(encoder.buffer)),
  decompress: async (buffer) => Buffer.from(decompress(buffer)),
})
CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy')
CompressionCodecs[CompressionTypes.LZ4] = codec(lz4.compressFrameSync, lz4.decompressFrameSync)
CompressionCodecs[CompressionTypes.ZSTD] = codec(zstd.compress, zstd.decompress)

const { brokers, socketFactory, close } = await openNetwork()
const kafka = new Kafka({
  clientId: 'interop',
  brokers,
  socketFactory,
  logLevel: logLevel.NOTHING,
  retry: { retries: 3 },
})
const admin = kafka.admin()
await admin.connect()
const cluster = new Cluster({
  logger: kafka.logger(),
  socketFactory,
  brokers,
  clientId: 'interop',
  connectionTimeout: 1000,
  metadataMaxAge: 1000,
  retry: { retries: 3 },
  allowAutoTopicCreation: false,
  isolationLevel: 1,
})
await cluster.connect()

const create = (topic, numPartitions = 1, configs = {}) =>
  admin.createTopics({
    topics: [
      {
        topic,
        numPartitions,
        configEntries: Object.entries(configs).map(([name, value]) => ({ name, value })),
      },
    ],
  })

async function produce(
  topic,
  records,
  { producer: settings = {}, chunk = records.length, ...send },
) {
  const producer = kafka.producer({ allowAutoTopicCreation: true, ...settings })
  await producer.connect()
  const messages = records.map((record) => ({
    ...record,
    headers: Object.fromEntries(record.headers),
    timestamp: String(record.timestamp),
  }))
  try {
    for (let at = 0; at < messages.length; at += chunk) {
      await producer.send({ topic, messages: messages.slice(at, at + chunk), ...send })
    }
  } finally {
    await producer.disconnect()
  }
}

async function read(topic, count, partition = 0, offset = 0) {
  await cluster.addTargetTopic(topic)
  await cluster.refreshMetadata()
  const [nodeId] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]))
  const broker = await cluster.findBroker({ nodeId })
  const records = []
  while (records.length < count) {
    const next = offset + records.length
    const partitions = [{ partition, fetchOffset: String(next), maxBytes: 10_485_760 }]
    const fetched = await broker.fetch({
      isolationLevel: 1,
      maxWaitTime: 500,
      topics: [{ topic, partitions }],
    })
    const found = fetched.responses[0].partitions[0]
    const fresh = found.messages.map(readable).filter((record) => record.offset >= next)
    expect(fresh.length > 0, `read ${records.length} of ${count}`)
    records.push(...fresh)
  }
  return records
}

function readable(message) {
  return {
    key: message.key,
    value: message.value,
    headers: Object.entries(message.headers ?? {}),
    timestamp: Number(message.timestamp),
    offset: Number(message.offset),
  }
}

async function config(type, name, key) {
  const { resources } = await admin.describeConfigs({ resources: [{ type, name }] })
  return resources[0].configEntries.find(({ configName }) => configName === key)
}
const topicConfig = async (key) =>
  (await config(ConfigResourceTypes.TOPIC, 'configured', key)).configValue

await check('describe-cluster', async () => {
  const found = await admin.describeCluster()
  expect(found.brokers.length === 1 && found.clusterId && found.controller !== null, `${found}`)
})

await check('create-topics', async () => {
  await create('plain', 3)
  await create('configured', 1, { 'retention.ms': '3600000' })
  await create('defaults', -1)
  const listed = await admin.listTopics()
  expect(
    ['plain', 'configured', 'defaults'].every((name) => listed.includes(name)),
    `${listed}`,
  )
})

await check('create-topic-twice-refused', async () => {
  expect((await create('plain')) === false, 'created again')
})

await check('describe-topics', async () => {
  const { topics } = await admin.fetchTopicMetadata({ topics: ['plain'] })
  expect(topics[0].partitions.length === 3, JSON.stringify(topics))
  expect(topics[0].partitions[2].isr.length === 1, JSON.stringify(topics))
})

await check('describe-unknown-topic-refused', () =>
  refused(
    () => admin.fetchTopicMetadata({ topics: ['nowhere'] }),
    'does not host this topic-partition',
  ),
)

for (const [name, compression] of Object.entries(CompressionTypes)) {
  await check(`codec-${name.toLowerCase()}`, async () => {
    const topic = `codec-${name}`
    await create(topic, 2)
    const sent = [variety(0), variety(1)]
    await produce(topic, sent.flat(), { compression })
    compare(sent[0], await read(topic, sent[0].length, 0))
    compare(sent[1], await read(topic, sent[1].length, 1))
  })
}

for (const [name, acks] of Object.entries({ 0: 0, 1: 1, all: -1 })) {
  await check(`acks-${name}`, async () => {
    await create(`acks-${name}`)
    await produce(`acks-${name}`, numbered(100), { acks })
    if (acks === 0) await waitFor('all records', () => ends(`acks-${name}`, '0', '100'))
    compare(numbered(100), await read(`acks-${name}`, 100))
  })
}

async function ends(topic, low, high) {
  const [found] = await admin.fetchTopicOffsets(topic)
  return found.low === low && found.high === high
}

await check('idempotent', async () => {
  await create('idempotent')
  await produce('idempotent', numbered(1000), { producer: { idempotent: true }, chunk: 20 })
  compare(numbered(1000), await read('idempotent', 1000))
})

await check('auto-create-on-produce', async () => {
  await produce('auto-created', numbered(10), {})
  compare(numbered(10), await read('auto-created', 10))
})

await check('record-of-almost-1-MiB', async () => {
  await create('large')
  const sent = [blob(1_048_400), blob(1_000_000)]
  await produce('large', sent, { chunk: 1 })
  compare(sent, await read('large', 2))
})

await check('record-of-8-MiB-where-allowed', async () => {
  await create('larger', 1, { 'max.message.bytes': '10000000' })
  const sent = [blob(8 << 20), blob(8 << 20)]
  await produce('larger', sent, { chunk: 1 })
  compare(sent, await read('larger', 2))
})

await check('too-large-refused', async () => {
  await create('smaller', 1, { 'max.message.bytes': '1000' })
  await refused(() => produce('smaller', [blob(5000)], {}), 'MESSAGE_TOO_LARGE')
})

await check('offsets-by-time', async () => {
  await create('timed')
  await produce('timed', numbered(100), {})
  expect(await ends('timed', '0', '100'), 'low or high')
  const at = async (time) => (await admin.fetchTopicOffsetsByTimestamp('timed', time))[0].offset
  expect((await at(T0 + 41_500)) === '42', 'middle')
  expect((await at(T0 - 5)) === '0', 'before')
  expect((await at(T0 + 99_001)) === '100', 'after the last kafkajs answers the end')
})

await check('delete-records', async () => {
  await admin.deleteTopicRecords({ topic: 'timed', partitions: [{ partition: 0, offset: '30' }] })
  expect(await ends('timed', '30', '100'), 'low or high')
  compare(numbered(100).slice(30), await read('timed', 70, 0, 30))
})

await check('delete-records-beyond-end-refused', () =>
  refused(
    () =>
      admin.deleteTopicRecords({ topic: 'timed', partitions: [{ partition: 0, offset: '101' }] }),
    'OFFSET_OUT_OF_RANGE',
  ),
)

await check('describe-topic-configs', async () => {
  expect((await topicConfig('retention.ms')) === '3600000', 'retention.ms')
  expect((await topicConfig('cleanup.policy')) === 'delete', 'cleanup.policy')
})

await check('describe-broker-configs', async () => {
  const { controller } = await admin.describeCluster()
  const limit = await config(ConfigResourceTypes.BROKER, String(controller), 'message.max.bytes')
  expect(limit.configValue === '1048588', JSON.stringify(limit))
})

const alter = (name, value) =>
  admin.alterConfigs({
    validateOnly: false,
    resources: [
      { type: ConfigResourceTypes.TOPIC, name: 'configured', configEntries: [{ name, value }] },
    ],
  })

await check('legacy-alter-configs', async () => {
  await alter('segment.bytes', '2097152')
  await waitFor('segment.bytes', async () => (await topicConfig('segment.bytes')) === '2097152')
  await waitFor('retention.ms', async () => (await topicConfig('retention.ms')) === '604800000')
})

await check('invalid-config-refused', () =>
  refused(() => alter('retention.ms', 'soon'), 'Configuration is invalid', 'INVALID_CONFIG'),
)

await check('create-partitions', async () => {
  await admin.createPartitions({ topicPartitions: [{ topic: 'plain', count: 5 }] })
  await waitFor('5 partitions', async () => {
    const { topics } = await admin.fetchTopicMetadata({ topics: ['plain'] })
    return topics[0].partitions.length === 5
  })
  await produce('plain', numbered(1, 4), {})
  compare(numbered(1, 4), await read('plain', 1, 4))
})

await check('delete-topics', async () => {
  await admin.deleteTopics({ topics: ['plain', 'defaults'] })
  await waitFor('both gone', async () => {
    const listed = await admin.listTopics()
    return !listed.includes('plain') && !listed.includes('defaults')
  })
})

await check('delete-unknown-topic-refused', () =>
  refused(() => admin.deleteTopics({ topics: ['nowhere'] }), 'does not host this topic-partition'),
)

await check('consume-in-group', async () => {
  await create('grouped', 2)
  const sent = [...numbered(20, 0), ...numbered(20, 1)]
  await produce('grouped', sent, {})
  const consumer = kafka.consumer({ groupId: 'grouped', maxWaitTimeInMs: 100 })
  const seen = { 0: [], 1: [] }
  await consumer.connect()
  try {
    await consumer.subscribe({ topic: 'grouped', fromBeginning: true })
    await new Promise((done) => {
      const eachMessage = async ({ partition, message }) => {
        seen[partition].push(Number(message.offset))
        if (seen[0].length + seen[1].length === sent.length) done()
      }
      consumer.run({ eachMessage })
    })
  } finally {
    await consumer.disconnect()
  }
  const offsets = [...Array(20).keys()]
  expect(`${seen[0]};${seen[1]}` === `${offsets};${offsets}`, `read ${seen[0]} and ${seen[1]}`)
  const [committed] = await admin.fetchOffsets({ groupId: 'grouped', topics: ['grouped'] })
  const ends = committed.partitions.map(({ offset }) => offset)
  expect(`${ends}` === '20,20', `committed ${ends}`)
})

await check('transactions', async () => {
  await create('transacted', 2)
  const settings = { transactionalId: 'kafkajs', maxInFlightRequests: 1, idempotent: true }
  const producer = kafka.producer(settings)
  await producer.connect()
  const consumerGroupId = 'transacted'
  for (let i = 0; i < 20; i++) {
    const transaction = await producer.transaction()
    const messages = [0, 1].map((partition) => ({ partition, value: `${i}-${partition}` }))
    await transaction.send({ topic: 'transacted', messages })
    const partitions = [{ partition: 0, offset: String(i) }]
    await transaction.sendOffsets({
      consumerGroupId,
      topics: [{ topic: 'transacted', partitions }],
    })
    if (i % 4 === 3) await transaction.abort()
    else await transaction.commit()
  }
  await producer.disconnect()
  const [committed] = await admin.fetchOffsets({ groupId: consumerGroupId, topics: ['transacted'] })
  expect(committed.partitions[0].offset === '18', `committed ${committed.partitions[0].offset}`)
  const consumer = kafka.consumer({ groupId: 'readers', maxWaitTimeInMs: 100 })
  const seen = []
  await consumer.connect()
  try {
    await consumer.subscribe({ topic: 'transacted', fromBeginning: true })
    await new Promise((done) => {
      const eachMessage = async ({ message }) => {
        seen.push(String(message.value))
        if (seen.length === 30) setTimeout(done, 300)
      }
      consumer.run({ eachMessage })
    })
  } finally {
    await consumer.disconnect()
  }
  const aborted = seen.filter((value) => Number(value.split('-')[0]) % 4 === 3)
  expect(seen.length === 30 && aborted.length === 0, `read ${seen}`)
})

await admin.disconnect()
await cluster.disconnect()
await close()

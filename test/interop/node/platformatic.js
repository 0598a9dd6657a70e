/**
 * @platformatic/kafka. Its streams read only as a member of a group, so records are read back with
 * its consumer's own `fetch`, which takes no part in one.
 */
import { Admin, Consumer, Producer } from '@platformatic/kafka'
import {
  blob,
  bootstrap,
  check,
  compare,
  expect,
  numbered,
  refused,
  T0,
  variety,
  waitFor,
} from './checks.js'

const options = { clientId: 'interop', bootstrapBrokers: [bootstrap], timeout: 15_000, retries: 2 }
const topicResource = 2
const brokerResource = 4
const admin = new Admin(options)
const consumer = new Consumer({ ...options, groupId: 'unused' })

const create = (topic, partitions = 1, configs = {}) =>
  admin.createTopics({
    topics: [topic],
    partitions,
    replicas: 1,
    configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
  })

async function produce(topic, records, { chunk = records.length, ...send } = {}) {
  const producer = new Producer({ ...options, autocreateTopics: true })
  const messages = records.map(({ partition, key, value, headers, timestamp }) => ({
    topic,
    partition,
    key: key ?? undefined,
    value: value ?? undefined,
    headers: new Map(headers.map(([name, content]) => [Buffer.from(name), content])),
    timestamp: BigInt(timestamp),
  }))
  const offsets = []
  try {
    for (let at = 0; at < messages.length; at += chunk) {
      const result = await producer.send({ messages: messages.slice(at, at + chunk), ...send })
      offsets.push(...(result.offsets ?? []).map(({ offset }) => Number(offset)))
    }
  } finally {
    await producer.close()
  }
  return offsets
}

async function read(topic, count, partition = 0, offset = 0) {
  const metadata = await consumer.metadata({ topics: [topic], forceUpdate: true })
  const { id, partitions } = metadata.topics.get(topic)
  const records = []
  while (records.length < count) {
    const fetchOffset = offset + records.length
    const fresh = (await fetch(id, partitions[partition], partition, fetchOffset)).filter(
      (record) => record.offset >= fetchOffset,
    )
    expect(fresh.length > 0, `read ${records.length} of ${count}`)
    records.push(...fresh)
  }
  return records
}

async function fetch(topicId, { leader, leaderEpoch }, partition, offset) {
  const wanted = {
    partition,
    currentLeaderEpoch: leaderEpoch,
    fetchOffset: BigInt(offset),
    lastFetchedEpoch: -1,
    partitionMaxBytes: 10_485_760,
  }
  const topics = [{ topicId, partitions: [wanted] }]
  const settings = { minBytes: 1, maxBytes: 52_428_800, maxWaitTime: 500, isolationLevel: 1 }
  const { responses } = await consumer.fetch({ node: leader, topics, ...settings })
  return (responses[0]?.partitions[0]?.records ?? []).flatMap(readable)
}

function readable(batch) {
  return batch.records.map(({ key, value, headers, timestampDelta, offsetDelta }) => ({
    key,
    value,
    headers: headers.map(([name, content]) => [name.toString(), content]),
    timestamp: Number(batch.firstTimestamp + timestampDelta),
    offset: Number(batch.firstOffset) + offsetDelta,
  }))
}

async function config(resourceType, resourceName, key) {
  const resources = [{ resourceType, resourceName, configurationKeys: null }]
  const [described] = await admin.describeConfigs({ resources })
  return described.configs.find(({ name }) => name === key)
}
const topicConfig = async (key) => (await config(topicResource, 'configured', key)).value

async function offsetAt(name, timestamp) {
  const topics = [{ name, partitions: [{ partitionIndex: 0, timestamp: BigInt(timestamp) }] }]
  const [listed] = await admin.listOffsets({ topics })
  return Number(listed.partitions[0].offset)
}
const endsAt = async (topic, offset) => (await offsetAt(topic, -1)) === offset

await check('describe-cluster', async () => {
  const found = await admin.metadata({})
  expect(found.brokers.size === 1 && found.id, 'brokers or id')
})

await check('create-topics', async () => {
  const [plain] = await create('plain', 3)
  expect(plain.partitions === 3 && plain.id, JSON.stringify(plain))
  await create('configured', 1, { 'retention.ms': '3600000' })
  await waitFor('the topics', async () => {
    const listed = await admin.listTopics()
    return listed.includes('plain') && listed.includes('configured')
  })
})

await check('create-topic-twice-refused', () =>
  refused(() => create('plain'), 'TOPIC_ALREADY_EXISTS'),
)

await check('describe-topics', async () => {
  const found = await admin.metadata({ topics: ['plain'], forceUpdate: true })
  expect(found.topics.get('plain').partitionsCount === 3, 'partitions')
})

await check('describe-unknown-topic-refused', () =>
  refused(() => admin.metadata({ topics: ['nowhere'] }), 'Unknown topic nowhere'),
)

await check('describe-log-dirs', async () => {
  const topics = [{ name: 'plain', partitions: [0, 1, 2] }]
  const [described] = await admin.describeLogDirs({ topics })
  expect(described.results[0].topics[0].partitions.length === 3, 'partitions')
})

for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
  await check(`codec-${compression}`, async () => {
    const topic = `codec-${compression}`
    await create(topic, 2)
    const sent = [variety(0), variety(1)]
    await produce(topic, sent.flat(), { compression, acks: -1 })
    compare(sent[0], await read(topic, sent[0].length, 0))
    compare(sent[1], await read(topic, sent[1].length, 1))
  })
}

for (const [name, acks] of Object.entries({ 0: 0, 1: 1, all: -1 })) {
  await check(`acks-${name}`, async () => {
    await create(`acks-${name}`)
    await produce(`acks-${name}`, numbered(100), { acks })
    if (acks === 0) await waitFor('all records', () => endsAt(`acks-${name}`, 100))
    compare(numbered(100), await read(`acks-${name}`, 100))
  })
}

await check('idempotent', async () => {
  await create('idempotent')
  const offsets = await produce('idempotent', numbered(1000), {
    idempotent: true,
    acks: -1,
    chunk: 20,
  })
  expect(offsets.join() === Array.from({ length: 50 }, (_, i) => i * 20).join(), `${offsets}`)
  compare(numbered(1000), await read('idempotent', 1000))
})

await check('auto-create-on-produce', async () => {
  await produce('auto-created', numbered(10), { acks: -1 })
  compare(numbered(10), await read('auto-created', 10))
})

await check('record-of-almost-1-MiB', async () => {
  await create('large')
  const sent = [blob(1_048_400), blob(1_000_000)]
  await produce('large', sent, { chunk: 1, acks: -1 })
  compare(sent, await read('large', 2))
})

await check('record-of-8-MiB-where-allowed', async () => {
  await create('larger', 1, { 'max.message.bytes': '10000000' })
  const sent = [blob(8 << 20), blob(8 << 20)]
  await produce('larger', sent, { chunk: 1, acks: -1 })
  compare(sent, await read('larger', 2))
})

await check('too-large-refused', async () => {
  await create('smaller', 1, { 'max.message.bytes': '1000' })
  await refused(() => produce('smaller', [blob(5000)], { acks: -1 }), 'MESSAGE_TOO_LARGE')
})

await check('offsets-by-time', async () => {
  await create('timed')
  await produce('timed', numbered(100), { acks: -1 })
  expect((await offsetAt('timed', -2)) === 0, 'earliest')
  expect((await offsetAt('timed', -1)) === 100, 'latest')
  expect((await offsetAt('timed', -3)) === 99, 'max timestamp')
  expect((await offsetAt('timed', T0 + 41_500)) === 42, 'middle')
  expect((await offsetAt('timed', T0 + 99_001)) === -1, 'after')
})

await check('consumer-offsets-by-time', async () => {
  const found = await consumer.listOffsets({ topics: ['timed'], timestamp: BigInt(T0 + 10_000) })
  expect(found.get('timed')[0] === 10n, `${found.get('timed')}`)
})

const deleteBefore = (offset) =>
  admin.deleteRecords({ topics: [{ name: 'timed', partitions: [{ partition: 0, offset }] }] })

await check('delete-records', async () => {
  const [deleted] = await deleteBefore(30n)
  expect(deleted.partitions[0].lowWatermark === 30n, `${deleted.partitions[0].lowWatermark}`)
  expect((await offsetAt('timed', -2)) === 30, 'earliest')
  compare(numbered(100).slice(30), await read('timed', 70, 0, 30))
})

await check('delete-records-beyond-end-refused', () =>
  refused(() => deleteBefore(101n), 'OFFSET_OUT_OF_RANGE'),
)

await check('describe-topic-configs', async () => {
  expect((await topicConfig('retention.ms')) === '3600000', 'retention.ms')
  expect((await topicConfig('cleanup.policy')) === 'delete', 'cleanup.policy')
})

await check('describe-broker-configs', async () => {
  const { controllerId } = await admin.metadata({})
  const limit = await config(brokerResource, String(controllerId), 'message.max.bytes')
  expect(limit.value === '1048588', JSON.stringify(limit))
})

const [set, remove, append, subtract] = [0, 1, 2, 3]
const alter = (...changes) =>
  admin.incrementalAlterConfigs({
    resources: [
      {
        resourceType: topicResource,
        resourceName: 'configured',
        configs: changes.map(([name, configOperation, value]) => ({
          name,
          configOperation,
          value,
        })),
      },
    ],
  })

await check('incremental-alter-configs', async () => {
  await alter(['retention.ms', set, '7200000'], ['cleanup.policy', append, 'compact'])
  await waitFor('retention.ms', async () => (await topicConfig('retention.ms')) === '7200000')
  await waitFor('policy', async () => (await topicConfig('cleanup.policy')) === 'delete,compact')
  await alter(['retention.ms', remove, null], ['cleanup.policy', subtract, 'compact'])
  await waitFor('retention.ms', async () => (await topicConfig('retention.ms')) === '604800000')
  await waitFor('policy', async () => (await topicConfig('cleanup.policy')) === 'delete')
})

await check('legacy-alter-configs', async () => {
  const configs = [{ name: 'segment.bytes', value: '2097152' }]
  await admin.alterConfigs({
    resources: [{ resourceType: topicResource, resourceName: 'configured', configs }],
  })
  await waitFor('segment.bytes', async () => (await topicConfig('segment.bytes')) === '2097152')
})

await check('invalid-config-refused', () =>
  refused(() => alter(['retention.ms', set, 'soon']), 'INVALID_CONFIG'),
)

await check('create-partitions', async () => {
  await admin.createPartitions({ topics: [{ name: 'plain', count: 5, assignments: null }] })
  await waitFor('5 partitions', async () => {
    const found = await admin.metadata({ topics: ['plain'], forceUpdate: true })
    return found.topics.get('plain').partitionsCount === 5
  })
  await produce('plain', numbered(1, 4), { acks: -1 })
  compare(numbered(1, 4), await read('plain', 1, 4))
})

await check('delete-topics', async () => {
  await admin.deleteTopics({ topics: ['plain'] })
  await waitFor('it gone', async () => !(await admin.listTopics()).includes('plain'))
})

await check('delete-unknown-topic-refused', () =>
  refused(() => admin.deleteTopics({ topics: ['nowhere'] }), 'UNKNOWN_TOPIC_OR_PARTITION'),
)

await consumer.close(true)
await admin.close()

/**
 * @confluentinc/kafka-javascript (librdkafka) by its node-rdkafka API. The consumer gets a group id,
 * since librdkafka insists on one, but only assigned partitions with explicit offsets. It
 * reads a value of no bytes as null, and its admin client has no calls for configurations.
 */
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
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

const RdKafka = createRequire(import.meta.url)('@confluentinc/kafka-javascript')
const { AdminClient, IsolationLevel, OffsetSpec } = RdKafka

const client = AdminClient.create({ 'bootstrap.servers': bootstrap })
const admin = new Proxy(client, { get: (target, name) => promisify(target[name].bind(target)) })

const create = (topic, partitions = 1, config = {}) =>
  admin.createTopic({ topic, num_partitions: partitions, replication_factor: 1, config }, 10_000)

async function produce(topic, records, settings = {}) {
  const producer = new RdKafka.Producer({
    'bootstrap.servers': bootstrap,
    'delivery.timeout.ms': 15_000,
    dr_cb: true,
    ...settings,
  })
  await connect(producer)
  const reports = []
  const errors = []
  producer.on('delivery-report', (error, report) =>
    (error ? errors : reports).push(error ?? report),
  )
  producer.setPollInterval(20)
  for (const [i, { partition, key, value, headers, timestamp }] of records.entries()) {
    const pairs = headers.map(([name, content]) => ({ [name]: content }))
    producer.produce(topic, partition, value, key, timestamp, i, pairs)
  }
  await promisify(producer.flush.bind(producer))(20_000)
  await waitFor('all reports', () => reports.length + errors.length === records.length)
  await disconnect(producer)
  if (errors.length > 0) throw errors[0]
  // Its reports may arrive in another order than the records; `opaque` tells whose each one is.
  return reports.sort((a, b) => a.opaque - b.opaque).map(({ offset }) => offset)
}

async function read(topic, count, partition = 0, offset = 0, settings = {}) {
  const consumer = await openConsumer(settings)
  consumer.assign([{ topic, partition, offset }])
  const records = []
  const deadline = Date.now() + 15_000
  while (records.length < count && Date.now() < deadline) {
    const messages = await promisify(consumer.consume.bind(consumer))(count - records.length)
    records.push(...messages.map(readable))
  }
  await disconnect(consumer)
  return records
}

async function openConsumer(settings = {}) {
  const consumer = new RdKafka.KafkaConsumer(
    {
      'bootstrap.servers': bootstrap,
      'group.id': 'unused',
      'enable.auto.commit': false,
      ...settings,
    },
    { 'auto.offset.reset': 'earliest' },
  )
  await connect(consumer)
  consumer.setDefaultConsumeTimeout(500)
  return consumer
}

const connect = (client) => promisify(client.connect.bind(client))({ timeout: 10_000 })
const disconnect = (client) => promisify(client.disconnect.bind(client))()

function readable({ key, value, headers = [], timestamp, offset }) {
  return {
    key: key === null || key === undefined ? null : Buffer.from(key),
    value,
    headers: headers.map((header) => Object.entries(header)[0]),
    timestamp,
    offset,
  }
}

await check('list-topics', async () => {
  await create('first')
  await waitFor('the topic', async () => (await admin.listTopics({})).includes('first'))
})

await check('create-topics', async () => {
  await create('plain', 3)
  await create('configured', 1, { 'retention.ms': '3600000' })
  await waitFor('the topics', async () => {
    const listed = await admin.listTopics({})
    return listed.includes('plain') && listed.includes('configured')
  })
})

await check('create-topic-twice-refused', () => refused(() => create('plain'), 'already exists'))

await check('create-with-invalid-config-refused', () =>
  refused(() => create('never', 1, { 'retention.ms': 'soon' }), 'retention.ms', 'onfig'),
)

await check('describe-topics', async () => {
  const [plain] = await admin.describeTopics(['plain'], {})
  expect(plain.partitions.length === 3 && plain.partitions[2].isr.length === 1, `${plain}`)
  expect(!plain.error && plain.topicId, 'error or no topic id')
})

await check('describe-unknown-topic-refused', async () => {
  const [nowhere] = await admin.describeTopics(['nowhere'], {})
  expect(nowhere.error?.code === 3, `${nowhere.error}`)
})

for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
  await check(`codec-${codec}`, async () => {
    const topic = `codec-${codec}`
    await create(topic, 2)
    const sent = [variety(0, false), variety(1, false)]
    // One request at a time, for a retry must not change the order.
    const settings = { 'compression.codec': codec, 'linger.ms': 20, 'max.in.flight': 1 }
    await produce(topic, sent.flat(), settings)
    compare(sent[0], await read(topic, sent[0].length, 0))
    compare(sent[1], await read(topic, sent[1].length, 1))
  })
}

for (const acks of ['0', '1', 'all']) {
  await check(`acks-${acks}`, async () => {
    await create(`acks-${acks}`)
    await produce(`acks-${acks}`, numbered(100), { acks: acks === 'all' ? -1 : Number(acks) })
    compare(numbered(100), await read(`acks-${acks}`, 100))
  })
}

await check('idempotent', async () => {
  await create('idempotent')
  const settings = { 'enable.idempotence': true, 'batch.num.messages': 10 }
  const offsets = await produce('idempotent', numbered(2000), settings)
  const wrong = offsets.findIndex((offset, i) => offset !== i)
  expect(wrong === -1, `record ${wrong} at ${offsets.slice(wrong, wrong + 20)}`)
  compare(numbered(2000), await read('idempotent', 2000))
})

await check('auto-create-on-produce', async () => {
  await produce('auto-created', numbered(10))
  compare(numbered(10), await read('auto-created', 10))
})

await check('record-of-almost-1-MiB', async () => {
  await create('large')
  const sent = [blob(1_048_400), blob(1_000_000)]
  await produce('large', sent, { 'message.max.bytes': 2_000_000 })
  compare(sent, await read('large', 2))
})

await check('record-of-8-MiB-where-allowed', async () => {
  await create('larger', 1, { 'max.message.bytes': '10000000' })
  const sent = [blob(8 << 20), blob(8 << 20)]
  await produce('larger', sent, { 'message.max.bytes': 20_000_000 })
  compare(sent, await read('larger', 2))
})

await check('too-large-refused', async () => {
  await create('smaller', 1, { 'max.message.bytes': '1000' })
  await refused(() => produce('smaller', [blob(5000)]), 'size too large')
})

const timed = { topic: 'timed', partition: 0 }

await check('offsets-by-time', async () => {
  await create('timed')
  await produce('timed', numbered(100))
  const offset = async (spec, options = {}) =>
    (await admin.listOffsets([{ ...timed, offset: spec }], options))[0].offset
  expect((await offset(OffsetSpec.EARLIEST)) === 0, 'earliest')
  expect((await offset(OffsetSpec.LATEST)) === 100, 'latest')
  expect((await offset(OffsetSpec.MAX_TIMESTAMP)) === 99, 'max timestamp')
  expect((await offset(new OffsetSpec(T0 + 41_500))) === 42, 'middle')
  const committed = { isolationLevel: IsolationLevel.READ_COMMITTED }
  expect((await offset(OffsetSpec.LATEST, committed)) === 100, 'last stable')
})

await check('consumer-offsets-by-time', async () => {
  const consumer = await openConsumer()
  const times = [{ ...timed, offset: T0 + 10_000 }]
  const [found] = await promisify(consumer.offsetsForTimes.bind(consumer))(times, 10_000)
  const watermarks = await promisify(consumer.queryWatermarkOffsets.bind(consumer))(
    'timed',
    0,
    10_000,
  )
  await disconnect(consumer)
  expect(found.offset === 10, JSON.stringify(found))
  expect(watermarks.lowOffset === 0 && watermarks.highOffset === 100, JSON.stringify(watermarks))
})

await check('consumer-read-uncommitted', async () => {
  const settings = { 'isolation.level': 'read_uncommitted' }
  compare(numbered(100), await read('timed', 100, 0, 0, settings))
})

await check('delete-records', async () => {
  const [deleted] = await admin.deleteRecords([{ ...timed, offset: 30 }], {})
  expect(!deleted.error && deleted.lowWatermark === 30, JSON.stringify(deleted))
  compare(numbered(100).slice(30), await read('timed', 70))
})

await check('delete-records-beyond-end-refused', async () => {
  const [deleted] = await admin.deleteRecords([{ ...timed, offset: 101 }], {})
  expect(deleted.error?.code === 1, JSON.stringify(deleted))
})

await check('create-partitions', async () => {
  await admin.createPartitions('plain', 5, 10_000)
  await waitFor('5 partitions', async () => {
    const [plain] = await admin.describeTopics(['plain'], {})
    return plain.partitions.length === 5
  })
  await produce('plain', numbered(1, 4))
  compare(numbered(1, 4), await read('plain', 1, 4))
})

await check('delete-topics', async () => {
  await admin.deleteTopic('plain', 10_000)
  await waitFor('it gone', async () => !(await admin.listTopics({})).includes('plain'))
})

await check('delete-unknown-topic-refused', () =>
  refused(() => admin.deleteTopic('nowhere', 10_000), 'Unknown topic'),
)

client.disconnect()

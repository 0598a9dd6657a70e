/**
 * Metrics and logs of many machines in one place. Agents send what they measure and what they log;
 * one collector sums the metrics up by minute, another keeps the log of each machine in its order
 * and rings for errors. Old records go by themselves: retention is a setting of the topic.
 */
import assert from 'node:assert/strict'
import { Broker, Consumer, jsonSerde, Producer, stringSerde } from 'odradek'

const HOSTS = ['web-1', 'web-2', 'db-1']
const MINUTES = 5
const SAMPLES_PER_MINUTE = 60
const MINUTE_MS = 60_000
const start = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - MINUTES * MINUTE_MS

const broker = await Broker.start({
  storage: 'memory',
  topics: [
    // A day of metrics; of the logs as much as a gigabyte per partition.
    { topic: 'metrics', numPartitions: 3, configs: { 'retention.ms': '86400000' } },
    { topic: 'logs', numPartitions: 3, configs: { 'retention.bytes': '1073741824' } },
  ],
})

const samples = HOSTS.length * MINUTES * SAMPLES_PER_MINUTE
const [means, logs] = await Promise.all([
  collectMetrics(samples),
  collectLogs(HOSTS.length * MINUTES),
  ...HOSTS.map(runAgent),
])
await broker.stop()

assert.equal(means.size, HOSTS.length * MINUTES)
for (const [name, { sum, count }] of means) {
  assert.equal(count, SAMPLES_PER_MINUTE)
  assert.equal(sum / count, (SAMPLES_PER_MINUTE - 1) / 2, name)
}
assert.equal(logs.errors, HOSTS.length)
for (const host of HOSTS) {
  const lines = Array.from({ length: MINUTES }, (_, minute) => lineOf(minute).text)
  assert.deepEqual(logs.byHost.get(host), lines)
}
console.log(`${samples} samples in ${means.size} means, ${logs.errors} errors rang`)

/** What runs on each machine. The timestamp of a record is the time of the sample. */
async function runAgent(host) {
  const producer = new Producer({
    port: broker.connect(),
    clientId: `agent-${host}`,
    compressionType: 'gzip',
    lingerMs: 20,
    acks: 1,
    serializers: { key: stringSerde, value: jsonSerde() },
  })
  for (let minute = 0; minute < MINUTES; minute++) {
    const beginning = start + minute * MINUTE_MS
    const messages = Array.from({ length: SAMPLES_PER_MINUTE }, (_, second) => ({
      key: host,
      timestamp: beginning + second * 1000,
      value: { name: 'cpu', value: second },
    }))
    if (!producer.post({ topic: 'metrics', messages })) await producer.ready()
    const { level, text } = lineOf(minute)
    const line = { key: host, timestamp: beginning, headers: { level }, value: text }
    producer.post({ topic: 'logs', messages: [line] })
  }
  await producer.close()
}

/** Means by machine and minute, a batch of one partition at a time. */
async function collectMetrics(expected) {
  const consumer = newConsumer('metrics-collector')
  const means = new Map()
  let left = expected
  await consumer.subscribe(['metrics'])
  await consumer.eachBatch(({ records }) => {
    for (const { key, value, timestamp } of records) {
      const minute = Math.floor((timestamp - start) / MINUTE_MS)
      const name = `${key} ${value.name} minute ${minute}`
      const mean = means.get(name) ?? { sum: 0, count: 0 }
      means.set(name, { sum: mean.sum + value.value, count: mean.count + 1 })
    }
    left -= records.length
    if (left === 0) void consumer.close() // Ends eachBatch, once this batch is dealt with.
  })
  return means
}

/** Lines by machine. Who looks for errors reads the header and need not decode the value. */
async function collectLogs(expected) {
  const consumer = newConsumer('log-collector')
  const byHost = new Map()
  let errors = 0
  let left = expected
  await consumer.subscribe(['logs'])
  for await (const { key, value, headers } of consumer) {
    byHost.set(key, [...(byHost.get(key) ?? []), value])
    const level = headers.find((header) => header.key === 'level')
    if (String(level?.value) === 'error') errors++
    if (--left === 0) break
  }
  await consumer.close()
  return { byHost, errors }
}

function newConsumer(groupId) {
  return new Consumer({
    port: broker.connect(),
    groupId,
    autoOffsetReset: 'earliest',
    deserializers: { key: stringSerde, value: jsonSerde() },
  })
}

function lineOf(minute) {
  if (minute === 3) return { level: 'error', text: 'disk is full' }
  return { level: 'info', text: `${minute} requests` }
}

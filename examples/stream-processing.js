/**
 * Stream processing: clicks, which come by user, become counts by page and minute.
 *
 *   clicks (by user) ── re-key ──► clicks-by-page ── count in windows ──► page-counts (compacted)
 *
 * The counter keeps its counts in memory and writes each change to `page-counts`, where compaction
 * leaves the last one of each key. That topic is its result and its state at once: a counter that
 * starts reads it and goes on where the last one ended. Each change carries the offset of the click
 * that caused it, so that no click counts twice, wherever the counter was killed. One counter runs
 * at a time: what a dead one has sent must have arrived before the next one reads.
 */
import assert from 'node:assert/strict'
import { Broker, Consumer, int64Serde, jsonSerde, Producer, stringSerde } from 'odradek'

const PARTITIONS = 3
const CLICKS = 600
const WINDOW_MS = 60_000
const pageOf = (n) => `/page-${(n * n) % 7}`
const timestampOf = (n) => 1_700_000_000_000 + n * 500

const broker = await Broker.start({
  storage: 'memory',
  topics: [
    { topic: 'clicks', numPartitions: PARTITIONS },
    { topic: 'clicks-by-page', numPartitions: PARTITIONS },
    // As many partitions again: what is counted of partition 1 is written to partition 1.
    { topic: 'page-counts', numPartitions: PARTITIONS, configs: { 'cleanup.policy': 'compact' } },
  ],
})

await click()
await rekey()
await count({ diesAfter: 200 })
await count()

const expected = new Map()
for (let n = 0; n < CLICKS; n++) {
  const window = windowOf(pageOf(n), timestampOf(n))
  expected.set(window, (expected.get(window) ?? 0) + 1)
}
const { counts } = await readState()
assert.deepEqual(new Map([...counts].sort()), new Map([...expected].sort()))
console.log(
  `${counts.size} windows, ${counts.get('/page-0@1699999980000')} views of /page-0 at first`,
)
await broker.stop()

async function click() {
  const producer = newProducer()
  const messages = Array.from({ length: CLICKS }, (_, n) => ({
    key: `user-${n % 11}`,
    value: { page: pageOf(n) },
    timestamp: timestampOf(n),
  }))
  await producer.send({ topic: 'clicks', messages })
  await producer.close()
}

/** Reads by user, writes by page. The time of the click stays with it. */
async function rekey() {
  const producer = newProducer()
  const consumer = new Consumer({
    port: broker.connect(),
    groupId: 'rekey',
    autoOffsetReset: 'earliest',
    enableAutoCommit: false,
    deserializers: { value: jsonSerde() },
  })
  await consumer.subscribe(['clicks'])
  for (let done = 0; done < CLICKS; ) {
    const clicks = await consumer.poll({ timeoutMs: 1000 })
    const messages = clicks.map(({ value, timestamp }) => ({ key: value.page, value, timestamp }))
    await producer.send({ topic: 'clicks-by-page', messages })
    await consumer.commit() // Only what is written counts as read.
    done += clicks.length
  }
  await consumer.close()
  await producer.close()
}

/** Counts from where `page-counts` says that counting ended. */
async function count({ diesAfter = Infinity } = {}) {
  const { counts, nextOffsets } = await readState()
  console.log(`counting from offsets ${nextOffsets.join(', ')}`)
  const producer = newProducer()
  const consumer = new Consumer({ port: broker.connect() })
  const ends = await endsOf(consumer, 'clicks-by-page')
  consumer.assign(ends)
  let left = 0
  for (const { topic, partition, offset: end } of ends) {
    consumer.seek({ topic, partition, offset: nextOffsets[partition] })
    left += end - nextOffsets[partition]
  }
  const dies = left > diesAfter
  if (dies) left = diesAfter
  while (left > 0) {
    const clicks = await consumer.poll({ timeoutMs: 1000, maxRecords: left })
    for (const { partition, key, timestamp, offset } of clicks) {
      const window = windowOf(String(key), timestamp)
      counts.set(window, (counts.get(window) ?? 0) + 1)
      // One record is a change with its offset: it is there whole or not at all.
      const headers = { clickOffset: int64Serde.serialize(BigInt(offset)) }
      const message = { key: window, value: counts.get(window), headers, partition }
      if (!producer.post({ topic: 'page-counts', messages: [message] })) await producer.ready()
    }
    left -= clicks.length
  }
  // A death takes with it what was not acknowledged; the next counter counts that again.
  await producer.close(dies ? { timeoutMs: 0 } : {})
  await consumer.close()
}

/** All of `page-counts`: the counts, and for each partition the first click that is not in them. */
async function readState() {
  const counts = new Map()
  const nextOffsets = new Array(PARTITIONS).fill(0)
  const deserializers = { key: stringSerde, value: jsonSerde() }
  const consumer = new Consumer({ port: broker.connect(), deserializers })
  const ends = (await endsOf(consumer, 'page-counts')).filter(({ offset }) => offset > 0)
  consumer.assign(ends)
  consumer.seekToBeginning()
  const behind = new Map(ends.map(({ partition, offset }) => [partition, offset]))
  while (behind.size > 0) {
    for (const { partition, key, value, headers } of await consumer.poll({ timeoutMs: 1000 })) {
      counts.set(key, value)
      nextOffsets[partition] = Number(int64Serde.deserialize(headers[0].value)) + 1
    }
    for (const [partition, end] of behind) {
      const position = await consumer.position({ topic: 'page-counts', partition })
      if (position >= end) behind.delete(partition)
    }
  }
  await consumer.close()
  return { counts, nextOffsets }
}

function endsOf(consumer, topic) {
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition)
  return consumer.listOffsets(partitions.map((partition) => ({ topic, partition, at: 'latest' })))
}

function windowOf(page, timestamp) {
  return `${page}@${Math.floor(timestamp / WINDOW_MS) * WINDOW_MS}`
}

function newProducer() {
  return new Producer({
    port: broker.connect(),
    serializers: { key: stringSerde, value: jsonSerde() },
  })
}

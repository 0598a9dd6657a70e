/**
 * Activity tracking: a web site tells what its visitors do, and whoever is interested reads along,
 * each at its own pace. The site neither waits for the readers nor knows them.
 */
import assert from 'node:assert/strict'
import { Broker, Consumer, jsonSerde, Producer, stringSerde } from 'odradek'

const VISITORS = 20
const VIEWS_PER_VISITOR = 50
const PAGES = ['/', '/search', '/cart', '/checkout']

const broker = await Broker.start({
  storage: 'memory',
  topics: [{ topic: 'page-views', numPartitions: 4 }],
})

// Two readers that have nothing to do with each other: two groups, each of which gets all views.
const [counts, trails] = await Promise.all([countViews(), followVisitors(), trackSite()])

let total = 0
for (const [page, views] of counts) {
  console.log(`${page}: ${views} views`)
  total += views
}
assert.equal(total, VISITORS * VIEWS_PER_VISITOR)
assert.equal(trails.size, VISITORS)
for (const [visitor, trail] of trails) {
  const expected = Array.from({ length: VIEWS_PER_VISITOR }, (_, step) => pageOf(visitor, step))
  assert.deepEqual(trail, expected, 'a visitor is seen in the order of the clicks')
}
console.log(`${trails.size} trails, each in order`)
await broker.stop()

/** The site. Tracking must not hold up a page, so nobody waits for the answer to one view. */
async function trackSite() {
  const producer = new Producer({
    port: broker.connect(),
    lingerMs: 5, // A few milliseconds make batches of many views.
    compressionType: 'gzip',
    serializers: { key: stringSerde, value: jsonSerde() },
  })
  for (let step = 0; step < VIEWS_PER_VISITOR; step++) {
    for (let visitor = 0; visitor < VISITORS; visitor++) {
      const key = `visitor-${visitor}`
      // The key decides the partition: all views of a visitor stay in order.
      const message = { key, value: { page: pageOf(key, step), step } }
      if (!producer.post({ topic: 'page-views', messages: [message] })) await producer.ready()
    }
  }
  await producer.close() // Sends what still lies there.
  assert.equal(producer.metrics().recordsFailed, 0)
}

/** A dashboard: how often each page was seen. */
async function countViews() {
  const counts = new Map()
  await readAll('dashboard', ({ value }) => {
    counts.set(value.page, (counts.get(value.page) ?? 0) + 1)
  })
  return counts
}

/** A recommender: the way of each visitor through the site. */
async function followVisitors() {
  const trails = new Map()
  await readAll('recommender', ({ key, value }) => {
    const trail = trails.get(key) ?? []
    trail.push(value.page)
    trails.set(key, trail)
  })
  return trails
}

async function readAll(groupId, onView) {
  const consumer = new Consumer({
    port: broker.connect(),
    groupId,
    autoOffsetReset: 'earliest',
    deserializers: { key: stringSerde, value: jsonSerde() },
  })
  await consumer.subscribe(['page-views'])
  let left = VISITORS * VIEWS_PER_VISITOR
  for await (const record of consumer) {
    onView(record)
    if (--left === 0) break
  }
  await consumer.close()
}

function pageOf(visitor, step) {
  return PAGES[(visitor.length + step + (step >> 2)) % PAGES.length]
}

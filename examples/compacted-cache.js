/**
 * A commit log: a compacted topic as the one place of truth, and caches of it in every process.
 * Compaction keeps the last record of each key and drops the others, so the topic holds what a table
 * holds. A cache reads all of it when it starts, knows when it is complete, and follows from then on.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Broker, Consumer, jsonSerde, Producer, stringSerde } from 'odradek'

const TOPIC = 'prices'

/** What the topic says at present, by key. One per process; it needs no group. */
class Cache {
  #entries = new Map()
  #waiting = []
  #consumer
  #following

  constructor(port) {
    const deserializers = { key: stringSerde, value: jsonSerde() }
    this.#consumer = new Consumer({ port, deserializers })
  }

  /** Resolves when all that was written before the call can be seen. */
  async start(partitionCount) {
    const partitions = Array.from({ length: partitionCount }, (_, partition) => partition)
    const ends = await this.#consumer.listOffsets(
      partitions.map((partition) => ({ topic: TOPIC, partition, at: 'latest' })),
    )
    this.#consumer.assign(ends)
    this.#consumer.seekToBeginning()
    for (const { topic, partition, offset: end } of ends) {
      while ((await this.#consumer.position({ topic, partition })) < end) {
        for (const record of await this.#consumer.poll({ timeoutMs: 1000 })) this.#apply(record)
      }
    }
    this.#following = this.#follow()
  }

  get(key) {
    return this.#entries.get(key)
  }

  get size() {
    return this.#entries.size
  }

  /** Resolves when `key` has this value. What one writes, one may want to wait for. */
  async until(key, value) {
    while (this.get(key) !== value) await new Promise((resolve) => this.#waiting.push(resolve))
  }

  async close() {
    await this.#consumer.close()
    await this.#following
  }

  async #follow() {
    for await (const record of this.#consumer) {
      this.#apply(record)
      for (const resolve of this.#waiting.splice(0)) resolve()
    }
  }

  #apply({ key, value }) {
    if (value === null) this.#entries.delete(key)
    else this.#entries.set(key, value)
  }
}

const dataDir = await mkdtemp(path.join(tmpdir(), 'prices-'))
const topics = [{ topic: TOPIC, numPartitions: 2, configs: { 'cleanup.policy': 'compact' } }]
let broker = await Broker.start({ dataDir, topics })
let producer = newProducer()
for (let round = 1; round <= 10; round++) {
  const messages = Array.from({ length: 50 }, (_, n) => ({ key: `item-${n}`, value: n * round }))
  await producer.send({ topic: TOPIC, messages })
}
await producer.close()
await broker.stop()

// Everything starts anew; the topic is what is left.
broker = await Broker.start({ dataDir, topics })
const cache = new Cache(broker.connect())
await cache.start(2)
assert.equal(cache.size, 50)
for (let n = 0; n < 50; n++) assert.equal(cache.get(`item-${n}`), n * 10)
console.log(`${cache.size} prices after a restart`)

// It follows: a new price, and a record without a value, which deletes.
producer = newProducer()
await producer.send({ topic: TOPIC, messages: [{ key: 'item-7', value: 99 }] })
await cache.until('item-7', 99)
await producer.send({ topic: TOPIC, messages: [{ key: 'item-8', value: null }] })
await cache.until('item-8', undefined)
assert.equal(cache.size, 49)
console.log('it follows: one has changed, one has gone')

await cache.close()
await producer.close()
await broker.stop()
await rm(dataDir, { recursive: true })

function newProducer() {
  return new Producer({
    port: broker.connect(),
    serializers: { key: stringSerde, value: jsonSerde() },
  })
}

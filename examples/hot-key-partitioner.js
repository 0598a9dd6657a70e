/**
 * A partitioner of one's own. One customer sends as much as all others together, and its partition
 * is slow for everybody in it. So this customer gets partitions of its own, which its records fill
 * in turn; all others share the rest by the hash of their key, as usual. What is given up: the
 * records of this one customer are no longer in one order.
 */
import assert from 'node:assert/strict'
import { Broker, Consumer, Producer, partitionOfKey, stringSerde } from 'odradek'

const HOT_KEY = 'customer-0'
const HOT_PARTITIONS = 2
const PARTITIONS = 8

const broker = await Broker.start({
  storage: 'memory',
  topics: [{ topic: 'requests', numPartitions: PARTITIONS }],
})

const producer = new Producer({
  port: broker.connect(),
  partitioner: ownPartitionsFor(HOT_KEY, HOT_PARTITIONS),
  serializers: { key: stringSerde },
})
const messages = Array.from({ length: 2000 }, (_, n) => ({
  // Half of all records are of one customer.
  key: n % 2 === 0 ? HOT_KEY : `customer-${1 + (n % 100)}`,
  value: String(n),
}))
await producer.send({ topic: 'requests', messages })
await producer.close()

const partitions = await readPartitions()
for (const [partition, records] of partitions.entries()) {
  console.log(`partition ${partition}: ${records.length} records`)
}
const isHot = ({ key }) => key === HOT_KEY
for (const records of partitions.slice(0, HOT_PARTITIONS)) {
  assert.equal(records.length, 1000 / HOT_PARTITIONS, 'the hot partitions are filled alike')
  assert(records.every(isHot), 'and hold nobody else')
}
const others = partitions.slice(HOT_PARTITIONS)
assert.equal(others.flat().length, 1000)
assert(!others.flat().some(isHot))
for (const { key } of others.flat()) {
  const holders = others.filter((records) => records.some((record) => record.key === key))
  assert.equal(holders.length, 1, 'any other customer is in one partition')
}
await broker.stop()

/** The first `count` partitions are for `hotKey`, the others for everybody else. */
function ownPartitionsFor(hotKey, count) {
  let turn = 0
  return ({ key }, { partitionCount }) => {
    if (partitionCount <= count) throw new RangeError(`more than ${count} partitions are needed`)
    if (key === hotKey) return turn++ % count
    return count + partitionOfKey(key ?? '', partitionCount - count)
  }
}

async function readPartitions() {
  const consumer = new Consumer({ port: broker.connect(), deserializers: { key: stringSerde } })
  const partitions = Array.from({ length: PARTITIONS }, () => [])
  consumer.assign(partitions.map((_, partition) => ({ topic: 'requests', partition })))
  consumer.seekToBeginning()
  let left = messages.length
  for await (const record of consumer) {
    partitions[record.partition].push(record)
    if (--left === 0) break
  }
  await consumer.close()
  return partitions
}

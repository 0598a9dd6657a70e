/**
 * Exactly once from topic to topic: a processor reads orders, writes invoices, and commits both the
 * invoices and the offsets of the orders in one transaction. Wherever it dies, either all of a
 * transaction counts or nothing of it: the next processor goes on where the last commit ended.
 *
 *   orders ──read──► processor ──invoices and offsets, in one transaction──► invoices
 */
import assert from 'node:assert/strict'
import { Broker, Consumer, jsonSerde, Producer } from 'odradek'

const ORDERS = 500
const PER_TRANSACTION = 20

const broker = await Broker.start({
  storage: 'memory',
  topics: [
    { topic: 'orders', numPartitions: 2 },
    { topic: 'invoices', numPartitions: 2 },
  ],
})

await order()
const lives = []
while ((await ordersDone()) < ORDERS) {
  // Each but the last is killed with a transaction open.
  lives.push(await invoice({ transactions: lives.length < 4 ? 5 : Infinity }))
}
const numbers = await readInvoices()
assert.deepEqual(
  numbers.sort((a, b) => a - b),
  Array.from({ length: ORDERS }, (_, number) => number),
)
console.log(`${numbers.length} invoices, each once, by ${lives.length} processors`)
await broker.stop()

async function order() {
  const producer = new Producer({
    port: broker.connect(),
    serializers: { value: jsonSerde() },
    partitioner: 'roundRobin',
  })
  const messages = Array.from({ length: ORDERS }, (_, number) => ({ value: { number, pieces: 3 } }))
  await producer.send({ topic: 'orders', messages })
  await producer.close()
}

/** One life of the processor. */
async function invoice({ transactions }) {
  const consumer = new Consumer({
    port: broker.connect(),
    groupId: 'invoicing',
    autoOffsetReset: 'earliest',
    isolationLevel: 'read_committed',
    enableAutoCommit: false, // Offsets go with the transactions.
    deserializers: { value: jsonSerde() },
  })
  // Whoever comes next with the same id ends what this one leaves open, and fences it.
  const producer = new Producer({
    port: broker.connect(),
    transactionalId: 'invoicing',
    serializers: { value: jsonSerde() },
  })
  await consumer.subscribe(['orders'])
  let done = 0
  while (transactions > 0) {
    const orders = await consumer.poll({ timeoutMs: 500, maxRecords: PER_TRANSACTION })
    if (orders.length === 0) break
    const messages = orders.map(({ value }) => ({ value: { ...value, total: value.pieces * 10 } }))
    transactions--
    if (transactions === 0) {
      await producer.beginTransaction()
      await producer.send({ topic: 'invoices', messages })
      break // Killed here: sent, and not committed.
    }
    await producer.transaction(async () => {
      producer.post({ topic: 'invoices', messages })
      await producer.sendOffsetsToTransaction(consumer.positions(), consumer.groupMetadata())
    })
    done += orders.length
  }
  await producer.close({ timeoutMs: 0 })
  await consumer.close()
  return done
}

async function ordersDone() {
  const offsets = await broker.admin.listGroupOffsets('invoicing')
  return offsets.reduce((sum, { offset = 0 }) => sum + offset, 0)
}

async function readInvoices() {
  const consumer = new Consumer({
    port: broker.connect(),
    autoOffsetReset: 'earliest',
    isolationLevel: 'read_committed',
    deserializers: { value: jsonSerde() },
  })
  consumer.assign([0, 1].map((partition) => ({ topic: 'invoices', partition })))
  const numbers = []
  while (numbers.length < ORDERS) {
    for (const { value } of await consumer.poll({ timeoutMs: 1000 })) numbers.push(value.number)
  }
  numbers.push(...(await consumer.poll({ timeoutMs: 200 })).map(({ value }) => value.number))
  await consumer.close()
  return numbers
}

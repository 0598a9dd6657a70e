/**
 * Messages between services: the transactional outbox. A service that writes to its database and
 * then sends a message may die between the two. So it writes the message into the database as well,
 * in the same transaction, and a relay sends what lies there. The relay may die after sending and
 * before it notes that it has sent: the message arrives twice. So the receiver remembers what it has
 * done, again in one transaction with the doing. Both together: every order is shipped exactly once.
 *
 * The database is LMDB here (npm install lmdb); any one with transactions will do.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { open } from 'lmdb'
import { Broker, Consumer, jsonSerde, Producer, stringSerde } from 'odradek'

const ORDERS = 60
const folder = await mkdtemp(path.join(tmpdir(), 'outbox-'))
const broker = await Broker.start({
  storage: 'memory',
  topics: [{ topic: 'orders', numPartitions: 3 }],
})

/** The database of the service that takes orders. */
const sales = open({ path: path.join(folder, 'sales') })
const orders = sales.openDB('orders')
const outbox = sales.openDB('outbox')

/** The database of the service that ships them. */
const warehouse = open({ path: path.join(folder, 'warehouse') })
const shipments = warehouse.openDB('shipments')
const handled = warehouse.openDB('handled')

// The relay dies twice at the worst moment, and each time another one takes over.
for (let number = 0; number < ORDERS / 2; number++) await takeOrder(number)
await relay({ diesAfter: 7 })
for (let number = ORDERS / 2; number < ORDERS; number++) await takeOrder(number)
await relay({ diesAfter: 20 })
await relay()
assert.equal(outbox.getCount(), 0, 'everything was sent')

const { received, shipped } = await ship()
console.log(`${ORDERS} orders, ${received} messages received, ${shipped} orders shipped`)
assert.equal(received, ORDERS + 2, 'each death of a relay sends one message twice')
assert.equal(shipped, ORDERS)
for (const { value: count } of shipments.getRange()) assert.equal(count, 1)

await broker.stop()
await sales.close()
await warehouse.close()
await rm(folder, { recursive: true })

/** The order and the message about it: both or neither. */
async function takeOrder(number) {
  const order = { id: `order-${number}`, customer: `customer-${number % 5}`, pieces: 1 }
  await sales.transaction(() => {
    orders.put(order.id, order)
    // The sequence number keeps the order of the messages, and names each for the receiver.
    outbox.put(number, { key: order.customer, eventId: `sales-${number}`, value: order })
  })
}

/** Sends what lies in the outbox, oldest first, and takes it out when the broker has it. */
async function relay({ diesAfter = Infinity } = {}) {
  const producer = new Producer({
    port: broker.connect(),
    serializers: { key: stringSerde, value: jsonSerde() },
  })
  let sent = 0
  for (const { key: sequence, value: message } of [...outbox.getRange()]) {
    const { key, value, eventId } = message
    await producer.send({ topic: 'orders', messages: [{ key, value, headers: { eventId } }] })
    if (++sent === diesAfter) break // Sent, and nobody knows.
    await outbox.remove(sequence)
  }
  await producer.close()
}

/** The receiver. It commits after the work, so a record may come again; then it is passed over. */
async function ship() {
  const consumer = new Consumer({
    port: broker.connect(),
    groupId: 'warehouse',
    autoOffsetReset: 'earliest',
    enableAutoCommit: false,
    deserializers: { key: stringSerde, value: jsonSerde() },
  })
  await consumer.subscribe(['orders'])
  let received = 0
  let shipped = 0
  while (received < ORDERS + 2) {
    for (const record of await consumer.poll({ timeoutMs: 1000 })) {
      received++
      const eventId = String(record.headers.find((header) => header.key === 'eventId').value)
      await warehouse.transaction(() => {
        if (handled.doesExist(eventId)) return
        handled.put(eventId, true)
        shipments.put(record.value.id, (shipments.get(record.value.id) ?? 0) + 1)
        shipped++
      })
    }
    await consumer.commit()
  }
  await consumer.close()
  return { received, shipped }
}

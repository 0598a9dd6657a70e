import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { Broker, Consumer, Producer } from 'odradek'

let broker
before(async () => {
  broker = await Broker.start({ storage: 'memory' })
})
beforeEach(() => broker.reset())
after(() => broker.stop())

for (const name of ['first', 'second']) {
  test(`the ${name} test has the broker to itself`, async () => {
    assert.deepEqual(await broker.admin.listTopics(), [])
    assert.deepEqual(await roundTrip(name), [name])
  })
}

async function roundTrip(value) {
  const producer = new Producer({ port: broker.connect() })
  await producer.send({ topic: 'orders', messages: [{ value }] })
  await producer.close()
  const consumer = new Consumer({
    port: broker.connect(),
    groupId: 'shop',
    autoOffsetReset: 'earliest',
  })
  await consumer.subscribe(['orders'])
  const records = await consumer.poll({ timeoutMs: 10_000 })
  await consumer.close()
  return records.map((record) => String(record.value))
}

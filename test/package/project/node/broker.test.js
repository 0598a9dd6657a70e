import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { Broker, Consumer, Producer } from 'odradek'

let broker
before(async () => {
  broker = await Broker.start({ storage: 'memory' })
})
beforeEach(() => broker.reset())
after(() => broker.stop())

test('an order is heard of', async () => {
  const port = broker.connect()
  const consumer = new Consumer({ port, groupId: 'shop', autoOffsetReset: 'earliest' })
  await consumer.subscribe(['orders'])
  const producer = new Producer({ port: broker.connect() })
  await producer.send({ topic: 'orders', messages: [{ value: 'one book' }] })
  const [record] = await consumer.poll({ timeoutMs: 10_000 })
  assert.equal(String(record.value), 'one book')
  await producer.close()
  await consumer.close()
})

test('the next test finds an empty broker', async () => {
  assert.deepEqual(await broker.admin.listTopics(), [])
})

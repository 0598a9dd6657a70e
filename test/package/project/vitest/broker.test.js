import { Broker, Consumer, Producer } from 'odradek'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

let broker
beforeAll(async () => {
  broker = await Broker.start({ storage: 'memory' })
})
beforeEach(() => broker.reset())
afterAll(() => broker.stop())

test('an order is heard of', async () => {
  const port = broker.connect()
  const consumer = new Consumer({ port, groupId: 'shop', autoOffsetReset: 'earliest' })
  await consumer.subscribe(['orders'])
  const producer = new Producer({ port: broker.connect() })
  await producer.send({ topic: 'orders', messages: [{ value: 'one book' }] })
  const [record] = await consumer.poll({ timeoutMs: 10_000 })
  expect(String(record.value)).toBe('one book')
  await producer.close()
  await consumer.close()
})

test('the next test finds an empty broker', async () => {
  expect(await broker.admin.listTopics()).toEqual([])
})

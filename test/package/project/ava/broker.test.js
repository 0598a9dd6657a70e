import test from 'ava'
import { Broker, Consumer, Producer } from 'odradek'

let broker
test.before(async () => {
  broker = await Broker.start({ storage: 'memory' })
})
test.beforeEach(() => broker.reset())
test.after.always(() => broker.stop())

test.serial('an order is heard of', async (t) => {
  const port = broker.connect()
  const consumer = new Consumer({ port, groupId: 'shop', autoOffsetReset: 'earliest' })
  await consumer.subscribe(['orders'])
  const producer = new Producer({ port: broker.connect() })
  await producer.send({ topic: 'orders', messages: [{ value: 'one book' }] })
  const [record] = await consumer.poll({ timeoutMs: 10_000 })
  t.is(String(record.value), 'one book')
  await producer.close()
  await consumer.close()
})

test.serial('the next test finds an empty broker', async (t) => {
  t.deepEqual(await broker.admin.listTopics(), [])
})

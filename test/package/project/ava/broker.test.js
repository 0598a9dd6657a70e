import test from 'ava'
import { Broker, Consumer, Producer } from 'odradek'

let broker
test.before(async () => {
  broker = await Broker.start({ storage: 'memory' })
})
test.beforeEach(() => broker.reset())
test.after.always(() => broker.stop())

for (const name of ['first', 'second']) {
  test.serial(`the ${name} test has the broker to itself`, async (t) => {
    t.deepEqual(await broker.admin.listTopics(), [])
    t.deepEqual(await roundTrip(name), [name])
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

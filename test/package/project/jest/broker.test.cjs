const { Broker, Consumer, Producer } = require('odradek')

let broker
beforeAll(async () => {
  broker = await Broker.start({ storage: 'memory' })
})
beforeEach(() => broker.reset())
afterAll(() => broker.stop())

for (const name of ['first', 'second']) {
  test(`the ${name} test has the broker to itself`, async () => {
    expect(await broker.admin.listTopics()).toEqual([])
    expect(await roundTrip(name)).toEqual([name])
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

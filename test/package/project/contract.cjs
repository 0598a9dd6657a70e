const { Broker, Consumer, Producer } = require('odradek')

async function main() {
  const broker = await Broker.start({ storage: 'memory' })
  const producer = new Producer({ port: broker.connect() })
  await broker.admin.createTopics([{ topic: 't', numPartitions: 1 }])
  await producer.send({ topic: 't', messages: [{ key: 'k', value: 'v' }] })
  const consumer = new Consumer({
    port: broker.connect(),
    groupId: 'g',
    autoOffsetReset: 'earliest',
  })
  await consumer.subscribe(['t'])
  for await (const record of consumer) {
    console.log(String(record.value))
    break
  }
  await consumer.close()
  await producer.close()
  await broker.stop()
}

main()

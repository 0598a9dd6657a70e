import { Broker, Consumer, Producer } from 'odradek'

await using broker = await Broker.start({ storage: 'memory', topics: ['t'] })
await using producer = new Producer({ port: broker.connect() })
await using consumer = new Consumer({ port: broker.connect(), autoOffsetReset: 'earliest' })
await producer.send({ topic: 't', messages: [{ value: 'v' }] })
consumer.assign([{ topic: 't', partition: 0 }])
for (const { value } of await consumer.poll({ timeoutMs: 10_000 })) console.log(String(value))

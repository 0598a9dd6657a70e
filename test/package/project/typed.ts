/** What a program in TypeScript may rely on: compiled strictly, once per way to resolve modules. */
import {
  Admin,
  Broker,
  type BrokerOptions,
  Consumer,
  type ConsumerRecord,
  jsonSerde,
  KafkaError,
  type Partitioner,
  Producer,
  type RecordMetadata,
  stringSerde,
  type Topic,
  topic,
} from 'odradek'

interface Order {
  readonly id: string
  readonly pieces: number
}

const options: BrokerOptions = { storage: 'memory', config: { 'num.partitions': 3 } }
await using broker = await Broker.start(options)
const partitioner: Partitioner = ({ key }, { partitionCount }) =>
  (key?.length ?? 0) % partitionCount
const orders = jsonSerde<Order>()
await using producer = new Producer({
  port: broker.connect(),
  partitioner,
  serializers: { key: stringSerde, value: orders },
})
const [written]: readonly (RecordMetadata | undefined)[] = await producer.send({
  topic: 'orders',
  messages: [{ key: 'a', value: { id: 'a', pieces: 1 }, headers: { kind: 'new' } }],
})
const offset: number = written?.offset ?? -1

// @ts-expect-error The serializer says what a value is.
await producer.send({ topic: 'orders', messages: [{ key: 'a', value: { id: 1 } }] })
// @ts-expect-error A client has one target.
new Admin({ port: broker.connect(), bootstrapServers: 'localhost:9092' })

await using consumer = new Consumer({
  bootstrapServers: broker.bootstrapServers,
  groupId: 'g',
  deserializers: { key: stringSerde, value: orders },
})
await consumer.subscribe(['orders'], {
  onPartitionsAssigned: (partitions) => {
    for (const { topic, partition } of partitions) consumer.seek({ topic, partition, offset })
  },
})
for await (const record of consumer) {
  const same: ConsumerRecord<string, Order> = record
  const pieces: number | undefined = record.value?.pieces
  console.log(same.offset, pieces, record.key?.length)
  break
}

const typed = topic('orders', { key: stringSerde, value: orders })
const byId: Topic<string, Order> = typed
await producer.send({ topic: byId, messages: [{ key: 'b', value: { id: 'b', pieces: 2 } }] })
// @ts-expect-error The topic says what a value is.
await producer.send({ topic: typed, messages: [{ key: 'b', value: { id: 2 } }] })
const visits = topic('visits', { value: jsonSerde<{ readonly page: string }>() })
await using reader = new Consumer({ port: broker.connect(), groupId: 'r', topics: [typed, visits] })
await reader.subscribe([typed, visits])
for (const record of await reader.poll()) {
  const told: number | string | undefined =
    record.topic === 'orders' ? record.value?.pieces : record.value?.page
  console.log(told)
}
try {
  await broker.admin.deleteTopics(['nothing'])
} catch (error) {
  if (error instanceof KafkaError) console.log(error.code, error.retriable, error.hint)
}

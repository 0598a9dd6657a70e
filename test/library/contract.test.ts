/** The program that the library promises to run, through its public face. */
import test from 'ava'
import { Broker, Consumer, Producer } from '../../src/index.ts'
import { read } from '../support/source.ts'

test('a program starts a broker, sends a record and reads it', async (t) => {
  const broker = await Broker.start()
  const producer = new Producer({ port: broker.connect() })
  await broker.admin.createTopics([{ topic: 't', numPartitions: 1 }])
  await producer.send({ topic: 't', messages: [{ key: 'k', value: 'v' }] })
  const consumer = new Consumer({
    port: broker.connect(),
    groupId: 'g',
    autoOffsetReset: 'earliest',
  })
  await consumer.subscribe(['t'])
  const values: string[] = []
  for await (const record of consumer) {
    values.push(String(record.value))
    break
  }
  await consumer.close()
  await producer.close()
  await broker.stop()
  t.deepEqual(values, ['v'])
})

test('all of it ends by itself at the end of a block', async (t) => {
  const values: string[] = []
  {
    await using broker = await Broker.start({ storage: 'memory' })
    await using producer = new Producer({ port: broker.connect() })
    await using consumer = new Consumer({ port: broker.connect(), autoOffsetReset: 'earliest' })
    await broker.admin.createTopics([{ topic: 't', numPartitions: 1 }])
    consumer.assign([{ topic: 't', partition: 0 }])
    await producer.send({ topic: 't', messages: [{ value: 'v' }] })
    for (const { value } of await consumer.poll({ timeoutMs: 10_000 })) values.push(String(value))
  }
  t.deepEqual(values, ['v'])
})

test('the programs of the README are those that are tried with the installed package', (t) => {
  const readme = read('README.md')
  t.true(readme.includes(read('test/package/project/contract.mjs')))
  t.true(readme.includes(read('test/package/project/node/broker.test.js')))
})

/** Clients over message ports: lanes, idle ports, and ports that nobody holds any more. */
import { once } from 'node:events'
import net from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import test from 'ava'
import { Admin, Broker, type BrokerOptions, Consumer, Producer } from '../../src/index.ts'
import { assigned, patient, reading } from './patient-consumer.ts'

const memory = {
  storage: 'memory',
  topics: [{ topic: 't', numPartitions: 2 }],
  config: {
    'group.initial.rebalance.delay.ms': 0,
    'group.consumer.min.heartbeat.interval.ms': 50,
    'group.consumer.heartbeat.interval.ms': 50,
  },
} as const satisfies BrokerOptions

for (const threads of [0, 1, 2]) {
  for (const groupProtocol of ['classic', 'consumer'] as const) {
    test(`a fetch that waits delays no group: ${groupProtocol}, ${threads} threads`, async (t) => {
      await using broker = await Broker.start({ ...memory, threads })
      const consumer = () => new Consumer({ port: broker.connect(), ...patient, groupProtocol })
      await using first = consumer()
      const firstReads = reading(first)
      const all = await assigned(first, 2)
      // Positions are known, so that fetches are under way, which wait for ten minutes.
      for (const one of all) await first.position(one)
      await first.commit(all.map((one) => ({ ...one, offset: 0 })))
      t.deepEqual(
        (await first.committed(all)).map(({ offset }) => offset),
        [0, 0],
      )
      await using second = consumer()
      const secondReads = reading(second)
      const [theirs] = await assigned(second, 1)
      t.deepEqual(await assigned(first, 1), [
        { topic: 't', partition: theirs?.partition === 0 ? 1 : 0 },
      ])
      await Promise.all([first.close(), second.close()])
      await Promise.all([firstReads, secondReads])
    })
  }
}

test('a port that was transferred has lanes as well', async (t) => {
  await using broker = await Broker.start(memory)
  const port = broker.connect()
  const worker = new Worker(new URL('./ports.worker.js', import.meta.url), {
    workerData: { port },
    transferList: [port],
  })
  const ended = once(worker, 'exit')
  const [committed] = await once(worker, 'message')
  t.deepEqual(committed, [0, 0])
  await ended
})

test('a port is not closed for being idle, which a socket is', async (t) => {
  await using broker = await Broker.start({
    ...memory,
    listen: true,
    config: { 'connections.max.idle.ms': 10 },
  })
  await using producer = new Producer({ port: broker.connect() })
  await producer.send({ topic: 't', messages: [{ value: 'one' }] })
  const [host, port] = broker.bootstrapServers.split(':')
  const socket = net.connect({ host: host as string, port: Number(port) })
  await once(socket, 'connect')
  socket.resume()
  await once(socket, 'close')
  const [record] = await producer.send({ topic: 't', messages: [{ value: 'two', partition: 0 }] })
  t.is(record?.partition, 0)
})

test('a client that is dropped gives its connections back', async (t) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  await using broker = await Broker.start({
    ...memory,
    threads: 0,
    listen: true,
    config: { 'max.connections': 12 },
  })
  const ways = [
    () => ({ port: broker.connect() }),
    () => ({ bootstrapServers: broker.bootstrapServers }),
  ]
  // Each has up to three connections.
  const users = [useProducer, useConsumer, useAdmin]
  for (let round = 0; round < 4; round++) {
    for (const way of ways) {
      for (const use of users) {
        const dropped = await use(way())
        while (dropped.deref() !== undefined) {
          await turn()
          collect()
        }
      }
    }
  }
  t.pass()
})

test('a client that is closed is held by nobody', async (t) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  await using broker = await Broker.start({ ...memory, threads: 0, listen: true })
  const ways = [
    () => ({ port: broker.connect() }),
    () => ({ bootstrapServers: broker.bootstrapServers }),
  ]
  for (const way of ways) {
    for (const use of [useProducer, useConsumer, useAdmin]) {
      const closed = await use(way(), true)
      for (let look = 0; look < 100 && closed.deref() !== undefined; look++) {
        await turn()
        collect()
      }
      t.is(closed.deref(), undefined)
    }
  }
})

type Way = { port: ReturnType<Broker['connect']> } | { bootstrapServers: string }

async function useProducer(way: Way, closes = false): Promise<WeakRef<object>> {
  const producer = new Producer(way)
  await producer.send({ topic: 't', messages: [{ value: 'one', partition: 0 }] })
  if (closes) await producer.close()
  return new WeakRef(producer)
}

async function useConsumer(way: Way, closes = false): Promise<WeakRef<object>> {
  const consumer = new Consumer({ ...way, groupId: 'dropped', autoOffsetReset: 'earliest' })
  consumer.assign([{ topic: 't', partition: 0 }])
  await consumer.poll({ timeoutMs: 60_000 })
  if (closes) await consumer.close()
  return new WeakRef(consumer)
}

async function useAdmin(way: Way, closes = false): Promise<WeakRef<object>> {
  const admin = new Admin(way)
  await admin.listTopics()
  if (closes) await admin.close()
  return new WeakRef(admin)
}

/**
 * A producer passes records on, with the offsets of what it read, over connections that are cut at
 * random, and is replaced by others of its transactionalId at random: each record arrives once, and
 * in order.
 */
import { once } from 'node:events'
import { createServer, connect as dial, type Socket } from 'node:net'
import test from 'ava'
import { ClientConnection } from '../../src/client/connection.ts'
import { Consumer } from '../../src/client/consumer.ts'
import { KafkaError } from '../../src/client/errors.ts'
import { Producer } from '../../src/client/producer.ts'
import { Broker } from '../../src/library/broker.ts'
import { Seeded } from '../support/seeded.ts'

const RECORDS = 1500
const PARTITIONS = 3
const GROUP = 'passes-on'
const SEED = 5

/** Passes bytes on to a broker, and cuts a connection when it is told to. */
class CuttingProxy {
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer((socket) => this.#pass(socket))
  target = 0
  #isDeaf = false

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as { port: number }).port
  }

  cut(random: Seeded): void {
    const sockets = [...this.#sockets]
    if (sockets.length > 0) sockets[random.between(0, sockets.length - 1)]?.destroy()
  }

  /** Connections are taken, and nothing on them is passed on. */
  setDeaf(isDeaf: boolean): void {
    this.#isDeaf = isDeaf
    for (const socket of this.#sockets) socket.destroy()
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  #pass(from: Socket): void {
    this.#sockets.add(from)
    from.on('close', () => this.#sockets.delete(from))
    if (this.#isDeaf) {
      from.on('error', () => {})
      return
    }
    const to = dial(this.target, '127.0.0.1')
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      one.on('error', () => {})
      one.on('close', () => other.destroy())
      one.pipe(other)
    }
  }
}

/** A broker whose clients come through the proxy. */
async function proxied(proxy: CuttingProxy, topics: readonly string[]) {
  const port = await proxy.listen()
  const broker = await Broker.start({
    storage: 'memory',
    listen: true,
    config: { 'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}` },
    topics: topics.map((topic) => ({ topic, numPartitions: PARTITIONS })),
  })
  proxy.target = Number(broker.bootstrapServers.split(':').at(-1))
  return { broker, port }
}

test.serial('a commit without an answer is undecided, and the next call decides it', async (t) => {
  const proxy = new CuttingProxy()
  const { broker, port } = await proxied(proxy, ['to'])
  const producer = new Producer({
    bootstrapServers: `127.0.0.1:${port}`,
    transactionalId: 'undecided',
    requestTimeoutMs: 300,
    deliveryTimeoutMs: 600,
    maxBlockMs: 600,
  })
  await producer.beginTransaction()
  await producer.send({ topic: 'to', messages: [{ value: 'v', partition: 0 }] })
  proxy.setDeaf(true)
  await t.throwsAsync(producer.commitTransaction(), { name: 'REQUEST_TIMED_OUT' })
  const name = 'INVALID_TXN_STATE'
  await t.throwsAsync(producer.abortTransaction(), { name })
  await t.throwsAsync(producer.beginTransaction(), { name })
  proxy.setDeaf(false)
  await producer.commitTransaction()
  t.deepEqual((await readAll(broker))[0], ['v'])
  await producer.beginTransaction()
  await producer.send({ topic: 'to', messages: [{ value: 'w', partition: 0 }] })
  proxy.setDeaf(true)
  await t.throwsAsync(producer.abortTransaction(), { name: 'REQUEST_TIMED_OUT' })
  await t.throwsAsync(producer.commitTransaction(), { name })
  proxy.setDeaf(false)
  await producer.abortTransaction()
  await producer.transaction(() => {
    producer.post({ topic: 'to', messages: [{ value: 'x', partition: 0 }] })
  })
  t.deepEqual((await readAll(broker))[0], ['v', 'x'])
  await producer.close()
  proxy.close()
  await broker.stop()
})

for (const level of [2, 0]) {
  test.serial(`each record is passed on once, with transaction version ${level}`, async (t) => {
    t.timeout(120_000)
    const { featureLevel } = ClientConnection.prototype
    ClientConnection.prototype.featureLevel = () => level
    t.teardown(() => {
      ClientConnection.prototype.featureLevel = featureLevel
    })
    const proxy = new CuttingProxy()
    const { broker, port } = await proxied(proxy, ['from', 'to'])
    const random = new Seeded(SEED + level)
    await fill(broker)
    const cutting = setInterval(() => proxy.cut(random), 15)
    let aborted = 0
    while ((await passedOn(broker)) < RECORDS) aborted += await passOn(port, random)
    clearInterval(cutting)
    const values = await readAll(broker)
    for (const [partition, list] of values.entries()) {
      t.deepEqual(list, expectedOf(partition))
    }
    t.log(`${aborted} transactions aborted`)
    t.true(aborted > 0)
    proxy.close()
    await broker.stop()
  })
}

async function fill(broker: Broker): Promise<void> {
  const producer = new Producer({ port: broker.connect() })
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const messages = expectedOf(partition).map((value) => ({ value, partition }))
    await producer.send({ topic: 'from', messages })
  }
  await producer.close()
}

function expectedOf(partition: number): string[] {
  return Array.from({ length: RECORDS / PARTITIONS }, (_, i) => `${partition} ${i}`)
}

async function passedOn(broker: Broker): Promise<number> {
  const offsets = await broker.admin.listGroupOffsets(GROUP)
  return offsets.reduce((sum, { offset = 0 }) => sum + offset, 0)
}

/** One life of a processor, until it dies or all is passed on; answers how often it aborted. */
async function passOn(port: number, random: Seeded): Promise<number> {
  const target = { bootstrapServers: `127.0.0.1:${port}`, retryBackoffMs: 5, reconnectBackoffMs: 1 }
  const consumer = new Consumer({
    ...target,
    groupId: GROUP,
    autoOffsetReset: 'earliest',
    isolationLevel: 'read_committed',
    enableAutoCommit: false,
    maxPollRecords: 20,
  })
  const producer = new Producer({ ...target, transactionalId: 'passes-on', batchSize: 200 })
  await consumer.subscribe(['from'])
  let aborted = 0
  try {
    // What was read and not passed on is read again by the next life.
    for (let left = random.between(5, 40); left > 0; left--) {
      const records = await consumer.poll({ timeoutMs: 200 })
      if (records.length === 0) continue
      await producer.transaction(async () => {
        for (const { partition, value } of records) {
          producer.post({ topic: 'to', messages: [{ value: String(value), partition }] })
        }
        if (random.between(0, 9) === 0) throw new Error('changed its mind')
        await producer.sendOffsetsToTransaction(consumer.positions(), consumer.groupMetadata())
      })
    }
  } catch (error) {
    aborted++
    if (!(error instanceof KafkaError) && (error as Error).message !== 'changed its mind')
      throw error
  }
  // Some leave their transaction open, for the next life to end.
  const timeoutMs = random.between(0, 1) * 1000
  await Promise.all([producer.close({ timeoutMs }), consumer.close({ timeoutMs })])
  return aborted
}

async function readAll(broker: Broker): Promise<string[][]> {
  const consumer = new Consumer({
    port: broker.connect(),
    autoOffsetReset: 'earliest',
    isolationLevel: 'read_committed',
  })
  const values: string[][] = Array.from({ length: PARTITIONS }, () => [])
  consumer.assign(values.map((_, partition) => ({ topic: 'to', partition })))
  for (let quiet = 0; quiet < 5; ) {
    const records = await consumer.poll({ timeoutMs: 100 })
    quiet = records.length === 0 ? quiet + 1 : 0
    for (const { partition, value } of records) values[partition]?.push(String(value))
  }
  await consumer.close()
  return values
}

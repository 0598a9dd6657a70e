/** Several listeners of one broker: what their clients are told, and that they outlive a worker. */
import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import test, { type ExecutionContext } from 'ava'
import { Broker, type BrokerOptions } from '../../src/library/broker.ts'
import { Metadata } from '../../src/protocol/apis/03-metadata.ts'
import { FindCoordinator } from '../../src/protocol/apis/10-find-coordinator.ts'
import { DescribeCluster } from '../../src/protocol/apis/60-describe-cluster.ts'
import { RawConnection } from '../support/raw-connection.ts'

const NAMES = 'INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT'

/** The address that the broker tells whoever dialled `port`, in all answers that name one. */
async function toldOn(t: ExecutionContext, port: number): Promise<string> {
  const connection = await RawConnection.open(port)
  const metadata = await connection.ask(Metadata, 9, { topics: [] })
  const found = await connection.ask(FindCoordinator, 4, { keyType: 1, coordinatorKeys: ['x'] })
  const cluster = await connection.ask(DescribeCluster, 0, {})
  connection.close()
  const told = [...metadata.brokers, ...found.coordinators, ...cluster.brokers].map(
    ({ host, port: itsPort }) => `${host}:${itsPort}`,
  )
  t.is(told.length, 3)
  t.is(new Set(told).size, 1, 'all answers name the same address')
  return told[0] ?? ''
}

function portOf(address: string): number {
  return Number(/:(\d+)$/.exec(address)?.[1])
}

for (const threads of [0, 1, 2]) {
  const options: BrokerOptions = { storage: 'memory', threads }

  test.serial(`${threads} threads: each client is told the address that it dialled`, async (t) => {
    await using broker = await Broker.start({ ...options, listen: true })
    const first = broker.bootstrapServers
    const more = await Promise.all([broker.listen(), broker.listen({ host: '0.0.0.0' })])
    t.is(broker.bootstrapServers, [first, ...more].join())
    for (const address of [first, ...more]) {
      const port = portOf(address)
      t.is(await toldOn(t, port), `127.0.0.1:${port}`)
    }
  })

  test.serial(
    `${threads} threads: advertised.listeners holds for its listener alone`,
    async (t) => {
      await using broker = await Broker.start({
        ...options,
        config: {
          listeners: 'INSIDE://127.0.0.1:0,OUTSIDE://:0',
          'listener.security.protocol.map': NAMES,
          'advertised.listeners': 'OUTSIDE://broker.example.org:19092',
        },
      })
      const [inside = 0, outside = 0] = broker.bootstrapServers.split(',').map(portOf)
      t.is(await toldOn(t, outside), 'broker.example.org:19092')
      t.is(await toldOn(t, inside), `127.0.0.1:${inside}`)
      const later = portOf(await broker.listen())
      t.is(await toldOn(t, later), `127.0.0.1:${later}`)
      t.is(await toldOn(t, outside), 'broker.example.org:19092')
    },
  )
}

test.serial('a worker that comes back opens all listeners again', async (t) => {
  const workers: Worker[] = []
  const note = (worker: Worker) => workers.push(worker)
  process.on('worker', note)
  let isBack = () => {}
  const back = new Promise<void>((resolve) => {
    isBack = resolve
  })
  const log = {
    debug() {},
    info: (message: string) => message === 'a worker is back' && isBack(),
    warn() {},
    error() {},
  }
  await using broker = await Broker.start({ storage: 'memory', threads: 1, listen: true, log })
  process.off('worker', note)
  await broker.listen()
  await broker.listen()
  const before = broker.bootstrapServers
  await workers[0]?.terminate()
  // As long as there is no worker, a connection ends at once and is not kept waiting.
  const port = broker.connect()
  port.start()
  await once(port, 'close')
  await back
  for (const address of before.split(',')) {
    const port = portOf(address)
    t.is(await toldOn(t, port), `127.0.0.1:${port}`)
  }
  const later = portOf(await broker.listen())
  t.is(await toldOn(t, later), `127.0.0.1:${later}`)
})

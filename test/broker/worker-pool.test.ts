/** Threads that one broker leaves to the next. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import test from 'ava'
import type { FromWorker, ToWorker, WorkerOptions } from '../../src/broker/supervision.ts'
import { COUNTER_NAMES } from '../../src/broker/thread-counters.ts'
import { leaveWorker, takeWorker } from '../../src/broker/worker-pool.ts'
import { effectiveBroker, staticLayers } from '../../src/config/effective.ts'
import { allocateCounters } from '../../src/ring/counters.ts'

const ENTRY = new URL('../../bundle/shard.cjs', import.meta.url)
const FACE = new URL('../../bundle/index.cjs', import.meta.url)

const options: WorkerOptions = {
  thread: 0,
  threadCount: 1,
  placement: { shards: 1, coordinatorThread: 0 },
  dataDir: '',
  inMemory: true,
  durable: false,
  config: effectiveBroker(staticLayers({})),
  trustCheckpoint: true,
  counters: allocateCounters(COUNTER_NAMES, 1),
  restarted: false,
  wiring: undefined,
  logLevelIsDebug: false,
}

async function ask<K extends FromWorker['kind']>(worker: Worker, message: ToWorker, kind: K) {
  worker.postMessage(message)
  const [answer] = (await once(worker, 'message')) as [FromWorker]
  if (answer.kind !== kind) throw new Error(`${JSON.stringify(answer)}, not ${kind}`)
  return answer as Extract<FromWorker, { kind: K }>
}

function newWorker(): Worker {
  return new Worker(ENTRY, { workerData: { preloadsDisk: false, code: [] } })
}

test('a thread serves one broker after the other', async (t) => {
  const worker = newWorker()
  for (let life = 0; life < 3; life++) {
    await ask(worker, { kind: 'start', options }, 'opened')
    await ask(worker, { kind: 'drain' }, 'drained')
    const { isSpare } = await ask(worker, { kind: 'stop' }, 'stopped')
    t.true(isSpare)
  }
  await worker.terminate()
})

test('a thread opens a directory again that it has closed', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'kept-'))
  const worker = newWorker()
  const kept = { ...options, dataDir, inMemory: false, durable: true }
  for (let life = 0; life < 3; life++) {
    await ask(worker, { kind: 'start', options: kept }, 'opened')
    const { isSpare } = await ask(worker, { kind: 'stop' }, 'stopped')
    t.true(isSpare)
  }
  await worker.terminate()
  rmSync(dataDir, { recursive: true })
})

test('a thread ends with a broker that could not open', async (t) => {
  const worker = newWorker()
  const exited = once(worker, 'exit')
  const hopeless = { ...options, dataDir: '/dev/null', inMemory: false }
  await ask(worker, { kind: 'start', options: hopeless }, 'failed')
  const { isSpare } = await ask(worker, { kind: 'stop' }, 'stopped')
  t.false(isSpare)
  t.deepEqual(await exited, [0])
})

test.serial(
  'a thread that is left is taken by the next, and ends where nobody takes it',
  async (t) => {
    const worker = takeWorker(false)
    await leaveWorker(worker)
    t.is(takeWorker(false), worker)
    await leaveWorker(worker)
    // Or the process of this test would end first.
    worker.ref()
    await once(worker, 'exit')
    const other = takeWorker(false)
    t.not(other, worker)
    await other.terminate()
  },
)

test.serial('of many threads that are left, few wait', async (t) => {
  const workers = Array.from({ length: 6 }, () => takeWorker(false))
  await Promise.all(workers.map((one) => leaveWorker(one)))
  const taken = workers.map(() => takeWorker(false))
  t.is(taken.filter((one) => workers.includes(one)).length, 4)
  await Promise.all(taken.map((one) => one.terminate()))
})

test('brokers on one thread see nothing of each other, and the program ends', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'kept-'))
  const program = `
    const { Broker, Producer } = require(${JSON.stringify(FACE.pathname)})
    ;(async () => {
      const dataDir = ${JSON.stringify(dataDir)}
      for (const options of [{ dataDir }, { storage: 'memory' }, {}, { dataDir }]) {
        const broker = await Broker.start(options)
        const topics = await broker.admin.listTopics()
        const producer = new Producer({ port: broker.connect() })
        const [{ offset }] = await producer.send({ topic: 't', messages: [{ value: 'v' }] })
        await producer.close()
        await broker.stop()
        console.log(topics.length, offset)
      }
    })()`
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', program])
  t.is(stdout, '0 0\n0 0\n0 0\n1 1\n')
  rmSync(dataDir, { recursive: true })
})

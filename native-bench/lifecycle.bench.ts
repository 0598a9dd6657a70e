/**
 * The life of a broker inside a program, as bundled for users: how long until a first record is
 * acknowledged, and until nothing of it is left. Beside the bare thread and the bare LMDB that no
 * start can do without.
 */
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { open } from 'lmdb'
import type { Broker, BrokerOptions } from '../src/index.ts'
import type { Duration, Place, Suite } from './harness.ts'

const BUNDLE = new URL('../bundle/index.cjs', import.meta.url)
const TOPICS = 50
/** As many threads may wait for the next broker. */
const SPARES = 4

type Face = typeof import('../src/index.ts')

export async function lifecycle({ directory }: Place): Promise<Suite> {
  const face = (await import(BUNDLE.href)) as Face
  const inMemory = await face.Broker.start({ storage: 'memory' })
  const onDisk = await face.Broker.start()
  const limit = 'a bare worker thread: started'
  const memory = { storage: 'memory' } as const
  return {
    tasks: [
      { name: limit, run: bareThread },
      {
        name: 'two bare LMDB environments: opened, written',
        run: () => bareEnvironments(directory),
      },
      { name: 'first broker in memory: to the first record', limit, run: () => first(memory) },
      { name: 'first broker on disk: to the first record', limit, run: () => first({}) },
      { name: 'broker in memory: to the first record', limit, run: () => started(face, memory) },
      { name: 'broker on disk: to the first record', limit, run: () => started(face, {}) },
      {
        name: 'broker in memory, new thread: to the first record',
        limit,
        run: () => fresh(face, memory),
      },
      {
        name: 'broker on disk, new thread: to the first record',
        limit,
        run: () => fresh(face, {}),
      },
      { name: 'broker in memory: stop', limit, run: () => stopped(face, memory) },
      { name: 'broker on disk: stop', limit, run: () => stopped(face, {}) },
      { name: `broker in memory: reset of ${TOPICS} topics`, limit, run: () => reset(inMemory) },
      { name: `broker on disk: reset of ${TOPICS} topics`, limit, run: () => reset(onDisk) },
    ],
    async close() {
      await inMemory.stop()
      await onDisk.stop()
    },
  }
}

async function bareThread(): Promise<Duration> {
  const startedMs = performance.now()
  const worker = new Worker('require("node:worker_threads").parentPort.postMessage(1)', {
    eval: true,
  })
  await new Promise((resolve) => worker.once('message', resolve))
  const overriddenDuration = performance.now() - startedMs
  await worker.terminate()
  return { overriddenDuration }
}

async function bareEnvironments(directory: string): Promise<Duration> {
  const home = fs.mkdtempSync(path.join(directory, 'bare-'))
  const startedMs = performance.now()
  const environments = ['metadata', 'index'].map((name) => {
    return open({ path: path.join(home, name), noSubdir: false, noSync: true })
  })
  for (const one of environments) one.transactionSync(() => one.putSync('key', 'value'))
  const overriddenDuration = performance.now() - startedMs
  for (const one of environments) await one.close()
  fs.rmSync(home, { recursive: true })
  return { overriddenDuration }
}

/** A process of its own says how long its first broker took. */
async function first(options: BrokerOptions): Promise<Duration> {
  const program = `
    const { Broker, Producer } = require(${JSON.stringify(BUNDLE.pathname)})
    ;(async () => {
      const startedMs = performance.now()
      const broker = await Broker.start(${JSON.stringify(options)})
      const producer = new Producer({ port: broker.connect() })
      await producer.send({ topic: 't', messages: [{ value: 'v' }] })
      console.log(performance.now() - startedMs)
      await producer.close()
      await broker.stop()
    })()`
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', program])
  return { overriddenDuration: Number(stdout) }
}

async function started(face: Face, options: BrokerOptions): Promise<Duration> {
  const { startMs } = await live(face, options)
  return { overriddenDuration: startMs }
}

/** No thread of an earlier broker is left: others have taken them all. */
async function fresh(face: Face, options: BrokerOptions): Promise<Duration> {
  const others = Array.from({ length: SPARES }, () => face.Broker.start({ storage: 'memory' }))
  const started = await Promise.all(others)
  const { startMs } = await live(face, options)
  await Promise.all(started.map((broker) => broker.stop()))
  return { overriddenDuration: startMs }
}

async function stopped(face: Face, options: BrokerOptions): Promise<Duration> {
  const { stopMs } = await live(face, options)
  return { overriddenDuration: stopMs }
}

async function live(face: Face, options: BrokerOptions) {
  const startedMs = performance.now()
  const broker = await face.Broker.start(options)
  const producer = new face.Producer({ port: broker.connect() })
  await producer.send({ topic: 't', messages: [{ value: 'v' }] })
  const startMs = performance.now() - startedMs
  await producer.close()
  const stoppedMs = performance.now()
  await broker.stop()
  return { startMs, stopMs: performance.now() - stoppedMs }
}

async function reset(broker: Broker): Promise<Duration> {
  const names = Array.from({ length: TOPICS }, (_, i) => `t${i}`)
  await broker.admin.createTopics(names.map((topic) => ({ topic, numPartitions: 1 })))
  const startedMs = performance.now()
  await broker.reset()
  return { overriddenDuration: performance.now() - startedMs }
}

/** What workers of the bundle hand on to later ones. */
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import test from 'ava'
import { type CodeAhead, compileCode, planCode } from '../../src/broker/code-ahead.ts'
import type { CompiledFile, WorkerCode } from '../../src/broker/code-loader.ts'
import type { FromWorker, ToWorker, WorkerOptions } from '../../src/broker/supervision.ts'
import { COUNTER_NAMES } from '../../src/broker/thread-counters.ts'
import { effectiveBroker, staticLayers } from '../../src/config/effective.ts'
import { allocateCounters } from '../../src/ring/counters.ts'

const ENTRY = new URL('../../bundle/shard.cjs', import.meta.url)
const CODE = fileURLToPath(new URL('../../bundle/worker.cjs', import.meta.url))

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

/** The life of a worker that begins with `code`; answers what it hands on. */
async function handedOn(
  code: readonly CompiledFile[],
  ahead?: CodeAhead,
): Promise<readonly CompiledFile[]> {
  const workerData: WorkerCode = { preloadsDisk: ahead !== undefined, code, ahead }
  const worker = new Worker(ENTRY, { workerData })
  const ask = async <K extends FromWorker['kind']>(message: ToWorker, kind: K) => {
    worker.postMessage(message)
    const [answer] = (await once(worker, 'message')) as [FromWorker]
    if (answer.kind !== kind) throw new Error(`${answer.kind}, not ${kind}`)
    return answer as Extract<FromWorker, { kind: K }>
  }
  await ask({ kind: 'start', options }, 'opened')
  const { code: handed } = await ask({ kind: 'stop' }, 'stopped')
  await worker.terminate()
  return handed
}

function files(code: readonly CompiledFile[]): string[] {
  return code.map(({ file }) => file.split('/').slice(-2).join('/'))
}

test('what one worker compiled, a later one does not compile again', async (t) => {
  const code = await handedOn([])
  t.true(files(code).includes('bundle/worker.cjs'))
  t.true(code.length > 1)
  t.deepEqual(files(await handedOn(code)), [])
})

test('code that V8 refuses is compiled as ever, and handed on anew', async (t) => {
  const code = await handedOn([])
  const [first, ...others] = code as [CompiledFile, ...CompiledFile[]]
  const spoiled = { ...first, code: Buffer.from(first.code).fill(7, 0, 64) }
  const stale = others.map((one, i) => (i === 0 ? { ...one, modifiedMs: 0 } : one))
  const again = await handedOn([spoiled, ...stale])
  t.deepEqual(files(again), files(code.slice(0, 2)))
})

function planned(): CodeAhead {
  return planCode(CODE) ?? { file: CODE, modifiedMs: 0, memory: new SharedArrayBuffer(1 << 20) }
}

test('what the starting thread compiled meanwhile is taken, and handed on once it ran', async (t) => {
  const ahead = planned()
  const handing = handedOn([], ahead)
  const compiled = compileCode(ahead)
  t.false(compiled?.hasRun)
  const code = await handing
  const worker = code.find(({ file }) => file === CODE)
  t.true(worker?.hasRun)
  // With the functions that ran it is more.
  t.true((worker?.code.length ?? 0) > (compiled?.code.length ?? Infinity))
  t.true(
    files(code).some((name) => name.endsWith('lmdb/dist/index.cjs') || name === 'dist/index.cjs'),
  )
  t.deepEqual(files(await handedOn(code)), [])
})

test('code that nobody compiles ahead, or that V8 refuses, is compiled by the worker', async (t) => {
  const code = await handedOn([], planned())
  t.true(files(code).includes('bundle/worker.cjs'))
  const spoiled = planned()
  compileCode(spoiled)
  new Uint8Array(spoiled.memory).fill(7, 8, 64)
  t.true(files(await handedOn([], spoiled)).includes('bundle/worker.cjs'))
})

test('a file that is not there is not compiled ahead', (t) => {
  t.is(planCode(`${CODE}.gone`), undefined)
  const memory = new SharedArrayBuffer(1024)
  t.is(compileCode({ file: `${CODE}.gone`, modifiedMs: 0, memory }), undefined)
})

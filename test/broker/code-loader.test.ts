/** What workers of the bundle hand on to later ones. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import test from 'ava'
import { type CodeAhead, compileCode, planCode } from '../../src/broker/code-ahead.ts'
import { askForCode, borrowCode, type CodeQuestion } from '../../src/broker/code-lending.ts'
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

/** What a worker begins with. */
interface Help {
  readonly code?: readonly CompiledFile[]
  readonly ahead?: CodeAhead
  readonly lent?: CodeQuestion
}

/** A worker that serves, beside how it is asked. */
async function serving({ code = [], ahead, lent }: Help) {
  const workerData: WorkerCode = { preloadsDisk: ahead !== undefined, code, ahead, lent }
  const transferList = lent === undefined ? [] : [lent.port]
  const worker = new Worker(ENTRY, { workerData, transferList })
  const ask = async <K extends FromWorker['kind']>(message: ToWorker, kind: K) => {
    worker.postMessage(message, message.kind === 'lend-code' ? [message.question.port] : [])
    const [answer] = (await once(worker, 'message')) as [FromWorker]
    if (answer.kind !== kind) throw new Error(`${answer.kind}, not ${kind}`)
    return answer as Extract<FromWorker, { kind: K }>
  }
  await ask({ kind: 'start', options }, 'opened')
  return {
    ask,
    async stop() {
      const { code: handed } = await ask({ kind: 'stop' }, 'stopped')
      await worker.terminate()
      return handed
    },
  }
}

/** The life of a worker that begins with some help; answers what it hands on. */
async function handedOn(help: Help): Promise<readonly CompiledFile[]> {
  const worker = await serving(help)
  return worker.stop()
}

function files(code: readonly CompiledFile[]): string[] {
  return code.map(({ file }) => file.split('/').slice(-2).join('/'))
}

test('what one worker compiled, a later one does not compile again', async (t) => {
  const code = await handedOn({})
  t.true(files(code).includes('bundle/worker.cjs'))
  t.true(code.length > 1)
  const worker = code.find(({ file }) => file === CODE)
  t.regex(worker?.required['@node-rs/crc32'] ?? '', /crc32.index\.js$/)
  t.deepEqual(files(await handedOn({ code })), [])
})

test('the bundle is ASCII, as which it is read', (t) => {
  t.true(readFileSync(CODE).every((byte) => byte < 0x80))
})

test('code that V8 refuses is compiled as ever, and handed on anew', async (t) => {
  const code = await handedOn({})
  const [first, ...others] = code as [CompiledFile, ...CompiledFile[]]
  const spoiled = { ...first, code: Buffer.from(first.code).fill(7, 0, 64) }
  const stale = others.map((one, i) => (i === 0 ? { ...one, modifiedMs: 0 } : one))
  const again = await handedOn({ code: [spoiled, ...stale] })
  t.deepEqual(files(again), files(code.slice(0, 2)))
})

function planned(): CodeAhead {
  return planCode(CODE) ?? { file: CODE, modifiedMs: 0, memory: new SharedArrayBuffer(1 << 20) }
}

test('what the starting thread compiled meanwhile is taken, and handed on once it ran', async (t) => {
  const ahead = planned()
  const handing = handedOn({ ahead })
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
  t.deepEqual(files(await handedOn({ code })), [])
})

test('code that nobody compiles ahead, or that V8 refuses, is compiled by the worker', async (t) => {
  const code = await handedOn({ ahead: planned() })
  t.true(files(code).includes('bundle/worker.cjs'))
  const spoiled = planned()
  compileCode(spoiled)
  new Uint8Array(spoiled.memory).fill(7, 8, 64)
  t.true(files(await handedOn({ ahead: spoiled })).includes('bundle/worker.cjs'))
})

test('a file that is not there is not compiled ahead', (t) => {
  t.is(planCode(`${CODE}.gone`), undefined)
  const memory = new SharedArrayBuffer(1024)
  t.is(compileCode({ file: `${CODE}.gone`, modifiedMs: 0, memory }), undefined)
})

test('a worker that serves lends its code to those that are made meanwhile', async (t) => {
  const lender = await serving({})
  const borrowers = [askForCode(), askForCode()]
  for (const { lender: question } of borrowers) {
    const { code } = await lender.ask({ kind: 'lend-code', question }, 'code')
    t.true(files(code).includes('bundle/worker.cjs'))
  }
  for (const { borrower } of borrowers) t.deepEqual(files(await handedOn({ lent: borrower })), [])
  t.true(files(await lender.stop()).includes('bundle/worker.cjs'))
})

test('nobody waits for long for a worker that does not answer', async (t) => {
  const busy = askForCode()
  t.deepEqual(borrowCode(busy.borrower), [])
  busy.lender.port.close()
  const gone = askForCode()
  gone.lender.port.close()
  t.true(files(await handedOn({ lent: gone.borrower })).includes('bundle/worker.cjs'))
})

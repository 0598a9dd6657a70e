/**
 * Making worker threads, and keeping those for a moment that served a broker which is gone. A
 * worker takes longest to load its code, so the first one is made before anything else is looked
 * at; it waits for the message that starts it. Lives on the thread that starts brokers.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { compileCode, planCode } from './code-ahead.ts'
import { askForCode, type CodeQuestion } from './code-lending.ts'
import type { CompiledFile, WorkerCode } from './code-loader.ts'
import type { ToWorker } from './supervision.ts'

const BUNDLED = import.meta.url.endsWith('.cjs')
/** The worker's entry: beside this code in the bundle, in its own room otherwise. */
const ENTRY = new URL(BUNDLED ? './shard.cjs' : '../../workers/shard.js', import.meta.url)
/** The code that it loads. */
const CODE = fileURLToPath(new URL('./worker.cjs', import.meta.url))

/** Files whose compiled code is kept: the worker's own, and those of its packages, a few dozen. */
const FILES_MAX = 100

/** Bytes at the start of a program in which its loader is named. */
const LOADER_BYTES = 2048

/** Workers that wait for the next broker; one more is ended. */
const SPARES_MAX = 4
/**
 * How long they wait: tests stop one broker and start the next at once, and whoever starts none
 * has the memory back.
 */
const SPARE_MS = 1000

const compiled = new Map<string, CompiledFile>()
/** With what ends them when nobody has taken them. */
const spares = new Map<Worker, NodeJS.Timeout>()

/** Workers that serve. */
const lenders = new Set<Worker>()

/** Makes the worker that the next `takeWorker` gets; one that nobody takes ends. */
export function prepareWorker(preloadsDisk: boolean): void {
  if (spares.size === 0) keepSpare(newWorker(preloadsDisk))
}

/**
 * A worker that waits for the message that starts it; `preloadsDisk`: one that is made now loads
 * the disk's code ahead.
 */
export function takeWorker(preloadsDisk: boolean): Worker {
  const [spare] = spares
  if (spare === undefined) return newWorker(preloadsDisk)
  const [worker, timer] = spare
  clearTimeout(timer)
  spares.delete(worker)
  forget(worker)
  worker.ref()
  return worker
}

/** Leaves a worker to the next broker. Nothing of the last one may be left in it. */
export async function leaveWorker(worker: Worker): Promise<void> {
  forget(worker)
  if (spares.size >= SPARES_MAX) {
    await worker.terminate()
    return
  }
  keepSpare(worker)
}

/** It does not keep the process running. */
function keepSpare(worker: Worker): void {
  const end = () => {
    spares.delete(worker)
    void worker.terminate()
  }
  worker.unref()
  worker.on('error', end)
  spares.set(worker, setTimeout(end, SPARE_MS).unref())
}

/** The last broker hears of it no more. */
function forget(worker: Worker): void {
  for (const event of ['message', 'error', 'exit']) worker.removeAllListeners(event)
}

/** Ends a worker that was never started: in order, so that what it loads is closed again. */
export async function dismissWorker(worker: Worker): Promise<void> {
  const exited = new Promise((resolve) => worker.once('exit', resolve))
  worker.postMessage({ kind: 'stop' } satisfies ToWorker)
  await exited
}

/** Later workers begin with this code. */
export function keepCode(files: readonly CompiledFile[]): void {
  for (const one of files) {
    if (compiled.size < FILES_MAX || compiled.has(one.file)) compiled.set(one.file, one)
  }
}

/** The worker serves, and may be asked for its code. */
export function lendsCode(worker: Worker): void {
  lenders.add(worker)
}

/** The worker serves no more. */
export function lendsNoCode(worker: Worker): void {
  lenders.delete(worker)
}

function newWorker(preloadsDisk: boolean): Worker {
  // msgpackr's native part takes longer to load than it saves: messages here are small.
  const env = { ...libc(), ...process.env, MSGPACKR_NATIVE_ACCELERATION_DISABLED: 'true' }
  const ahead = BUNDLED && compiled.size === 0 ? planCode(CODE) : undefined
  const lent = BUNDLED && compiled.get(CODE)?.hasRun !== true ? borrow() : undefined
  const workerData: WorkerCode = { preloadsDisk, code: [...compiled.values()], ahead, lent }
  const transferList = lent === undefined ? [] : [lent.port]
  const worker = new Worker(ENTRY, { env, name: 'odradek', workerData, transferList })
  const code = ahead === undefined ? undefined : compileCode(ahead)
  if (code !== undefined) keepCode([code])
  return worker
}

/** Asks a worker that serves for its code; undefined: there is none. */
function borrow(): CodeQuestion | undefined {
  const [lender] = lenders
  if (lender === undefined) return undefined
  const question = askForCode()
  const message: ToWorker = { kind: 'lend-code', question: question.lender }
  lender.postMessage(message, [question.lender.port])
  return question.borrower
}

/**
 * The C library of this process, as those who load native packages want to be told; nothing where
 * it is not known. They would find it out in every worker, in milliseconds, and leave a descriptor
 * open where the worker ends early. The program names its loader within the first bytes.
 */
function libc(): { LIBC?: string } {
  if (process.platform !== 'linux') return {}
  const start = Buffer.alloc(LOADER_BYTES)
  try {
    const file = openSync('/proc/self/exe', 'r')
    readSync(file, start, 0, LOADER_BYTES, 0)
    closeSync(file)
  } catch {
    return {}
  }
  if (start.includes('/ld-musl-')) return { LIBC: 'musl' }
  return start.includes('/ld-linux') ? { LIBC: 'glibc' } : {}
}

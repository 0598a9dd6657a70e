/**
 * Making worker threads. A worker takes longest to load its code, so the first one is made
 * before anything else is looked at; it waits for the message that starts it.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import type { CompiledFile } from './code-loader.ts'
import type { ToWorker } from './supervision.ts'

/** The worker's entry: beside this code in the bundle, in its own room otherwise. */
const ENTRY = new URL(
  import.meta.url.endsWith('.cjs') ? './shard.cjs' : '../../workers/shard.js',
  import.meta.url,
)

/** Files whose compiled code is kept: the worker's own, and those of its packages, a few dozen. */
const FILES_MAX = 100

/** Bytes at the start of a program in which its loader is named. */
const LOADER_BYTES = 2048

const compiled = new Map<string, CompiledFile>()
let spare: Worker | undefined

/** Makes the worker that the next `takeWorker` gets; it loads the code of the disk ahead. */
export function prepareWorker(): void {
  spare ??= newWorker(true)
}

/** A worker that waits for its first message; `preloadsDisk`: it loads the disk's code ahead. */
export function takeWorker(preloadsDisk: boolean): Worker {
  const worker = spare ?? newWorker(preloadsDisk)
  spare = undefined
  return worker
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

function newWorker(preloadsDisk: boolean): Worker {
  // msgpackr's native part takes longer to load than it saves: messages here are small.
  const env = { ...libc(), ...process.env, MSGPACKR_NATIVE_ACCELERATION_DISABLED: 'true' }
  const workerData = { preloadsDisk, code: [...compiled.values()] }
  return new Worker(ENTRY, { env, name: 'odradek', workerData })
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

/**
 * Making worker threads. A worker takes longest to load its code, so the command line makes the
 * first one before it has read its own arguments; it waits for the message that starts it.
 */
import { Worker } from 'node:worker_threads'

/** The worker's entry: beside this code in the bundle, in its own room otherwise. */
const ENTRY = new URL(
  import.meta.url.endsWith('.cjs') ? './shard.cjs' : '../../workers/shard.js',
  import.meta.url,
)

let spare: Worker | undefined

/** Makes a worker that the next `takeWorker` gets; it loads the code of the disk ahead, too. */
export function prepareWorker(): void {
  spare ??= newWorker({ preloadDisk: true })
}

/** A worker that waits for its first message. */
export function takeWorker(): Worker {
  const worker = spare ?? newWorker({ preloadDisk: false })
  spare = undefined
  return worker
}

function newWorker(workerData: { preloadDisk: boolean }): Worker {
  // msgpackr's native part takes longer to load than it saves: messages here are small.
  const env = { ...process.env, MSGPACKR_NATIVE_ACCELERATION_DISABLED: 'true' }
  return new Worker(ENTRY, { env, name: 'odradek', workerData })
}

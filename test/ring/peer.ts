/** Starts peer.worker.ts and a bus on this thread that talks to it. */
import { Worker } from 'node:worker_threads'
import { BufferPool } from '../../src/ring/arena.ts'
import { type BusHandlers, type BusOptions, ThreadBus } from '../../src/ring/bus.ts'
import { type BusLimits, portsOf, type ThreadWiring, wireThreads } from '../../src/ring/wiring.ts'

/** What the worker does with a request of this type. */
export const ECHO = 1
export const SUM_REFERENCE = 2
export const FLOOD_BACK = 3
export const REPLY_OF_LENGTH = 4
export const NEVER_ANSWERED = 5
/** Notices: stand still until the word that is referred to changes; close the bus. */
export const STAND_STILL = 6
export const CLOSE = 7

export type Peer = {
  bus: ThreadBus
  pool: BufferPool
  worker: Worker
  wirings: ThreadWiring[]
  stop(): Promise<void>
}

export function startWorker(wiring: ThreadWiring, options: BusOptions): Worker {
  return new Worker(new URL('./peer.worker.js', import.meta.url), {
    workerData: { wiring, options },
    transferList: portsOf(wiring),
  })
}

export function startPeer(
  limits: Partial<BusLimits>,
  options: BusOptions,
  handlers: Partial<BusHandlers>,
): Peer {
  const wirings = wireThreads(2, limits)
  const pool = new BufferPool()
  const ignore = () => undefined
  const all = { onRequest: ignore, onNotice: ignore, ...handlers }
  const bus = new ThreadBus(wirings[0] as ThreadWiring, pool, all, options)
  const worker = startWorker(wirings[1] as ThreadWiring, options)
  const stop = async () => {
    bus.close()
    await worker.terminate()
  }
  return { bus, pool, worker, wirings, stop }
}

/** A reply as a promise: its bytes are copied out. */
export function ask(
  bus: ThreadBus,
  type: number,
  payload: Uint8Array,
): Promise<{ status: 'ok' | 'lost'; type: number; bytes: Buffer }> {
  return new Promise((resolve) => {
    bus.request(1, type, 0, payload, (status, replyType, bytes, at, length) => {
      resolve({ status, type: replyType, bytes: Buffer.from(bytes.subarray(at, at + length)) })
    })
  })
}

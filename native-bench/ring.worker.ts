/** The other thread of the ring's bench: answers requests and messages as they come. */
import { parentPort, workerData } from 'node:worker_threads'
import { BufferPool } from '../src/ring/arena.ts'
import { ThreadBus, type ThreadWiring } from '../src/ring/bus.ts'

const bus = new ThreadBus(
  workerData as ThreadWiring,
  new BufferPool(),
  {
    onRequest(from, type, _actor, correlation, bytes, at, length) {
      bus.reply(from, correlation, type, bytes.subarray(at, at + length))
    },
    onNotice() {},
  },
  { keepAlive: true },
)

parentPort?.on('message', () => parentPort?.postMessage(null))

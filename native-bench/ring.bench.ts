/** The ring, on one thread and between two. */
import { Worker } from 'node:worker_threads'
import { BufferPool } from '../src/ring/arena.ts'
import { ThreadBus } from '../src/ring/bus.ts'
import { allocateRing } from '../src/ring/layout.ts'
import { RingReader, RingWriter } from '../src/ring/ring.ts'
import { portsOf, type ThreadWiring, wireThreads } from '../src/ring/wiring.ts'
import type { Suite } from './harness.ts'

const FRAMES = 1000
const PAYLOAD_BYTES = 64
const REQUESTS = 100

export async function ring(): Promise<Suite> {
  const memory = allocateRing(256 * 1024)
  const writer = new RingWriter(memory)
  const reader = new RingReader(memory)
  const payload = Buffer.alloc(PAYLOAD_BYTES, 1)
  let seen = 0
  const [own, others] = wireThreads(2) as [ThreadWiring, ThreadWiring]
  const ignore = () => {}
  const bus = new ThreadBus(own, new BufferPool(), { onRequest: ignore, onNotice: ignore })
  const worker = new Worker(new URL('./ring.worker.js', import.meta.url), {
    workerData: others,
    transferList: portsOf(others),
  })
  const ask = (requests: number) =>
    new Promise<void>((resolve) => {
      let left = requests
      for (let i = 0; i < requests; i++) {
        bus.request(1, 1, 0, payload, () => {
          left--
          if (left === 0) resolve()
        })
      }
    })
  const post = () =>
    new Promise<void>((resolve) => {
      worker.once('message', () => resolve())
      worker.postMessage(null)
    })
  await ask(1)
  return {
    tasks: [
      { name: 'message port, there and back', run: post },
      {
        name: 'ring: write and read a frame of 64 B',
        times: FRAMES,
        limit: 'memcpy 1 KiB',
        run: () => {
          for (let i = 0; i < FRAMES; i++) writer.tryWrite(1, 0, i, i, payload, PAYLOAD_BYTES, 0)
          reader.poll(() => seen++, FRAMES)
        },
      },
      {
        name: 'bus: a request to another thread and its reply',
        limit: 'message port, there and back',
        run: () => ask(1),
      },
      {
        name: 'bus: each of 100 requests at once',
        times: REQUESTS,
        limit: 'message port, there and back',
        run: () => ask(REQUESTS),
      },
    ],
    async close() {
      bus.close()
      await worker.terminate()
    },
  }
}

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import test from 'ava'
import { assert } from '../../src/base/assert.ts'
import { allocateRing } from '../../src/ring/layout.ts'
import { RingWriter } from '../../src/ring/ring.ts'
import { nextRandom, payloadBytes, word } from './stress-sequence.ts'

// Small frames, so that head and tail wrap around a small ring as often as possible.
const FRAMES = Number(process.env['ODRADEK_STRESS_FRAMES'] ?? 20_000_000)
// This thread does not return to its event loop, so no timeout of the test could end it.
const SPINS_MAX = 1e10
const SEEDS = [1, 0x2545f491]

function produce(memory: SharedArrayBuffer, frames: number, seed: number): number {
  const writer = new RingWriter(memory)
  let state = seed
  let checksum = 0
  for (let n = 0; n < frames; n++) {
    state = nextRandom(state)
    const length = payloadBytes(state)
    let at = -1
    for (let spins = 0; at < 0; spins++) {
      assert(spins < SPINS_MAX, 'the consumer goes on reading')
      at = writer.tryClaim(1 + (n & 1023), n & 7, state, n, length, (n & 3) * 16)
    }
    for (let i = 0; i < length; i += 4) {
      const value = word(state, i)
      writer.bytes.writeUInt32LE(value, at + i)
      checksum = (checksum + value) | 0
    }
    writer.publish()
  }
  return checksum
}

for (const seed of SEEDS) {
  test.serial(
    `two threads pass millions of frames intact and in order, seed ${seed}`,
    async (t) => {
      t.timeout(120_000)
      const memory = allocateRing(seed === 1 ? 8192 : 65_536)
      const frames = FRAMES / SEEDS.length
      const worker = new Worker(new URL('./stress.worker.js', import.meta.url), {
        workerData: { memory, frames, seed },
      })
      await once(worker, 'online')
      const answer = once(worker, 'message')
      const checksum = produce(memory, frames, seed)
      const [result] = await answer
      t.deepEqual(result, { seen: frames, wrong: 0, checksum })
      await worker.terminate()
    },
  )
}

/** The consumer of stress.test.ts: checks every frame against the same random sequence. */
import { parentPort, workerData } from 'node:worker_threads'
import { RingReader } from '../../src/ring/ring.ts'
import { nextRandom, payloadBytes, word } from './stress-sequence.ts'

const { memory, frames, seed } = workerData as {
  memory: SharedArrayBuffer
  frames: number
  seed: number
}
const reader = new RingReader(memory)
let state = seed
let seen = 0
let wrong = 0
let checksum = 0

function onFrame(
  type: number,
  flags: number,
  actor: number,
  correlation: number,
  bytes: Buffer,
  at: number,
  length: number,
): void {
  state = nextRandom(state)
  if (length !== payloadBytes(state)) wrong++
  if (
    correlation !== seen ||
    actor !== state >>> 0 ||
    type !== 1 + (seen & 1023) ||
    flags !== (seen & 7)
  )
    wrong++
  for (let i = 0; i < length; i += 4) {
    const got = bytes.readUInt32LE(at + i)
    if (got !== word(state, i)) wrong++
    checksum = (checksum + got) | 0
  }
  seen++
}

while (seen < frames) reader.poll(onFrame, 512)
parentPort?.postMessage({ seen, wrong, checksum })

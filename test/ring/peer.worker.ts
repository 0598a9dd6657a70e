/** The other thread of the bus tests: thread 1, which does what the types of peer.ts say. */
import { workerData } from 'node:worker_threads'
import { BufferPool } from '../../src/ring/arena.ts'
import { type BusOptions, ThreadBus, type ThreadWiring } from '../../src/ring/bus.ts'
import * as does from './peer.ts'

const { wiring, options } = workerData as { wiring: ThreadWiring; options: BusOptions }

function sum(bytes: Buffer, at: number, length: number): number {
  let total = 0
  for (let i = at; i < at + length; i++) total = (total + (bytes[i] as number)) >>> 0
  return total
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function floodBack(from: number, correlation: number, requests: number): void {
  let answered = 0
  for (let n = 0; n < requests; n++) {
    bus.request(from, does.ECHO, n, Buffer.alloc(n % 700, n), () => {
      answered++
      if (answered === requests) bus.reply(from, correlation, does.FLOOD_BACK, u32(answered))
    })
  }
}

const bus = new ThreadBus(
  wiring,
  new BufferPool(),
  {
    onRequest(from, type, _actor, correlation, bytes, at, length) {
      const payload = bytes.subarray(at, at + length)
      switch (type) {
        case does.ECHO:
          return bus.reply(from, correlation, type, payload)
        case does.SUM_REFERENCE: {
          const memory = bus.resolve(from, bytes.readUInt32LE(at))
          const total = sum(memory, bytes.readUInt32LE(at + 4), bytes.readUInt32LE(at + 8))
          return bus.reply(from, correlation, type, u32(total))
        }
        case does.FLOOD_BACK:
          return floodBack(from, correlation, bytes.readUInt32LE(at))
        case does.REPLY_OF_LENGTH:
          return bus.reply(from, correlation, type, Buffer.alloc(bytes.readUInt32LE(at), 7))
        default:
          return
      }
    },
    onNotice(from, type, _actor, bytes, at) {
      if (type === does.CLOSE) bus.close()
      if (type !== does.STAND_STILL) return
      const memory = bus.resolve(from, bytes.readUInt32LE(at))
      Atomics.wait(new Int32Array(memory.buffer, memory.byteOffset, 1), 0, 0)
    },
  },
  { ...options, keepAlive: true },
)

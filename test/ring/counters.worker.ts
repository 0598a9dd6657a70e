/** The writer of counters.test.ts: moves a counter to and fro over multiples of 2^32. */
import { parentPort, workerData } from 'node:worker_threads'
import { CounterWriter } from '../../src/ring/counters.ts'

const { memory, names, values, rounds } = workerData as {
  memory: SharedArrayBuffer
  names: string[]
  values: number[]
  rounds: number
}
const counters = new CounterWriter(memory, names, 1)
for (let n = 0; n < rounds; n++) {
  counters.set(0, values[n % values.length] as number)
  counters.set(1, n * 0x1_0000_0001)
}
counters.set(2, 1)
parentPort?.postMessage('done')

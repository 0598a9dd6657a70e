import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import test from 'ava'
import fc from 'fast-check'
import {
  allocateCounters,
  CounterReader,
  CounterWriter,
  counterBlockBytes,
  loadCounter,
  storeCounter,
} from '../../src/ring/counters.ts'

const NAMES = ['level', 'total', 'done']

test('a counter holds every safe integer, whatever it held before', (t) => {
  const words = new Int32Array(new SharedArrayBuffer(16))
  const edges = fc.constantFrom(
    0,
    -1,
    2 ** 32,
    2 ** 32 - 1,
    -(2 ** 32),
    2 ** 31,
    2 ** 53 - 1,
    -(2 ** 53) + 1,
  )
  const value = fc.oneof(edges, fc.maxSafeInteger())
  const property = fc.property(value, (expected) => {
    storeCounter(words, 0, expected)
    t.is(loadCounter(words, 0), expected)
  })
  t.notThrows(() => fc.assert(property, { numRuns: 500 }))
  t.throws(() => storeCounter(words, 0, 2 ** 53), { message: /safe integer/ })
})

test('threads have their own lines, names their own counters, and sums go over threads', (t) => {
  t.is(counterBlockBytes(8), 128)
  t.is(counterBlockBytes(9), 256)
  const memory = allocateCounters(NAMES, 2)
  const [one, two] = [new CounterWriter(memory, NAMES, 0), new CounterWriter(memory, NAMES, 1)]
  one.set(0, 5)
  one.add(1, 7)
  two.add(1, 2 ** 40)
  const reader = new CounterReader(memory, NAMES)
  t.deepEqual(reader.all(0), { level: 5, total: 7, done: 0 })
  t.is(reader.sum(1), 2 ** 40 + 7)
  t.is(two.get(1), 2 ** 40)
  t.throws(() => one.add(3, 1), { message: /name/ })
  t.throws(() => new CounterWriter(memory, NAMES, 2), { message: /block/ })
})

test('a new writer goes on from what a dead one left, even half changed', (t) => {
  const memory = allocateCounters(NAMES, 1)
  new CounterWriter(memory, NAMES, 0).set(1, 2 ** 33 + 5)
  const words = new Int32Array(memory)
  words[4] = (words[4] as number) | 1
  const writer = new CounterWriter(memory, NAMES, 0)
  writer.add(1, 1)
  t.is(new CounterReader(memory, NAMES).get(0, 1), 2 ** 33 + 6)
})

test('a reader on another thread sees only values that the counter had', async (t) => {
  const memory = allocateCounters(NAMES, 2)
  const values = [0, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 7 * 2 ** 32 + 3, -1]
  const worker = new Worker(new URL('./counters.worker.js', import.meta.url), {
    workerData: { memory, names: NAMES, values, rounds: 1_000_000 },
  })
  const done = once(worker, 'message')
  await once(worker, 'online')
  const reader = new CounterReader(memory, NAMES)
  const legal = new Set(values)
  let total = 0
  let wrong = 0
  while (reader.get(1, 2) === 0) {
    if (!legal.has(reader.get(1, 0))) wrong++
    const next = reader.get(1, 1)
    if (next < total || next % 0x1_0000_0001 !== 0) wrong++
    total = next
  }
  t.is(wrong, 0)
  t.is(total % 0x1_0000_0001, 0)
  await done
  await worker.terminate()
})

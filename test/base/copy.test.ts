/** Copies of all lengths, between all kinds of memory. */
import test from 'ava'
import { copyBytes } from '../../src/base/copy.ts'
import { Seeded } from '../support/seeded.ts'

const BYTES = 10_000

test('what is copied is all of the source, and nothing beside it', (t) => {
  const random = new Seeded(4)
  const memories = {
    private: () => Buffer.alloc(BYTES, 1),
    shared: () => Buffer.from(new SharedArrayBuffer(BYTES)).fill(1),
  }
  for (const source of Object.values(memories)) {
    for (const target of Object.values(memories)) {
      for (const length of [0, 1, 2047, 2048, 2049, 5000, BYTES]) {
        const bytes = random.bytes(length)
        const lies = source()
        const from = random.between(0, BYTES - length)
        lies.set(bytes, from)
        const into = target()
        const at = random.between(0, BYTES - length)
        copyBytes(lies.subarray(from, from + length), into, at)
        t.true(into.subarray(at, at + length).equals(bytes))
        const beside = [into.subarray(0, at), into.subarray(at + length)]
        t.true(beside.every((rest) => rest.every((byte) => byte === 1)))
      }
    }
  }
})

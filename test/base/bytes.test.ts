import test from 'ava'
import fc from 'fast-check'
import { viewOf } from '../../src/base/bytes.ts'

test('a view is a Buffer of the same memory, as subarray makes it', (t) => {
  const memories = [new ArrayBuffer(64), new SharedArrayBuffer(64), Buffer.from('pooled').buffer]
  const places = fc.tuple(fc.constantFrom(...memories), fc.nat(32), fc.nat(32))
  fc.assert(
    fc.property(places, ([memory, at, length]) => {
      const view = viewOf(memory, at, length)
      t.true(Buffer.isBuffer(view))
      t.deepEqual(view, Buffer.from(memory).subarray(at, at + length))
      t.is(view.buffer, memory)
    }),
  )
  t.throws(() => viewOf(new ArrayBuffer(8), 4, 8), { instanceOf: RangeError })
})

import test from 'ava'
import fc from 'fast-check'
import { BufferPool, CopyArena, POOL_CLASS_BYTES, type PooledBuffer } from '../../src/ring/arena.ts'

const KIB = 1024

test('a buffer is reused last in, first out, in its size class', (t) => {
  const pool = new BufferPool()
  const [one, two] = [pool.take(1000), pool.take(64 * KIB)]
  t.is(one.bytes.length, 64 * KIB)
  t.true(one.bytes.buffer instanceof SharedArrayBuffer)
  pool.release(one)
  pool.release(two)
  t.is(pool.take(1), two)
  t.is(pool.take(1), one)
  t.is(pool.take(64 * KIB + 1).bytes.length, 256 * KIB)
})

test('a pool that is not shared has ordinary memory', (t) => {
  t.true(new BufferPool({ shared: false }).take(1).bytes.buffer instanceof ArrayBuffer)
})

test('a buffer comes back after its last reference, and not twice', (t) => {
  const pool = new BufferPool()
  const buffer = pool.take(1)
  pool.retain(buffer, 2)
  pool.release(buffer)
  pool.release(buffer, 2)
  t.is(pool.bytesInUse, 0)
  t.is(pool.bytesIdle, 64 * KIB)
  t.throws(() => pool.release(buffer), { message: /once/ })
  t.throws(() => pool.retain(buffer), { message: /nobody holds/ })
})

test('idle bytes are bounded; the rest is dropped and said so', (t) => {
  const pool = new BufferPool({ idleBytesMax: 128 * KIB })
  const dropped: number[] = []
  const stop = pool.onDrop((id) => dropped.push(id))
  const buffers = [pool.take(1), pool.take(1), pool.take(1)]
  for (const buffer of buffers) pool.release(buffer)
  t.deepEqual(dropped, [buffers[2]?.id])
  t.is(pool.bytesIdle, 128 * KIB)
  pool.trim()
  t.is(pool.bytesIdle, 0)
  t.is(pool.dropped, 3)
  stop()
  pool.release(pool.take(POOL_CLASS_BYTES.at(-1) as number))
  t.is(dropped.length, 3)
})

test('a buffer beyond all classes is made to measure and never kept', (t) => {
  const pool = new BufferPool({ idleBytesMax: 2 ** 31 })
  const bytes = 128 * KIB * KIB + 1
  const buffer = pool.take(bytes)
  t.is(buffer.bytes.length, bytes)
  pool.release(buffer)
  t.is(pool.bytesIdle, 0)
})

test('copies do not overlap, keep their bytes until released, and the memory comes back', (t) => {
  type Copy = { buffer: PooledBuffer; offset: number; bytes: Uint8Array }
  const step = fc.oneof(
    fc.uint8Array({ maxLength: 3000 }).map((bytes) => ({ bytes })),
    fc.nat(50).map((pick) => ({ pick })),
  )
  const property = fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
    const pool = new BufferPool()
    const arena = new CopyArena(pool, 2048)
    const live: Copy[] = []
    const check = ({ buffer, offset, bytes }: Copy) =>
      Buffer.compare(buffer.bytes.subarray(offset, offset + bytes.length), bytes) === 0
    for (const now of steps) {
      if ('bytes' in now) {
        live.push({ buffer: arena.copy(now.bytes), offset: arena.offset, bytes: now.bytes })
      } else if (live.length > 0) {
        const [done] = live.splice(now.pick % live.length, 1)
        pool.release((done as Copy).buffer)
      }
      t.true(live.every(check))
    }
    for (const { buffer } of live) pool.release(buffer)
    arena.close()
    t.is(pool.bytesInUse, 0)
  })
  t.notThrows(() => fc.assert(property, { numRuns: 100 }))
})

test('buffers that nobody needed for a while are let go, those that were used stay', (t) => {
  const pool = new BufferPool({ idleBytesMax: 1024 * 1024 * KIB })
  const dropped: number[] = []
  pool.onDrop((id) => dropped.push(id))
  const take = (count: number) => Array.from({ length: count }, () => pool.take(1024 * KIB))
  const releaseAll = (buffers: readonly PooledBuffer[]) => {
    for (const buffer of buffers) pool.release(buffer)
  }
  releaseAll(take(60))
  pool.settle()
  t.is(dropped.length, 0, 'they came back just now')
  releaseAll(take(30))
  pool.settle()
  const size = (1024 + 64) * KIB
  // Thirty were not needed, of which 16 MiB stay.
  t.is(dropped.length, 30 - Math.ceil((16 * 1024 * KIB) / size))
  t.is(pool.bytesDropped, dropped.length * size)
  t.is(pool.bytesIdle, (60 - dropped.length) * size)
})

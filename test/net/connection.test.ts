import test from 'ava'
import fc from 'fast-check'
import type { PooledBuffer } from '../../src/ring/arena.ts'
import { bodyOf, FakeShard, framed } from './fake-socket.ts'

const MIB = 1024 * 1024

const sizes = fc.array(
  fc.oneof(
    fc.integer({ min: 8, max: 60 }),
    fc.integer({ min: 8, max: 3000 }),
    fc.constantFrom(20_000, 100_000),
  ),
  { minLength: 1, maxLength: 12 },
)

const chunks = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 50_000 })),
  {
    minLength: 1,
    maxLength: 20,
  },
)

test('however the bytes are cut, the frames are those that were sent', (t) => {
  fc.assert(
    fc.property(sizes, chunks, (all, cuts) => {
      const bodies = all.map(bodyOf)
      const shard = new FakeShard()
      let turn = 0
      const left = shard.feed(
        Buffer.concat(bodies.map(framed)),
        () => cuts[turn++ % cuts.length] as number,
      )
      t.is(left.length, 0)
      t.true(Buffer.concat(shard.frames).equals(Buffer.concat(bodies)))
      t.is(shard.frames.length, bodies.length)
      t.is(shard.pool.bytesInUse, 0)
      shard.pool.check()
    }),
  )
})

test('frames wait while they may not start, and nothing is lost, doubled or written into others’ memory', (t) => {
  const schedule = fc.array(
    fc.constantFrom(
      'feed',
      'feed',
      'starve',
      'nourish',
      'allow',
      'refuse',
      'resume',
      'retain',
      'release',
    ),
    {
      minLength: 5,
      maxLength: 60,
    },
  )
  fc.assert(
    fc.property(sizes, chunks, schedule, (all, cuts, steps) => {
      const bodies = all.map(bodyOf)
      const shard = new FakeShard({ scratchBytes: 32 * 1024 })
      const retained: { view: Buffer; was: Buffer; pooled: PooledBuffer }[] = []
      let allowed = true
      let retaining = false
      shard.mayStartNext = () => allowed
      shard.onFrameDo = (view, pooled) => {
        if (!retaining || pooled === undefined) return
        shard.pool.retain(pooled)
        retained.push({ view, was: Buffer.from(view), pooled })
      }
      const giveBack = () => {
        for (const { view, was, pooled } of retained.splice(0)) {
          t.true(view.equals(was))
          shard.pool.release(pooled)
        }
      }
      let left: Buffer = Buffer.concat(bodies.map(framed))
      let turn = 0
      for (const step of steps) {
        if (step === 'allow') allowed = true
        else if (step === 'refuse') allowed = false
        else if (step === 'starve') shard.admitNext = () => false
        else if (step === 'nourish') shard.admitNext = () => true
        else if (step === 'resume') shard.connection.resume()
        else if (step === 'retain') retaining = true
        else if (step === 'release') giveBack()
        else left = left.subarray(shard.readFrom(left, cuts[turn++ % cuts.length] as number))
        shard.pool.check()
      }
      allowed = true
      shard.admitNext = () => true
      shard.connection.resume()
      left = shard.feed(left, () => cuts[turn++ % cuts.length] as number)
      t.is(left.length, 0)
      t.true(Buffer.concat(shard.frames).equals(Buffer.concat(bodies)))
      t.is(shard.frames.length, bodies.length)
      giveBack()
      t.is(shard.pool.bytesInUse, 0)
      shard.pool.check()
    }),
    { numRuns: 100 },
  )
})

test('a frame that may not start stops the reading, and goes on behind resume', (t) => {
  const shard = new FakeShard()
  shard.mayStartNext = () => shard.frames.length < 1
  const stream = Buffer.concat([1, 2, 3].map((seed) => framed(bodyOf(20, seed))))
  shard.feed(stream)
  t.is(shard.frames.length, 1)
  t.true(shard.socket.paused)
  shard.connection.resume()
  t.is(shard.frames.length, 1)
  t.true(shard.socket.paused)
  shard.mayStartNext = () => true
  shard.connection.resume()
  t.is(shard.frames.length, 3)
  t.false(shard.socket.paused)
  t.is(shard.connection.heldBytes, 0)
})

test('a connection that sends without end lets others have a turn, and then goes on', async (t) => {
  const shard = new FakeShard()
  const stream = Buffer.concat(Array.from({ length: 40 }, (_, i) => framed(bodyOf(100_000, i))))
  // An answer that leaves in the same turn must not bring the reading back before the others.
  shard.onFrameDo = () => {
    shard.connection.send([Buffer.alloc(10)], undefined)
    shard.socket.drain()
  }
  let left = shard.feed(stream)
  t.true(shard.socket.paused)
  t.true(shard.frames.length >= 10 && shard.frames.length < 20)
  for (let turn = 0; turn < 10 && left.length > 0; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    left = shard.feed(left)
  }
  t.is(left.length, 0)
  t.is(shard.frames.length, 40)
})

test('a peer that takes no answers is not served further', (t) => {
  const shard = new FakeShard()
  let sent = 0
  shard.onFrameDo = () => shard.connection.send([Buffer.alloc(100_000)], () => sent++)
  shard.feed(Buffer.concat(Array.from({ length: 10 }, (_, i) => framed(bodyOf(20, i)))))
  t.is(shard.frames.length, 3)
  t.true(shard.socket.paused)
  t.is(sent, 0)
  while (shard.socket.writableLength > 0) shard.socket.drain()
  t.is(shard.frames.length, 10)
  t.is(sent, 10)
  t.false(shard.socket.paused)
})

for (const bytes of [1000, 100_000, 300_000]) {
  test(`it is served again once it takes them, of ${bytes} bytes and asked by nobody`, (t) => {
    const shard = new FakeShard({ scratchBytes: 32 * 1024 })
    shard.onFrameDo = () => shard.connection.send([Buffer.alloc(bytes)], undefined)
    const requests = Array.from({ length: 1000 }, (_, i) => framed(bodyOf(20, i)))
    shard.feed(Buffer.concat(requests))
    t.true(shard.socket.paused)
    t.true(shard.socket.writableLength < 256 * 1024 + bytes + 1)
    while (shard.socket.writableLength > 0) shard.socket.drain()
    t.is(shard.frames.length, 1000)
    t.false(shard.socket.paused)
  })
}

test('a frame that announces much and sends little holds little', (t) => {
  const shard = new FakeShard()
  const size = Buffer.alloc(4)
  size.writeInt32BE(90 * MIB)
  shard.feed(Buffer.concat([size, Buffer.alloc(30)]))
  t.true(shard.connection.heldBytes <= 2 * MIB)
  shard.feed(Buffer.alloc(MIB))
  t.true(shard.connection.heldBytes <= 8 * MIB)
  t.true(shard.connection.stalled)
  shard.connection.close('enough')
  t.is(shard.pool.bytesInUse, 0)
  t.true(shard.pool.bytesMax <= 16 * MIB)
})

test('a frame for which there is no memory waits until there is some', (t) => {
  const shard = new FakeShard()
  const body = bodyOf(5 * MIB, 3)
  let left: Buffer = framed(body)
  shard.admitNext = (bytes) => bytes < 2 * MIB
  left = shard.feed(left)
  t.true(left.length > 0)
  t.true(shard.socket.paused)
  shard.connection.resume()
  t.true(shard.socket.paused)
  shard.admitNext = () => true
  shard.connection.resume()
  t.is(shard.feed(left).length, 0)
  t.true(shard.frames[0]?.equals(body))
  t.is(shard.pool.bytesInUse, 0)
})

test('a connection that is admitted no memory at all holds what it was sent, no more', (t) => {
  const shard = new FakeShard()
  shard.admitNext = () => false
  const left = shard.feed(framed(bodyOf(50_000, 1)))
  t.true(shard.socket.paused)
  t.true(shard.connection.heldBytes <= 64 * 1024)
  shard.admitNext = () => true
  shard.connection.resume()
  t.is(shard.feed(left).length, 0)
  t.true(shard.frames[0]?.equals(bodyOf(50_000, 1)))
})

for (const size of [-1, 0, 7, 101, 0x7fffffff, -0x80000000]) {
  test(`a frame that announces ${size} bytes ends the connection`, (t) => {
    const shard = new FakeShard({ frameBytesMax: 100 })
    const bytes = Buffer.alloc(30)
    bytes.writeInt32BE(size)
    shard.feed(Buffer.concat([framed(bodyOf(9, 1)), bytes]))
    t.is(shard.frames.length, 1)
    t.true(shard.socket.destroyed)
    t.is(shard.closedCount, 1)
    t.is(shard.messages.length, 1)
    t.is(shard.pool.bytesInUse, 0)
  })
}

test('closing within a frame ends the parsing, and gives all memory back', (t) => {
  for (const scratchBytes of [64, 4096]) {
    const shard = new FakeShard({ scratchBytes })
    shard.onFrameDo = () => {
      if (shard.frames.length === 2) shard.connection.close('no more')
    }
    shard.feed(Buffer.concat([1, 2, 3, 4].map((seed) => framed(bodyOf(200, seed)))))
    t.is(shard.frames.length, 2)
    t.is(shard.closedCount, 1)
    t.is(shard.pool.bytesInUse, 0)
    t.false(shard.connection.onRead(shard.scratch, 10))
  }
})

test('an answer to a closed connection is counted as sent, once', (t) => {
  const shard = new FakeShard()
  let sent = 0
  shard.connection.send([Buffer.alloc(5)], () => sent++)
  shard.connection.close(undefined)
  t.is(sent, 1)
  shard.connection.send([Buffer.alloc(5)], () => sent++)
  t.is(sent, 2)
  t.deepEqual(shard.messages, [])
})

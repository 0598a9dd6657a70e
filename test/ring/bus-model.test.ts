/** Two buses on one thread, driven by hand: every interleaving of calls and polls can be had. */
import { setImmediate } from 'node:timers/promises'
import test from 'ava'
import fc from 'fast-check'
import { BufferPool } from '../../src/ring/arena.ts'
import { ThreadBus } from '../../src/ring/bus.ts'
import { type BusLimits, type ThreadWiring, wireThreads } from '../../src/ring/wiring.ts'

// The smallest ring that these credits allow, so that it is full all the time.
const LIMITS: BusLimits = { ringBytes: 8192, creditsMax: 12, inlineBytesMax: 512 }

type Held = { correlation: number; n: number }
type Side = {
  bus: ThreadBus
  pool: BufferPool
  held: Held[]
  received: number[]
  answers: number[]
  sent: number
  asked: number
}

function pair(
  limits: Partial<BusLimits>,
  framesPerPollMax: number,
): { sides: Side[]; close(): void } {
  const sides = wireThreads(2, limits).map((wiring) => makeSide(wiring, framesPerPollMax))
  const close = () => {
    for (const side of sides) side.bus.close()
  }
  return { sides, close }
}

function makeSide(wiring: ThreadWiring, framesPerPollMax: number): Side {
  const pool = new BufferPool()
  const handlers = {
    onRequest(_from: number, _type: number, actor: number, correlation: number) {
      side.received.push(actor)
      side.held.push({ correlation, n: actor })
    },
    onNotice(_from: number, _type: number, actor: number) {
      side.received.push(actor)
    },
  }
  const bus = new ThreadBus(wiring, pool, handlers, { framesPerPollMax })
  const side: Side = { bus, pool, held: [], received: [], answers: [], sent: 0, asked: 0 }
  return side
}

function send(side: Side, bytes: number, wantsReply: boolean): void {
  const to = 1 - side.bus.thread
  const n = side.sent++
  if (!wantsReply) {
    side.bus.notice(to, 1, n, Buffer.alloc(bytes))
    return
  }
  side.asked++
  side.bus.request(to, 1, n, Buffer.alloc(bytes), (status, _type, memory, at) => {
    if (status === 'ok') side.answers.push(memory.readUInt32LE(at))
  })
}

function answer(side: Side, pick: number, bytes: number): void {
  if (side.held.length === 0) return
  const [held] = side.held.splice(pick % side.held.length, 1)
  const payload = Buffer.alloc(Math.max(4, bytes))
  payload.writeUInt32LE((held as Held).n)
  side.bus.reply(1 - side.bus.thread, (held as Held).correlation, 1, payload)
}

const arbitraryBytes = fc.oneof(fc.nat(40), fc.constant(512), fc.integer({ min: 400, max: 3000 }))
const arbitraryStep = fc.record({
  who: fc.integer({ min: 0, max: 1 }),
  what: fc.constantFrom('ask', 'ask', 'tell', 'answer', 'answer', 'poll'),
  bytes: arbitraryBytes,
  pick: fc.nat(100),
})

test('all that was sent arrives once and in order, however calls interleave', (t) => {
  const property = fc.property(
    fc.array(arbitraryStep, { maxLength: 400 }),
    fc.integer({ min: 1, max: 20 }),
    (steps, framesPerPollMax) => {
      const { sides, close } = pair(LIMITS, framesPerPollMax)
      for (const { who, what, bytes, pick } of steps) {
        const side = sides[who] as Side
        if (what === 'poll') side.bus.poll()
        else if (what === 'answer') answer(side, pick, bytes)
        else send(side, bytes, what === 'ask')
      }
      settle(sides)
      for (const side of sides) {
        const other = sides[1 - side.bus.thread] as Side
        t.deepEqual(other.received, [...Array(side.sent).keys()])
        t.is(new Set(side.answers).size, side.asked)
        t.is(side.answers.length, side.asked)
        t.true(side.pool.bytesInUse <= 256 * 1024, 'what crossed by reference was released')
      }
      close()
    },
  )
  t.notThrows(() => fc.assert(property, { numRuns: 150 }))
})

// Polls and answers until nothing moves any more.
function settle(sides: readonly Side[]): void {
  for (let moved = 1; moved > 0; ) {
    moved = 0
    for (const side of sides) {
      moved += side.bus.poll()
      for (; side.held.length > 0; moved++) answer(side, 0, 600)
    }
  }
}

// The other side works while this one is inside a poll and has not yet said what it has read: what
// a real thread can do at any moment, at the worst moment.
function askAgainInside(one: Side, two: Side, times: number): void {
  if (times === 0) return
  one.asked++
  one.bus.request(1, 1, one.sent++, Buffer.alloc(8), (_status, _type, memory, at) => {
    one.answers.push(memory.readUInt32LE(at))
    askAgainInside(one, two, times - 1)
    two.bus.poll()
    while (two.held.length > 0) answer(two, 0, 512)
  })
}

test('a reply has room in a ring full of notices, whenever credit comes back', (t) => {
  const property = fc.property(
    fc.array(fc.nat(512), { maxLength: 40 }),
    fc.array(fc.integer({ min: 0, max: 512 }), { minLength: 1, maxLength: 5 }),
    fc.integer({ min: 1, max: 20 }),
    fc.nat(3),
    (before, sizes, framesPerPollMax, again) => {
      const { sides, close } = pair(LIMITS, framesPerPollMax)
      const [one, two] = sides as [Side, Side]
      for (const bytes of before) {
        send(two, bytes, false)
        one.bus.poll()
      }
      for (let n = 0; n < LIMITS.creditsMax; n++) askAgainInside(one, two, 1 + again)
      two.bus.poll()
      for (let n = 0; two.bus.backlog(0) < 20; n++)
        send(two, sizes[n % sizes.length] as number, false)
      while (two.held.length > 0) answer(two, 0, 512)
      settle(sides)
      t.is(one.answers.length, LIMITS.creditsMax * (1 + again))
      t.deepEqual(one.received, [...Array(two.sent).keys()])
      close()
    },
  )
  t.notThrows(() => fc.assert(property, { numRuns: 200 }))
})

test('credit is a bound on what is unanswered; what exceeds it waits and keeps its order', (t) => {
  const { sides, close } = pair({ creditsMax: 3 }, 256)
  const [one, two] = sides as [Side, Side]
  for (let n = 0; n < 5; n++) send(one, 8, true)
  send(one, 8, false)
  t.is(one.bus.unanswered(1), 3)
  t.is(one.bus.backlog(1), 3)
  two.bus.poll()
  t.deepEqual(two.received, [0, 1, 2])
  answer(two, 1, 8)
  one.bus.poll()
  two.bus.poll()
  t.deepEqual(two.received, [0, 1, 2, 3], 'the notice does not pass the request before it')
  settle(sides)
  t.deepEqual(two.received, [0, 1, 2, 3, 4, 5])
  t.is(one.bus.counts().backlogged, 3)
  close()
})

test('a shared buffer is known until it is dropped, and then forgotten', (t) => {
  const { sides, close } = pair({}, 256)
  const [one, two] = sides as [Side, Side]
  const buffer = one.pool.take(10)
  one.bus.share(1, buffer)
  buffer.bytes[9] = 42
  t.is(two.bus.resolve(0, buffer.id)[9], 42)
  one.pool.release(buffer)
  t.notThrows(() => two.bus.resolve(0, buffer.id), 'idle is not dropped')
  one.pool.trim()
  // Looking for a buffer that nobody shared reads all that stands in the port.
  t.throws(() => two.bus.resolve(0, buffer.id + 1), { message: /shared before/ })
  t.throws(() => two.bus.resolve(0, buffer.id), { message: /shared before/ })
  close()
})

test('a bell that is met while looking for shared memory still wakes', async (t) => {
  const { sides, close } = pair({}, 256)
  const [one, two] = sides as [Side, Side]
  const parked = () => sides.every((side) => side.bus.counts().parkings > 0)
  for (let turns = 0; turns < 1000 && !parked(); turns++) await setImmediate()
  t.true(parked())
  send(one, 8, false)
  const buffer = one.pool.take(1)
  one.bus.share(1, buffer)
  two.bus.resolve(0, buffer.id)
  t.is(one.bus.counts().bellsRung, 1)
  for (let turns = 0; turns < 1000 && two.received.length === 0; turns++) await setImmediate()
  t.deepEqual(two.received, [0])
  close()
})

test('a request that is answered twice is our bug', (t) => {
  const { sides, close } = pair({}, 256)
  const [one, two] = sides as [Side, Side]
  send(one, 8, true)
  two.bus.poll()
  const { correlation } = two.held[0] as Held
  for (let n = 0; n < 2; n++) two.bus.reply(0, correlation, 1, Buffer.alloc(4))
  t.throws(() => one.bus.poll(), { message: /answered once/ })
  close()
})

test('a handler that throws loses its own frame only', (t) => {
  const wirings = wireThreads(2) as [ThreadWiring, ThreadWiring]
  const got: number[] = []
  const onNotice = (_from: number, type: number) => {
    got.push(type)
    if (type === 2) throw new Error('ours')
  }
  const pool = new BufferPool()
  const sender = new ThreadBus(wirings[0], pool, { onRequest() {}, onNotice() {} })
  const receiver = new ThreadBus(wirings[1], new BufferPool(), { onRequest() {}, onNotice })
  for (const type of [1, 2, 3]) sender.notice(1, type, 0, Buffer.alloc(1000))
  t.throws(() => receiver.poll(), { message: 'ours' })
  receiver.poll()
  sender.poll()
  t.deepEqual(got, [1, 2, 3])
  t.is(pool.bytesInUse, 256 * 1024, 'the reference of the frame that threw is released too')
  sender.close()
  receiver.close()
  t.is(pool.bytesInUse, 0)
})

test('limits under which a reply might not have room are refused', (t) => {
  t.throws(() => wireThreads(2, { ringBytes: 8192, creditsMax: 14 }), { message: /all replies/ })
  t.throws(() => wireThreads(2, { ringBytes: 4096, creditsMax: 1 }), { message: /eighth/ })
  t.throws(() => wireThreads(2, { creditsMax: 5000, ringBytes: 1 << 24 }), { message: /4096/ })
})

test('one thread alone has nobody to talk to and nothing to close', (t) => {
  const [wiring] = wireThreads(1) as [ThreadWiring]
  const bus = new ThreadBus(wiring, new BufferPool(), { onRequest() {}, onNotice() {} })
  t.throws(() => bus.request(0, 1, 0, Buffer.alloc(0), () => t.fail()), {
    message: /other threads/,
  })
  t.is(bus.poll(), 0)
  bus.close()
})

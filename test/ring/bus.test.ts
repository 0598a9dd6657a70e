import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import test from 'ava'
import { REFERENCE_BYTES, writeReference } from '../../src/ring/bus.ts'
import { type LinkWiring, rewireThread } from '../../src/ring/wiring.ts'
import * as does from './peer.ts'
import { ask, startPeer, startWorker } from './peer.ts'

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

test('a request comes back from another thread with its bytes, whatever its size', async (t) => {
  const peer = startPeer({}, {}, {})
  const sizes = [0, 1, 511, 512, 513, 4096, 262_144, 262_145, 3_000_000]
  const replies = await Promise.all(
    sizes.map((size) => ask(peer.bus, does.ECHO, Buffer.alloc(size, size & 255))),
  )
  for (const [index, reply] of replies.entries()) {
    const size = sizes[index] as number
    t.is(reply.status, 'ok')
    t.true(reply.bytes.equals(Buffer.alloc(size, size & 255)), `size ${size}`)
  }
  await peer.stop()
})

test('memory that carried long payloads comes back to its pool', async (t) => {
  const peer = startPeer({}, {}, {})
  for (let round = 0; round < 20; round++) {
    await Promise.all(
      Array.from({ length: 50 }, () => ask(peer.bus, does.ECHO, Buffer.alloc(40_000))),
    )
  }
  // A release follows the reply at the latest in the turn after; one more round trip is after that.
  await ask(peer.bus, does.ECHO, Buffer.alloc(1))
  await ask(peer.bus, does.ECHO, Buffer.alloc(1))
  t.true(peer.pool.bytesInUse <= 256 * 1024, 'only the chunk that the arena fills is in use')
  t.true(peer.pool.allocated < 60, 'and buffers are used again')
  await peer.stop()
})

test('requests beyond credit wait in order, and all are answered', async (t) => {
  const peer = startPeer({ creditsMax: 4 }, {}, {})
  const order: number[] = []
  const echoes = Array.from({ length: 40 }, async (_, n) => {
    const reply = await ask(peer.bus, does.ECHO, u32(n))
    order.push(reply.bytes.readUInt32LE())
  })
  t.is(peer.bus.unanswered(1), 4)
  t.is(peer.bus.backlog(1), 36)
  t.is(peer.bus.counts().backlogged, 36)
  await Promise.all(echoes)
  t.deepEqual(
    order,
    Array.from({ length: 40 }, (_, n) => n),
  )
  t.is(peer.bus.backlog(1), 0)
  await peer.stop()
})

test('a reply may be longer than the ring', async (t) => {
  const peer = startPeer({ ringBytes: 8192, creditsMax: 4 }, {}, {})
  for (const size of [10_000, 100_000, 5_000_000]) {
    const reply = await ask(peer.bus, does.REPLY_OF_LENGTH, u32(size))
    t.true(reply.bytes.equals(Buffer.alloc(size, 7)))
  }
  await peer.stop()
})

test('two threads that flood each other through full rings both finish', async (t) => {
  const received: number[] = []
  const peer = startPeer(
    { ringBytes: 8192, creditsMax: 4 },
    {},
    {
      onRequest(from, type, actor, correlation, bytes, at, length) {
        received.push(actor)
        peer.bus.reply(from, correlation, type, bytes.subarray(at, at + length))
      },
    },
  )
  const requests = 20_000
  const flooded = ask(peer.bus, does.FLOOD_BACK, u32(requests))
  const echoes = Array.from({ length: requests }, (_, n) =>
    ask(peer.bus, does.ECHO, Buffer.alloc(n % 700, n)),
  )
  const replies = await Promise.all(echoes)
  t.true(replies.every(({ bytes }, n) => bytes.equals(Buffer.alloc(n % 700, n))))
  t.is((await flooded).bytes.readUInt32LE(), requests)
  t.deepEqual(
    received,
    Array.from({ length: requests }, (_, n) => n),
    'in the order of sending',
  )
  await peer.stop()
})

test('a batch goes by reference, also when its buffer is new to the peer', async (t) => {
  const peer = startPeer({}, {}, {})
  for (let round = 1; round <= 30; round++) {
    const buffer = peer.pool.take(round % 2 === 0 ? 60_000 : 600_000)
    buffer.bytes.fill(0)
    buffer.bytes.fill(round, 100, 300)
    peer.bus.share(1, buffer)
    const payload = Buffer.alloc(REFERENCE_BYTES)
    writeReference(payload, 0, { id: buffer.id, offset: 100, length: 400 })
    const reply = await ask(peer.bus, does.SUM_REFERENCE, payload)
    t.is(reply.bytes.readUInt32LE(), round * 200)
    peer.pool.release(buffer)
    // A dropped buffer is forgotten there; the next has another id.
    if (round % 7 === 0) peer.pool.trim()
  }
  t.is(peer.pool.bytesInUse, 0)
  await peer.stop()
})

test('no wake-up is lost between threads that park at every chance', async (t) => {
  const peer = startPeer({}, { pollsEmptyMax: 1 }, {})
  let state = 12345
  for (let round = 0; round < 20_000; round++) {
    const reply = await ask(peer.bus, does.ECHO, u32(round))
    if (reply.bytes.readUInt32LE() !== round) t.fail()
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    // A pause of random length, so that the publishing meets every moment of the parking.
    for (let spin = (state >>> 16) & 0xfff; spin > 0; spin--) Math.imul(spin, state)
  }
  const { parkings, bellsRung } = peer.bus.counts()
  t.true(parkings > 0, 'this thread did park')
  t.true(bellsRung > 0, 'and so did the other')
  await peer.stop()
})

test.serial(
  'a sender that sleeps with a backlog is woken when its peer has made room',
  async (t) => {
    const peer = startPeer({ ringBytes: 8192, creditsMax: 4 }, { pollsEmptyMax: 1 }, {})
    const buffer = peer.pool.take(4)
    const flag = new Int32Array(buffer.bytes.buffer, 0, 1)
    flag[0] = 0
    peer.bus.share(1, buffer)
    const payload = Buffer.alloc(REFERENCE_BYTES)
    writeReference(payload, 0, { id: buffer.id, offset: 0, length: 4 })
    peer.bus.notice(1, does.STAND_STILL, 0, payload)
    for (let n = 0; n < 200; n++) peer.bus.notice(1, does.ECHO, n, Buffer.alloc(400))
    const last = ask(peer.bus, does.ECHO, u32(5))
    while (peer.bus.counts().parkings === 0) await setImmediate()
    t.true(peer.bus.backlog(1) > 100)
    t.false(process.getActiveResourcesInfo().includes('Immediate'), 'asleep: nothing is scheduled')
    Atomics.store(flag, 0, 1)
    Atomics.notify(flag, 0)
    t.is((await last).bytes.readUInt32LE(), 5)
    t.is(peer.bus.backlog(1), 0)
    await peer.stop()
  },
)

test('a closed bus leaves nothing that keeps its thread running', async (t) => {
  const peer = startPeer({}, {}, {})
  t.is((await ask(peer.bus, does.ECHO, u32(1))).status, 'ok')
  const exit = once(peer.worker, 'exit')
  peer.bus.notice(1, does.CLOSE, 0, new Uint8Array(0))
  t.deepEqual(await exit, [0])
  peer.bus.close()
  peer.bus.close()
  t.pass()
})

test('when a peer dies, requests sent or waiting are lost and memory comes back', async (t) => {
  const peer = startPeer({ creditsMax: 4 }, {}, {})
  t.is((await ask(peer.bus, does.ECHO, u32(1))).status, 'ok')
  const never = Array.from({ length: 10 }, () =>
    ask(peer.bus, does.NEVER_ANSWERED, Buffer.alloc(2000)),
  )
  await peer.worker.terminate()
  peer.bus.peerLost(1)
  t.deepEqual(new Set((await Promise.all(never)).map((reply) => reply.status)), new Set(['lost']))
  t.is(peer.bus.backlog(1), 0)
  t.is((await ask(peer.bus, does.ECHO, u32(1))).status, 'lost', 'nobody is there')
  t.true(peer.pool.bytesInUse <= 256 * 1024)
  await peer.stop()
})

test('a restarted peer is talked to; a late reply to the dead one goes nowhere', async (t) => {
  const late: { from: number; correlation: number }[] = []
  const hold = (from: number, _type: number, _actor: number, correlation: number) => {
    late.push({ from, correlation })
    peer.worker.emit('held')
  }
  const peer = startPeer({}, {}, { onRequest: hold })
  const held = once(peer.worker, 'held')
  const lost = ask(peer.bus, does.FLOOD_BACK, u32(1))
  await held
  await peer.worker.terminate()
  const { wiring, links } = rewireThread(peer.wirings, 1)
  peer.bus.rewire(1, links.get(0) as LinkWiring)
  t.is((await lost).status, 'lost')
  const successor = startWorker(wiring, {})
  for (const { from, correlation } of late) peer.bus.reply(from, correlation, 1, u32(1))
  t.is(peer.bus.counts().repliesDropped, 1)
  const reply = await ask(peer.bus, does.ECHO, u32(99))
  t.is(reply.bytes.readUInt32LE(), 99)
  await successor.terminate()
  await peer.stop()
})

test('a thread does not talk to itself', async (t) => {
  const peer = startPeer({}, {}, {})
  t.throws(() => peer.bus.notice(0, 1, 0, new Uint8Array(0)), { message: /other threads/ })
  await peer.stop()
})

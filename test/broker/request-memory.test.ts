import test from 'ava'
import { type MemoryHolder, RequestMemory } from '../../src/broker/request-memory.ts'

const MIB = 1024 * 1024
const BYTES_MAX = 10 * MIB

class Holder implements MemoryHolder {
  heldBytes = 0
  unsentBytes = 0
  waitingSinceMs = 0
  closed: string | undefined
  readonly #bench: Bench
  readonly #wants: number

  constructor(bench: Bench, wants: number) {
    this.#bench = bench
    this.#wants = wants
  }

  resume(): void {
    if (!this.#bench.memory.admit(this, this.#wants, this.#bench.nowMs)) return
    this.heldBytes += this.#wants
    this.#bench.bytesInUse += this.#wants
  }

  close(reason: string): void {
    this.closed = reason
    this.#bench.memory.forget(this)
    this.#bench.bytesInUse -= this.heldBytes
    this.heldBytes = 0
  }
}

class Bench {
  nowMs = 0
  bytesInUse = 0
  readonly memory = new RequestMemory({
    bytesInUse: () => this.bytesInUse,
    bytesMax: () => BYTES_MAX,
  })

  holder(wants: number): Holder {
    const holder = new Holder(this, wants)
    holder.resume()
    return holder
  }
}

test('memory goes to who came first when some is free again', (t) => {
  const bench = new Bench()
  const first = bench.holder(8 * MIB)
  const second = bench.holder(4 * MIB)
  const third = bench.holder(2 * MIB)
  t.is(second.heldBytes, 0)
  t.is(third.heldBytes, 0, 'there is room for it, but another waits')
  first.close('done')
  bench.memory.serve()
  t.is(second.heldBytes, 4 * MIB)
  t.is(third.heldBytes, 2 * MIB)
  t.false(bench.memory.isShort)
})

test('who is resumed and asks for nothing does not keep its turn', (t) => {
  const bench = new Bench()
  const first = bench.holder(10 * MIB)
  const second = bench.holder(4 * MIB)
  const third = bench.holder(2 * MIB)
  second.resume = () => {}
  first.close('done')
  bench.memory.serve()
  t.is(third.heldBytes, 2 * MIB)
  t.false(bench.memory.isShort)
})

test('short requests never wait', (t) => {
  const bench = new Bench()
  bench.holder(10 * MIB)
  t.is(bench.holder(64 * 1024).heldBytes, 64 * 1024)
})

test('who has not got on gives way, oldest first, and no more than is needed', (t) => {
  const bench = new Bench()
  const old = bench.holder(4 * MIB)
  const older = bench.holder(4 * MIB)
  const young = bench.holder(2 * MIB)
  older.waitingSinceMs = -10
  young.waitingSinceMs = 3500
  bench.nowMs = 3000
  const waiting = bench.holder(3 * MIB)
  const all = [old, older, young, waiting]
  bench.memory.makeRoom(all, 3500)
  t.deepEqual([old.closed, older.closed], [undefined, undefined], 'nobody has waited for long')
  bench.memory.makeRoom(all, 4000)
  t.regex(older.closed ?? '', /memory is short/)
  t.deepEqual([old.closed, young.closed], [undefined, undefined])
  t.is(waiting.heldBytes, 3 * MIB)
})

test('who does not take its answers gives way too', (t) => {
  const bench = new Bench()
  bench.bytesInUse = 10 * MIB
  const reader = new Holder(bench, 0)
  reader.unsentBytes = 1
  const waiting = bench.holder(MIB)
  bench.memory.makeRoom([reader, waiting], 2000)
  t.regex(reader.closed ?? '', /memory is short/)
})

test('who waits for its first memory is not blamed for waiting', (t) => {
  const bench = new Bench()
  const holder = bench.holder(10 * MIB)
  holder.waitingSinceMs = 4500
  const waiting = bench.holder(MIB)
  waiting.heldBytes = 64 * 1024
  bench.memory.makeRoom([holder, waiting], 5000)
  t.is(waiting.closed, undefined)
  bench.memory.makeRoom([holder, waiting], 7000)
  t.is(waiting.closed, undefined)
  t.truthy(holder.closed)
})

test('who alone holds too much to be served gives way itself', (t) => {
  const bench = new Bench()
  const holder = bench.holder(6 * MIB)
  holder.resume()
  t.true(bench.memory.isShort)
  bench.memory.makeRoom([holder], 5000)
  t.regex(holder.closed ?? '', /memory is short/)
  t.false(bench.memory.isShort)
})

test('a request that never fits is refused at once', (t) => {
  const bench = new Bench()
  t.regex(bench.holder(11 * MIB).closed ?? '', /exceeds odradek.requests.bytes.max/)
  t.false(bench.memory.isShort)
})

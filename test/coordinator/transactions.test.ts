/** The transaction coordinator: what it decides, and that nothing is left half done. */
import test from 'ava'
import fc from 'fast-check'
import type { ProducerAnswer } from '../../src/coordinator/transaction/commands.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import { TIMEOUT_MS, TransactionWorld } from './transaction-world.ts'

const told = ({ errorCode, producerId, producerEpoch }: ProducerAnswer) =>
  errorCode === ErrorCode.NONE ? `${producerId}/${producerEpoch}` : errorCode

test('a producer begins with epoch 0, and each that comes after it fences it', (t) => {
  const world = new TransactionWorld()
  const first = world.initialize('x')
  t.is(told(first), '1000/0')
  t.is(told(world.initialize('x')), '1000/1')
  t.is(world.join('x', first, 0), ErrorCode.PRODUCER_FENCED)
  t.is(told(world.end('x', first, true)), ErrorCode.PRODUCER_FENCED)
  t.is(told(world.initialize('x', 1000, 0)), ErrorCode.PRODUCER_FENCED)
  t.is(told(world.initialize('x', 1000, 1)), '1000/2')
  t.is(told(world.initialize('x', 1000, 1)), '1000/2', 'a retry is answered as before')
  world.restart()
  t.is(told(world.initialize('x', 1000, 2)), '1000/3')
})

test('an open transaction is aborted for who takes its id over', (t) => {
  const world = new TransactionWorld()
  const first = world.initialize('x')
  world.join('x', first, 0)
  world.holdsMarkers = true
  t.is(told(world.initialize('x')), ErrorCode.CONCURRENT_TRANSACTIONS)
  t.is(world.stateOf('x'), 'PrepareAbort')
  t.is(told(world.initialize('x')), ErrorCode.CONCURRENT_TRANSACTIONS)
  world.release()
  t.is(world.stateOf('x'), 'CompleteAbort')
  t.is(told(world.initialize('x')), `${first.producerId}/2`)
})

test('each end of a transaction raises the epoch, and its retry is answered alike', (t) => {
  const world = new TransactionWorld()
  const first = world.initialize('x')
  world.join('x', first, 0)
  const second = world.end('x', first, true)
  t.is(told(second), '1000/1')
  t.is(told(world.end('x', first, true)), '1000/1')
  t.is(told(world.end('x', first, false)), ErrorCode.INVALID_TXN_STATE)
  t.is(told(world.end('x', second, true)), ErrorCode.INVALID_TXN_STATE, 'nothing was added')
  t.is(told(world.end('x', second, false)), '1000/2')
  world.join('x', { ...second, producerEpoch: 2 }, 0)
  t.is(told(world.end('x', second, false)), ErrorCode.PRODUCER_FENCED, 'another one has begun')
})

test('clients of before keep their epoch, and end no transaction that has not begun', (t) => {
  const world = new TransactionWorld()
  const producer = world.initialize('x')
  t.is(told(world.end('x', producer, false, 0)), ErrorCode.INVALID_TXN_STATE)
  world.join('x', producer, 0, { clientVersion: 0 })
  t.is(told(world.end('x', producer, true, 0)), '1000/0')
  t.is(told(world.end('x', producer, true, 0)), '1000/0')
  t.is(told(world.end('x', producer, false, 0)), ErrorCode.INVALID_TXN_STATE)
})

test('a producer whose epochs are used up goes on with another id', (t) => {
  const world = new TransactionWorld()
  let producer = world.initialize('x')
  const last = 0x7fff - 1
  while (producer.producerEpoch < last) {
    producer = world.initialize('x', producer.producerId, producer.producerEpoch)
  }
  world.join('x', producer, 0)
  world.holdsMarkers = true
  t.is(told(world.end('x', producer, true)), '1001/0')
  t.is(told(world.end('x', producer, true)), ErrorCode.CONCURRENT_TRANSACTIONS)
  world.restart()
  world.release()
  t.is(told(world.end('x', producer, true)), '1001/0')
  t.is(told(world.end('x', producer, false)), ErrorCode.INVALID_TXN_STATE)
  t.is(told(world.initialize('x')), '1001/1')
})

test('what joins while the transaction before is ending waits a little', (t) => {
  const world = new TransactionWorld()
  const first = world.initialize('x')
  world.join('x', first, 0)
  world.holdsMarkers = true
  const second = world.end('x', first, true)
  const answers: (number | undefined)[] = []
  const ask = () => {
    const of = { transactionalId: 'x', ...second }
    const topics = [{ topic: 't', partitions: [1] }]
    const how = { verifyOnly: false, clientVersion: 2, waits: true }
    world.service.onCommand(
      { kind: 'add-partitions-to-txn', ...of, ...how, topics },
      ({ errorCodes }) => answers.push(errorCodes[0]),
    )
  }
  ask()
  t.deepEqual(answers, [])
  world.advance(200)
  t.deepEqual(answers, [ErrorCode.CONCURRENT_TRANSACTIONS])
  ask()
  world.release()
  t.deepEqual(answers, [ErrorCode.CONCURRENT_TRANSACTIONS, ErrorCode.NONE])
})

test('a transaction that takes too long is aborted, and its producer fenced', (t) => {
  const world = new TransactionWorld()
  const producer = world.initialize('x')
  world.join('x', producer, 0)
  world.partitions[0]?.append(producer, 0, { of: 'x', guard: 0 })
  world.advance(TIMEOUT_MS + 2000)
  t.is(world.stateOf('x'), 'CompleteAbort')
  t.is(world.partitions[0]?.records[0]?.committed, false)
  t.is(told(world.end('x', producer, true)), ErrorCode.INVALID_TXN_STATE)
})

test('a clock that is set ends no transaction, and lengthens none', (t) => {
  for (const byMs of [3_600_000, -3_600_000]) {
    const world = new TransactionWorld()
    const producer = world.initialize('x')
    world.join('x', producer, 0)
    world.wallAheadMs = byMs
    world.advance(TIMEOUT_MS - 2000)
    world.join('x', producer, 1)
    t.is(world.stateOf('x'), 'Ongoing')
    world.advance(4000)
    t.is(world.stateOf('x'), 'CompleteAbort')
  }
})

test('the time of a transaction goes on over a restart, by the wall clock and no longer', (t) => {
  for (const [downMs, leftMs] of [
    [TIMEOUT_MS / 2, TIMEOUT_MS / 2],
    [TIMEOUT_MS * 2, 0],
    [-TIMEOUT_MS, TIMEOUT_MS],
  ] as const) {
    const world = new TransactionWorld()
    world.join('x', world.initialize('x'), 0)
    world.wallAheadMs += downMs
    world.restart()
    if (leftMs > 0) world.advance(leftMs - 2000)
    t.is(world.stateOf('x'), 'Ongoing')
    world.advance(4000)
    t.is(world.stateOf('x'), 'CompleteAbort')
  }
})

test('an id that nobody uses is forgotten, also in the log', (t) => {
  const world = new TransactionWorld()
  world.join('x', world.initialize('x'), 0)
  world.initialize('y')
  t.is(world.stateOf('y'), 'Empty')
  world.advance(3_600_000 + 61_000)
  t.is(world.stateOf('x'), undefined)
  t.is(world.stateOf('y'), undefined)
  world.restart()
  t.is(world.stateOf('y'), undefined)
})

test('a partition that is down gets its marker when it is back', (t) => {
  const world = new TransactionWorld()
  const producer = world.initialize('x')
  for (const partition of [0, 1]) world.join('x', producer, partition)
  const down = world.partitions[1]!
  down.isUp = false
  t.is(told(world.end('x', producer, true)), '1000/1')
  world.advance(1000)
  t.is(world.stateOf('x'), 'PrepareCommit')
  down.isUp = true
  world.advance(1000)
  t.is(world.stateOf('x'), 'CompleteCommit')
})

test('what could not be logged did not happen', (t) => {
  const world = new TransactionWorld()
  const producer = world.initialize('x')
  world.join('x', producer, 0)
  world.nextAppend = ErrorCode.KAFKA_STORAGE_ERROR
  t.is(told(world.end('x', producer, true)), ErrorCode.NOT_COORDINATOR)
  t.is(world.stateOf('x'), 'Ongoing')
  t.is(told(world.end('x', producer, true)), '1000/1')
})

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom(
      ...(['produce', 'produce', 'produce', 'late', 'commit', 'abort', 'init'] as const),
      ...(['restart', 'hold', 'release', 'down', 'up', 'wait', 'fail'] as const),
    ),
    producer: fc.integer({ min: 0, max: 2 }),
    partition: fc.integer({ min: 0, max: 2 }),
  }),
  { minLength: 5, maxLength: 80 },
)

/** One transactional producer that does not know what became of what it was not told of. */
class ModelProducer {
  readonly id: string
  readonly #world: TransactionWorld
  readonly #version: number
  #known: ProducerAnswer | undefined
  #count = 0
  #sequences = [0, 0, 0]
  /** Verified, and not appended yet. */
  #late: (() => void)[] = []
  /** How transactions ended, by name, as far as it was told. */
  readonly told = new Map<string, boolean>()

  constructor(world: TransactionWorld, number: number, version: number) {
    this.id = `p${number}`
    this.#world = world
    this.#version = version
  }

  initialize(): void {
    const answer = this.#world.initialize(this.id)
    if (answer.errorCode === ErrorCode.NONE) this.#begin(answer)
  }

  produce(partition: number, late: boolean): void {
    if (this.#known === undefined) this.initialize()
    const producer = this.#known
    if (producer === undefined) return
    const log = this.#world.partitions[partition]!
    const of = late && this.#version < 2 ? 'late' : `${this.id}-${this.#count}`
    const sequence = this.#sequences[partition]!
    const how = { clientVersion: this.#version }
    if (this.#world.join(this.id, producer, partition, how) !== ErrorCode.NONE) return
    let guard = 0
    if (this.#version < 2) {
      const claim = { ...producer, baseSequence: sequence, recordsCount: 1, transactional: true }
      guard = log.states.guard(claim, 0)
      const verified = this.#world.join(this.id, producer, partition, { verifyOnly: true })
      if (verified !== ErrorCode.NONE) return
    }
    const append = () => log.append(producer, sequence, { of, guard })
    if (late) this.#late.push(append)
    else if (append() === ErrorCode.NONE) this.#sequences[partition] = sequence + 1
  }

  /** What was under way arrives. */
  arrive(): void {
    for (const append of this.#late.splice(0)) append()
  }

  end(commit: boolean): void {
    if (this.#known === undefined) return
    const answer = this.#world.end(this.id, this.#known, commit, this.#version)
    if (answer.errorCode === ErrorCode.NONE) {
      this.told.set(`${this.id}-${this.#count}`, commit)
      this.#begin(answer)
    } else if (answer.errorCode !== ErrorCode.INVALID_TXN_STATE) this.#known = undefined
  }

  #begin(producer: ProducerAnswer): void {
    const isSame = this.#known?.producerEpoch === producer.producerEpoch
    if (!isSame || this.#known?.producerId !== producer.producerId) this.#sequences = [0, 0, 0]
    this.#known = producer
    this.#count++
  }
}

for (const version of [0, 2]) {
  test(`whatever happens, transactions of version ${version} end everywhere alike`, (t) => {
    fc.assert(
      fc.property(steps, (all) => {
        const world = new TransactionWorld()
        const producers = [0, 1, 2].map((n) => new ModelProducer(world, n, version))
        for (const { kind, producer, partition } of all) {
          const actor = producers[producer]!
          if (kind === 'produce' || kind === 'late') actor.produce(partition, kind === 'late')
          else if (kind === 'commit' || kind === 'abort') actor.end(kind === 'commit')
          else if (kind === 'init') actor.initialize()
          else if (kind === 'restart') world.restart()
          else if (kind === 'hold') world.holdsMarkers = true
          else if (kind === 'release') {
            world.holdsMarkers = false
            world.release()
            actor.arrive()
          } else if (kind === 'down') world.partitions[partition]!.isUp = false
          else if (kind === 'up') world.partitions[partition]!.isUp = true
          else if (kind === 'wait') world.advance(2500)
          else world.nextAppend = ErrorCode.KAFKA_STORAGE_ERROR
        }
        world.holdsMarkers = false
        world.release()
        for (const one of world.partitions) one.isUp = true
        world.advance(200)
        for (const one of producers) one.arrive()
        world.nextAppend = ErrorCode.NONE
        world.restart()
        world.advance(3 * TIMEOUT_MS)
        const ends = new Map<string, Set<boolean | undefined>>()
        for (const { states, records } of world.partitions) {
          if (states.firstUnstableOffset() !== undefined) throw new Error('a transaction hangs')
          for (const { of, committed } of records) {
            ends.set(of, (ends.get(of) ?? new Set()).add(committed))
          }
        }
        for (const [of, outcomes] of ends) {
          if (of === 'late') continue
          if (outcomes.size > 1) throw new Error(`${of} is committed by half`)
          for (const { told: all } of producers) {
            const wanted = all.get(of)
            if (wanted !== undefined && !outcomes.has(wanted)) throw new Error(`${of} ended else`)
          }
        }
      }),
      { numRuns: 500 },
    )
    t.pass()
  })
}

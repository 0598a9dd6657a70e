import test from 'ava'
import fc from 'fast-check'
import { type FetchedBatch, SharePartition } from '../../src/coordinator/share/share-partition.ts'
import { type StateBatch, StateBatches } from '../../src/coordinator/share/state-batches.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import { Seeded } from '../support/seeded.ts'
import { countsOf, NaiveSharePartition } from './share-partition-model.ts'

const limits = { locksMax: 40, lockMs: 1000, deliveriesMax: 3 }
const members = ['a', 'b', 'c']

const STEPS = 200

/** Batches of one to four records, with gaps where compaction was. */
function logOf(random: Seeded): FetchedBatch[] {
  let next = 0
  return Array.from({ length: 300 }, () => {
    const first = next + (random.chance(0.25) ? random.between(0, 3) : 0)
    next = first + random.between(1, 4)
    return { first, last: next - 1, aborted: false }
  })
}

/** The share partition and the model of it, side by side. */
class Pair {
  partition = new SharePartition(0, [])
  readonly model = new NaiveSharePartition()
  readonly #random: Seeded
  readonly #log: readonly FetchedBatch[]
  readonly #logged = new StateBatches()
  /** What was acquired lately, by whom. */
  #taken: { memberId: string; first: number; last: number }[] = []
  #loggedStart = 0
  #logStart = 0
  #nowMs = 0

  constructor(random: Seeded) {
    this.#random = random
    this.#log = logOf(random)
  }

  /** One step; answers its name and what it should not have answered. */
  step(): [name: string, wrong?: string | undefined] {
    const dice = this.#random.between(0, 99)
    if (dice < 35) return ['acquire', this.#acquire()]
    if (dice < 80) return ['acknowledge', this.#acknowledge()]
    if (dice < 84) {
      const member = this.#member()
      this.#write(this.partition.release(member, limits))
      this.model.release((known) => known.member === member, limits)
      return ['release']
    }
    if (dice < 96) {
      this.#nowMs += this.#random.between(0, 499)
      this.#write(this.partition.unlock(this.#nowMs, limits))
      this.model.release(({ until }) => until <= this.#nowMs, limits)
      return ['wait']
    }
    if (dice < 98) {
      this.#logStart = Math.max(this.#logStart, this.model.start + this.#random.between(0, 4))
      this.partition.onLogStart(this.#logStart)
      this.model.moveStart(this.#logStart)
      return ['log start']
    }
    this.partition = new SharePartition(this.#loggedStart, this.#logged.all())
    this.model.restart(this.#loggedStart)
    return ['restart']
  }

  /** What differs between the two. */
  difference(): string | undefined {
    const { partition, model } = this
    const facts = [
      [partition.startOffset, model.start],
      [partition.endOffset, model.end],
      [partition.nextFetchOffset, model.next],
      [partition.deliveryCompleteCount, model.completeCount],
    ]
    const wrong = facts.findIndex(([is, wanted]) => is !== wanted)
    return wrong < 0 ? undefined : `fact ${wrong}: ${facts[wrong]} with ${model.text()}`
  }

  #member(): string {
    return this.#random.pick(members)
  }

  #acquire(): string | undefined {
    const fetchOffset = this.partition.nextFetchOffset
    const memberId = this.#member()
    const batches = this.#log
      .filter(({ last }) => last >= fetchOffset)
      .slice(0, this.#random.between(1, 6))
    const maxRecords = this.#random.between(1, 12)
    const exact = this.#random.chance(0.5)
    const asked = { memberId, batches, maxRecords, exact, nowMs: this.#nowMs }
    const acquired = this.partition.acquire({ ...asked, fetchOffset, batchSize: 5 }, limits)
    const wanted = this.model.acquire({ ...asked, from: fetchOffset }, limits)
    for (const { firstOffset, lastOffset } of acquired) {
      this.#taken.push({ memberId, first: firstOffset, last: lastOffset })
    }
    this.#taken = this.#taken.slice(-8)
    const is = countsOf(acquired)
    const same = is.size === wanted.size && [...is].every(([at, count]) => wanted.get(at) === count)
    return same ? undefined : `${JSON.stringify([...is])}, not ${JSON.stringify([...wanted])}`
  }

  /** Mostly of what somebody has; now and then of something else. */
  #acknowledge(): string | undefined {
    if (this.#taken.length === 0) return undefined
    const taken = this.#random.pick(this.#taken)
    const memberId = this.#random.chance(0.1) ? this.#member() : taken.memberId
    const firstOffset = this.#random.between(taken.first, taken.last)
    const length = this.#random.between(0, taken.last - firstOffset)
    const lastOffset = firstOffset + length + (this.#random.chance(0.1) ? 3 : 0)
    const type = this.#random.pick([2, 2, 2, 1, 3, 4, 0])
    const past = lastOffset > this.model.end && lastOffset >= this.model.start
    const refused = past || !this.model.has(memberId, firstOffset, lastOffset)
    const said = [{ firstOffset, lastOffset, acknowledgeTypes: [type] }]
    const outcome = this.partition.acknowledge(memberId, said, limits, this.#nowMs)
    if (refused !== (outcome.errorCode !== ErrorCode.NONE)) return `error ${outcome.errorCode}`
    if (refused) return undefined
    this.#write(outcome.changes)
    this.model.acknowledge(firstOffset, lastOffset, type, limits, this.#nowMs)
    return undefined
  }

  #write(changes: readonly StateBatch[]): void {
    if (changes.length === 0) return
    this.#loggedStart = this.partition.startOffset
    this.#logged.update(changes, this.#loggedStart)
  }
}

test('a share partition does what a list of offsets does', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0 }), (seed) => {
      const pair = new Pair(new Seeded(seed))
      for (let at = 0; at < STEPS; at++) {
        const [name, wrong] = pair.step()
        const difference = wrong ?? pair.difference()
        if (difference !== undefined) throw new Error(`step ${at} ${name}: ${difference}`)
      }
    }),
    { numRuns: 150, endOnFailure: true },
  )
  t.pass()
})

test('records of aborted transactions are not delivered', (t) => {
  const partition = new SharePartition(0, [])
  const batches = [
    { first: 0, last: 4, aborted: true },
    { first: 5, last: 9, aborted: false },
  ]
  const asked = { memberId: 'a', fetchOffset: 0, batches, maxRecords: 100, exact: false }
  const acquired = partition.acquire({ ...asked, batchSize: 100, nowMs: 0 }, limits)
  t.deepEqual(acquired, [{ firstOffset: 5, lastOffset: 9, deliveryCount: 1 }])
  t.is(partition.startOffset, 5)
})

test('one type for each offset is taken apart', (t) => {
  const partition = new SharePartition(0, [])
  const batches = [{ first: 0, last: 5, aborted: false }]
  const asked = { memberId: 'a', fetchOffset: 0, batches, maxRecords: 100, exact: false }
  partition.acquire({ ...asked, batchSize: 100, nowMs: 0 }, limits)
  const said = [{ firstOffset: 0, lastOffset: 5, acknowledgeTypes: [1, 1, 2, 3, 3, 0] }]
  const { errorCode, changes } = partition.acknowledge('a', said, limits, 0)
  t.is(errorCode, ErrorCode.NONE)
  t.deepEqual(
    changes.map((one) => `${one.firstOffset}-${one.lastOffset}:${one.deliveryState}`),
    ['0-1:2', '2-2:0', '3-4:4', '5-5:4'],
  )
  t.is(partition.startOffset, 2)
})

test('nothing of an acknowledgement holds when a part of it is wrong', (t) => {
  const partition = new SharePartition(0, [])
  const batches = [{ first: 0, last: 5, aborted: false }]
  const asked = { memberId: 'a', fetchOffset: 0, batches, maxRecords: 100, exact: false }
  partition.acquire({ ...asked, batchSize: 100, nowMs: 0 }, limits)
  const good = { firstOffset: 0, lastOffset: 2, acknowledgeTypes: [1] }
  const wrong = { firstOffset: 2, lastOffset: 3, acknowledgeTypes: [1] }
  const { errorCode, changes } = partition.acknowledge('a', [good, wrong], limits, 0)
  t.is(errorCode, ErrorCode.INVALID_RECORD_STATE)
  t.deepEqual(changes, [])
  t.is(partition.startOffset, 0)
})

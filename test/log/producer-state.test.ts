import test from 'ava'
import fc from 'fast-check'
import {
  type ProducerClaim,
  ProducerStates,
  type SequenceVerdict,
  sequenceAfter,
} from '../../src/log/producer-state.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'

const WRAP = 2 ** 31

const claim = (over: Partial<ProducerClaim> = {}): ProducerClaim => ({
  producerId: 1,
  producerEpoch: 0,
  baseSequence: 0,
  recordsCount: 1,
  transactional: false,
  ...over,
})

/** Appends what is judged fit, at the next offset. */
function tryAppend(states: ProducerStates, one: ProducerClaim, offset: number): SequenceVerdict {
  const verdict = states.check(one)
  if (verdict.kind === 'append') {
    const at = {
      baseOffset: offset,
      lastOffset: offset + one.recordsCount - 1,
      timestamp: 1,
      nowMs: 1,
    }
    states.appended(one, at)
  }
  return verdict
}

const told = (verdict: SequenceVerdict) =>
  verdict.kind === 'refuse'
    ? verdict.errorCode
    : verdict.kind === 'append'
      ? 'append'
      : verdict.batch.baseOffset

/** The rules as prose has them: every batch that was ever appended, in a list. */
class NaiveProducers {
  readonly appended: { claim: ProducerClaim; offset: number }[] = []

  check(one: ProducerClaim): number | 'append' {
    const mine = this.appended.filter((a) => a.claim.producerId === one.producerId)
    const last = mine.at(-1)
    if (last === undefined) return 'append'
    const { producerEpoch: epoch } = last.claim
    const window = mine.filter((a) => a.claim.producerEpoch === epoch).slice(-5)
    const again = window.find(
      ({ claim: c }) =>
        c.producerEpoch === one.producerEpoch &&
        c.baseSequence === one.baseSequence &&
        c.recordsCount === one.recordsCount,
    )
    if (again) return again.offset
    if (one.producerEpoch < epoch) return ErrorCode.INVALID_PRODUCER_EPOCH
    const next = (last.claim.baseSequence + last.claim.recordsCount) % WRAP
    const expected = one.producerEpoch > epoch ? 0 : next
    return one.baseSequence === expected ? 'append' : ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
  }
}

test('sequences are judged as the rules say, over wraps and epochs', (t) => {
  const step = fc.record({
    producerId: fc.integer({ min: 1, max: 2 }),
    epochRise: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.constantFrom(-1, 1)),
    // How far back or ahead of what is expected.
    slip: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.integer({ min: -7, max: 3 })),
    recordsCount: fc.integer({ min: 1, max: 3 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.nat(20), (all, below) => {
      const states = new ProducerStates()
      const naive = new NaiveProducers()
      const next = new Map<number, { sequence: number; epoch: number; sent: ProducerClaim[] }>()
      let offset = 0
      for (const one of all) {
        let at = next.get(one.producerId)
        if (at === undefined) {
          at = { sequence: WRAP - below, epoch: 3, sent: [] }
          next.set(one.producerId, at)
        }
        const made = claim({
          producerId: one.producerId,
          producerEpoch: at.epoch + one.epochRise,
          baseSequence: one.epochRise > 0 ? 0 : at.sequence % WRAP,
          recordsCount: one.recordsCount,
        })
        // A retry of something earlier, or a jump ahead.
        const retried = one.slip < 0 ? at.sent.at(one.slip) : undefined
        const sent = retried ?? {
          ...made,
          baseSequence: (made.baseSequence + Math.max(0, one.slip)) % WRAP,
        }
        const expected = naive.check(sent)
        t.is(told(tryAppend(states, sent, offset)), expected)
        if (expected !== 'append') continue
        naive.appended.push({ claim: sent, offset })
        at.sent.push(sent)
        at.sequence = sent.baseSequence + sent.recordsCount
        at.epoch = sent.producerEpoch
        offset += sent.recordsCount
      }
    }),
    { numRuns: 500 },
  )
})

test('after 2147483647 comes 0', (t) => {
  t.is(sequenceAfter(2147483647, 1), 0)
  t.is(sequenceAfter(2147483646, 1), 2147483647)
  t.is(sequenceAfter(2147483640, 20), 12)
})

test('an unknown producer may begin anywhere, and a negative epoch is refused', (t) => {
  const states = new ProducerStates()
  t.is(told(states.check(claim({ baseSequence: 77 }))), 'append')
  t.is(told(states.check(claim({ producerEpoch: -1 }))), ErrorCode.INVALID_PRODUCER_EPOCH)
})

test('behind a marker of a new epoch the sequence begins at 0', (t) => {
  const states = new ProducerStates()
  tryAppend(states, claim({ baseSequence: 4 }), 0)
  const marker = { producerId: 1, producerEpoch: 1, coordinatorEpoch: 0, commit: false }
  states.marked(marker, 1, 1)
  const later = (baseSequence: number) =>
    told(states.check(claim({ producerEpoch: 1, baseSequence })))
  t.is(later(5), ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
  t.is(later(0), 'append')
})

test('open transactions hold the last stable offset, the oldest first', (t) => {
  const states = new ProducerStates()
  const begin = (producerId: number, offset: number) =>
    states.appended(claim({ producerId, transactional: true }), {
      baseOffset: offset,
      lastOffset: offset,
      timestamp: 1,
      nowMs: 1,
    })
  const end = (producerId: number, offset: number, commit: boolean) =>
    states.marked({ producerId, producerEpoch: 0, coordinatorEpoch: 0, commit }, offset, 1)
  begin(1, 0)
  begin(2, 1)
  begin(1, 2)
  t.is(states.firstUnstableOffset(), 0)
  t.deepEqual(end(1, 3, false), {
    producerId: 1,
    firstOffset: 0,
    lastOffset: 3,
    lastStableOffset: 1,
  })
  t.is(states.firstUnstableOffset(), 1)
  begin(1, 4)
  t.is(end(2, 5, true), undefined)
  t.is(states.firstUnstableOffset(), 4)
  t.is(end(1, 6, false)?.lastStableOffset, 7)
  t.is(states.firstUnstableOffset(), undefined)
  t.is(end(1, 7, false), undefined)
})

test('silent producers are forgotten, but not within a transaction', (t) => {
  const states = new ProducerStates()
  const at = { baseOffset: 0, lastOffset: 0, timestamp: 1, nowMs: 100 }
  states.appended(claim({ producerId: 1 }), at)
  states.appended(claim({ producerId: 2, transactional: true }), at)
  states.appended(claim({ producerId: 3 }), { ...at, nowMs: 150 })
  states.takeDirty()
  t.is(states.expire(200, 100), 1)
  t.deepEqual(states.takeDirty(), [1])
  t.is(states.get(1), undefined)
  t.is(states.size, 2)
})

test('restored in any order, the oldest transaction still holds the last stable offset', (t) => {
  const states = new ProducerStates()
  for (const [producerId, currentTxnFirstOffset] of [
    [5, 30],
    [6, 10],
    [7, -1],
    [8, 20],
  ] as const) {
    states.restore({
      producerId,
      producerEpoch: 0,
      batches: [],
      coordinatorEpoch: -1,
      currentTxnFirstOffset,
      lastTimestamp: 0,
    })
  }
  t.is(states.firstUnstableOffset(), 10)
  t.deepEqual(states.takeDirty(), [])
})

test('a batch that was verified before a marker opens no transaction behind it', (t) => {
  const states = new ProducerStates(7)
  const one = claim({ transactional: true })
  const guard = states.guard(one, 1)
  t.is(states.guard(one, 1), guard, 'who asks meanwhile gets the same')
  t.true(states.holdsGuard(1, guard))
  states.marked({ producerId: 1, producerEpoch: 0, coordinatorEpoch: 0, commit: false }, 0, 1)
  t.false(states.holdsGuard(1, guard))
  const next = states.guard(one, 1)
  t.not(next, guard)
  t.false(states.holdsGuard(1, guard))
  states.appended(one, { baseOffset: 1, lastOffset: 1, timestamp: 1, nowMs: 1 })
  t.false(states.holdsGuard(1, next), 'an open transaction needs none')
  t.true(states.isOngoing(1, 0))
  t.false(states.isOngoing(1, 1))
})

test('while a transaction is verified, no batch overtakes its first one', (t) => {
  const states = new ProducerStates()
  states.guard(claim({ transactional: true, baseSequence: 4 }), 1)
  states.guard(claim({ transactional: true, baseSequence: 5 }), 1)
  const later = claim({ transactional: true, baseSequence: 5 })
  t.is(told(states.check(later)), ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
  t.is(told(states.check(claim({ transactional: true, baseSequence: 4 }))), 'append')
  t.is(states.expire(1000, 100), 0)
  t.is(told(states.check(later)), 'append', 'what nobody came back for is forgotten')
})

test('where each end raises the epoch, an unknown producer begins with sequence 0', (t) => {
  const states = new ProducerStates()
  const first = (baseSequence: number) => claim({ transactional: true, baseSequence })
  t.is(told(states.check(first(1), true)), ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
  t.is(told(states.check(first(0), true)), 'append')
  t.is(told(states.check(first(1), false)), 'append')
})

test('within an open transaction nothing is written besides', (t) => {
  const states = new ProducerStates()
  states.appended(claim({ transactional: true }), {
    baseOffset: 0,
    lastOffset: 0,
    timestamp: 1,
    nowMs: 1,
  })
  t.is(told(states.check(claim({ baseSequence: 1 }))), ErrorCode.INVALID_TXN_STATE)
})

test('a marker of an older epoch, or of an older coordinator, is refused', (t) => {
  const states = new ProducerStates()
  const marker = (producerEpoch: number, coordinatorEpoch = 3) => {
    return { producerId: 1, producerEpoch, coordinatorEpoch, commit: true }
  }
  const at = { baseOffset: 0, lastOffset: 0, timestamp: 1, nowMs: 1 }
  t.is(states.checkMarker(marker(0), true), ErrorCode.NONE, 'a producer that is not known')
  states.appended(claim({ producerEpoch: 5, transactional: true }), at)
  t.is(states.checkMarker(marker(4), false), ErrorCode.INVALID_PRODUCER_EPOCH)
  t.is(states.checkMarker(marker(5), false), ErrorCode.NONE)
  t.is(states.checkMarker(marker(5), true), ErrorCode.INVALID_PRODUCER_EPOCH)
  t.is(states.checkMarker(marker(6), true), ErrorCode.NONE)
  states.marked(marker(6), 1, 1)
  t.is(states.checkMarker(marker(6), true), ErrorCode.NONE, 'it may come again')
  t.is(states.checkMarker(marker(6, 2), true), ErrorCode.TRANSACTION_COORDINATOR_FENCED)
})

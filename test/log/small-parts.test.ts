import test from 'ava'
import fc from 'fast-check'
import { Intervals } from '../../src/log/intervals.ts'
import { LeaderEpochs } from '../../src/log/leader-epochs.ts'
import { readMarker } from '../../src/log/marker.ts'
import { newSegment, segmentIndexOf, shouldRoll } from '../../src/log/segments.ts'
import { batchOf, markerOf } from './batches.ts'

test('intervals cover exactly what was added and not cut', (t) => {
  const range = fc.tuple(fc.nat(40), fc.nat(12)).map(([from, length]) => [from, from + length])
  fc.assert(
    fc.property(fc.array(range, { maxLength: 20 }), fc.nat(60), (all, end) => {
      const intervals = new Intervals()
      const covered = new Set<number>()
      for (const [from, to] of all as [number, number][]) {
        intervals.add(from, to)
        for (let i = from; i < to; i++) covered.add(i)
      }
      intervals.cut(end)
      for (let i = end; i < 60; i++) covered.delete(i)
      for (let from = 0; from < 55; from++) {
        for (let to = from + 1; to < from + 6; to++) {
          let all = true
          for (let i = from; i < to; i++) all &&= covered.has(i)
          t.is(intervals.covers(from, to), all, `${from}-${to}`)
        }
      }
    }),
  )
})

test('an epoch ends where the next one begins', (t) => {
  const epochs = new LeaderEpochs()
  for (const [epoch, offset] of [
    [2, 10],
    [2, 15],
    [4, 20],
    [3, 25],
    [7, 30],
    [-1, 40],
  ] as const) {
    epochs.observe(epoch, offset)
  }
  const end = (asked: number) => epochs.endOf(asked, 9, 50)
  t.deepEqual(end(0), { epoch: 0, endOffset: 10 })
  t.deepEqual(end(2), { epoch: 2, endOffset: 20 })
  t.deepEqual(end(3), { epoch: 2, endOffset: 20 })
  t.deepEqual(end(4), { epoch: 4, endOffset: 30 })
  t.deepEqual(end(7), { epoch: 7, endOffset: 50 })
  t.deepEqual(end(9), { epoch: 9, endOffset: 50 })
  t.deepEqual(end(10), { epoch: -1, endOffset: -1 })
  t.deepEqual(end(-1), { epoch: -1, endOffset: -1 })
  t.deepEqual(
    [5, 10, 29, 31].map((offset) => epochs.epochAt(offset)),
    [-1, 2, 4, 7],
  )
  t.is(epochs.latest(), 7)
})

test('the history of epochs follows the log when it is cut at either end', (t) => {
  const epochs = new LeaderEpochs()
  epochs.restore([
    { epoch: 1, startOffset: 0 },
    { epoch: 2, startOffset: 10 },
    { epoch: 3, startOffset: 20 },
  ])
  t.false(epochs.takeDirty())
  epochs.advanceStartTo(12)
  t.deepEqual(epochs.entries(), [
    { epoch: 2, startOffset: 12 },
    { epoch: 3, startOffset: 20 },
  ])
  epochs.truncateTo(20)
  t.deepEqual(epochs.entries(), [{ epoch: 2, startOffset: 12 }])
  t.true(epochs.takeDirty())
  epochs.advanceStartTo(12)
  t.false(epochs.takeDirty())
})

test('markers are read, and other control records are not markers', (t) => {
  const marker = { producerId: 1, producerEpoch: 0, base: 9 }
  const before = Buffer.alloc(7)
  for (const commit of [true, false]) {
    const bytes = Buffer.concat([before, markerOf({ ...marker, commit })])
    t.deepEqual(readMarker(bytes, 7), { commit, coordinatorEpoch: 7 })
  }
  t.is(readMarker(batchOf({ base: 3 }), 0), undefined)
  const leaderChange = markerOf({ ...marker, commit: true })
  leaderChange[leaderChange.length - 9] = 2
  t.is(readMarker(leaderChange, 0), undefined)
})

test('no bytes make the reading of a marker fail', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (noise) => {
      const bytes = markerOf({ producerId: 1, producerEpoch: 0, commit: true })
      bytes.set(noise.subarray(0, bytes.length - 61), 61)
      t.notThrows(() => readMarker(bytes, 0))
    }),
  )
})

test('a segment is found by its offsets', (t) => {
  const segments = [5, 10, 30].map((baseOffset) => ({ baseOffset }))
  const found = [0, 4, 5, 9, 10, 29, 30, 1000].map((offset) => segmentIndexOf(segments, offset))
  t.deepEqual(found, [-1, -1, 0, 0, 1, 1, 2, 2])
  t.is(segmentIndexOf([], 3), -1)
})

test('a segment is rolled by size, by age of its records, and before offsets grow too far', (t) => {
  const rules = { segmentBytes: 1000, segmentMs: 500 }
  const roll = (
    size: number,
    over: { bytes?: number; at?: number; last?: number; now?: number },
  ) => {
    const segment = newSegment(0, undefined, 100)
    if (size > 0) segment.firstTimestamp = 50
    const { bytes = 10, at = 60, last = 5, now = 100 } = over
    return shouldRoll(segment, size, { bytes, maxTimestamp: at, lastOffset: last }, rules, now)
  }
  t.false(roll(990, {}))
  t.true(roll(991, {}))
  t.false(roll(0, { bytes: 5000 }))
  t.false(roll(10, { at: 550 }))
  t.true(roll(10, { at: 551 }))
  t.false(roll(0, { at: 9999 }))
  t.false(roll(10, { last: 0x7fffffff }))
  t.true(roll(10, { last: 0x80000000 }))
  t.false(roll(10, { at: -1, now: 600 }))
  t.true(roll(10, { at: -1, now: 601 }))
})

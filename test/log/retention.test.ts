import test from 'ava'
import { expired, type RetainedSegment, type RetentionRules } from '../../src/log/retention.ts'

const NOW_MS = 1_000_000

/** Segments of 100 offsets each, with these sizes; each is a second younger than the one before. */
function segmentsOf(...sizes: number[]): RetainedSegment[] {
  return sizes.map((size, i) => {
    return { baseOffset: i * 100, size, largestTimestamp: NOW_MS - (sizes.length - i) * 1000 }
  })
}

/** New start and reasons. `ends`: the log end, and the high watermark where it is lower. */
function verdict(
  segments: RetainedSegment[],
  rules: Partial<RetentionRules>,
  ends: { start?: number; end?: number; watermark?: number } = {},
): string {
  const { start = 0, end = segments.length * 100 } = ends
  const found = expired(
    segments,
    { logStartOffset: start, logEndOffset: end, highWatermark: ends.watermark ?? end },
    { deletes: true, retentionMs: -1, retentionBytes: -1, ...rules },
    NOW_MS,
  )
  return found === undefined
    ? 'nothing'
    : `start ${found.newStart}, ${found.count} by ${found.reasons.join()}`
}

test('without limits nothing goes', (t) => {
  t.is(verdict(segmentsOf(10, 10, 10), {}), 'nothing')
  t.is(verdict([], { retentionMs: 0, retentionBytes: 0 }), 'nothing')
})

test('segments whose largest timestamp is too old go, and the first that stays ends the walk', (t) => {
  t.is(verdict(segmentsOf(10, 10, 10), { retentionMs: 3000 }), 'nothing')
  t.is(verdict(segmentsOf(10, 10, 10), { retentionMs: 2999 }), 'start 100, 1 by time')
  t.is(verdict(segmentsOf(10, 10, 10), { retentionMs: 1500 }), 'start 200, 2 by time')
  const [old, young, old2] = segmentsOf(10, 10, 10) as [
    RetainedSegment,
    RetainedSegment,
    RetainedSegment,
  ]
  const future = { ...young, largestTimestamp: NOW_MS + 1 }
  t.is(verdict([old, future, old2], { retentionMs: 500 }), 'start 100, 1 by time')
})

test('when all segments are too old the log begins anew at its end', (t) => {
  t.is(verdict(segmentsOf(10, 10), { retentionMs: 0 }, { end: 150 }), 'start 150, 2 by time')
})

test('an empty active segment stays', (t) => {
  t.is(verdict(segmentsOf(10, 10, 0), { retentionMs: 0 }, { end: 200 }), 'start 200, 2 by time')
  t.is(verdict(segmentsOf(0), { retentionMs: 0, retentionBytes: 0 }, { end: 0 }), 'nothing')
})

test('by size, only as many go as leave at least the limit', (t) => {
  t.is(verdict(segmentsOf(10, 10, 10), { retentionBytes: 30 }), 'nothing')
  t.is(verdict(segmentsOf(10, 10, 10), { retentionBytes: 21 }), 'nothing')
  t.is(verdict(segmentsOf(10, 10, 10), { retentionBytes: 20 }), 'start 100, 1 by size')
  t.is(verdict(segmentsOf(10, 10, 10), { retentionBytes: 9 }), 'start 200, 2 by size')
  t.is(verdict(segmentsOf(20, 1, 10), { retentionBytes: 15 }), 'nothing')
  t.is(verdict(segmentsOf(10, 10), { retentionBytes: 0 }), 'start 200, 2 by size')
})

test('what is left by size is judged by time', (t) => {
  const rules = { retentionBytes: 30, retentionMs: 2500 }
  t.is(verdict(segmentsOf(10, 10, 10, 10), rules), 'start 200, 2 by size,time')
})

test('no segment goes that ends above the high watermark', (t) => {
  const rules = { retentionMs: 0, retentionBytes: 0 }
  t.is(verdict(segmentsOf(10, 10, 10), rules, { watermark: 199 }), 'start 100, 1 by size')
  t.is(verdict(segmentsOf(10, 10, 10), rules, { watermark: 50 }), 'nothing')
})

test('without delete in the policy only what is below the log start goes', (t) => {
  const rules = { deletes: false, retentionMs: 0, retentionBytes: 0 }
  t.is(verdict(segmentsOf(10, 10, 10), rules), 'nothing')
  t.is(verdict(segmentsOf(10, 10, 10), rules, { start: 199 }), 'start 199, 1 by log-start')
  t.is(verdict(segmentsOf(10, 10, 10), rules, { start: 200 }), 'start 200, 2 by log-start')
})

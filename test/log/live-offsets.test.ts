/** What the first pass of compaction tells the second one. */
import test from 'ava'
import fc from 'fast-check'
import { LiveOffsets } from '../../src/log/live-offsets.ts'
import { deadStretches, StretchCollector } from '../../src/log/stretches.ts'
import { buildBatch } from '../../src/protocol/record-batch.ts'
import { crc32c } from './batches.ts'

test('an offset is live that was added, or that lies outside of the range', (t) => {
  const offset = fc.integer({ min: 0, max: 300 })
  const base = fc.constantFrom(0, 31, 2 ** 31 - 40, 2 ** 40 + 7)
  const model = (from: number, words: number, added: readonly number[]) => (one: number) =>
    one < from || one >= from + words * 32 || added.includes(one)
  fc.assert(
    fc.property(
      fc.record({
        base,
        from: offset,
        words: fc.integer({ min: 0, max: 6 }),
        added: fc.array(offset, { maxLength: 8 }),
        all: fc.option(fc.tuple(offset, offset)),
        asked: fc.tuple(offset, offset),
      }),
      (one) => {
        const live = LiveOffsets.between(one.base + one.from, one.base + 1000, one.words * 4)
        const added = [...one.added]
        const [first, last] = one.all ?? [1, 0]
        for (let at = first; at <= last; at++) added.push(at)
        for (const at of one.added) live.add(one.base + at)
        live.addAll(one.base + first, one.base + last)
        const isLive = model(one.from, one.words, added)
        const [low, high] = [Math.min(...one.asked), Math.max(...one.asked)]
        const other = new LiveOffsets(live.state)
        let any = false
        for (let at = low; at <= high; at++) {
          any ||= isLive(at)
          if (other.has(one.base + at) !== isLive(at)) return false
        }
        return other.hasAny(one.base + low, one.base + high) === any
      },
    ),
  )
  t.pass()
})

test('live offsets take no more than they may, and none that cannot come', (t) => {
  t.is(LiveOffsets.between(0, 10_000, 100).bytes, 100)
  t.is(LiveOffsets.between(5, 1005, 1 << 20).bytes, 128)
})

test('dead stretches are whole batches behind each other, in one segment', (t) => {
  const batch = (baseOffset: number, count: number) => {
    const records = Array.from({ length: count }, () => ({ key: Buffer.from('k'), value: null }))
    return buildBatch({ baseOffset, records }, crc32c)
  }
  const one = batch(0, 2)
  const size = one.length
  const collector = new StretchCollector(2 * size + 1)
  for (let i = 0; i < 8; i++) collector.add(0, i * size, batch(i * 2, 2))
  // Something else lies between these two, and a stretch of one batch is too short.
  collector.add(0, 9 * size, batch(18, 2))
  collector.add(16, 0, batch(20, 2))
  collector.add(16, size, batch(22, 2))
  collector.add(16, 2 * size, batch(24, 2))
  const live = LiveOffsets.between(0, 1000, 1000)
  const stretch = (from: number, to: number, lastOffset: number, records: number) => {
    return { position: from * size, end: to * size, lastOffset, records }
  }
  const stretches = collector.state()
  t.deepEqual(deadStretches(stretches, 0, live), [stretch(0, 6, 11, 12)])
  t.deepEqual(deadStretches(stretches, 16, live), [stretch(0, 3, 25, 6)])
  live.add(7)
  t.deepEqual(deadStretches(stretches, 0, live), [stretch(0, 3, 5, 6)])
  live.add(20)
  t.deepEqual(deadStretches(stretches, 16, live), [])
})

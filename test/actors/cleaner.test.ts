/** The cleaner of a thread: what it deletes, when it compacts, and what ends a round. */
import test from 'ava'
import { buildBatch } from '../../src/protocol/record-batch.ts'
import { batchOf, crc32c } from '../log/batches.ts'
import { Seeded } from '../support/seeded.ts'
import { CleaningBench, RandomLoad, START_MS } from './cleaning-bench.ts'
import { appendTo, openLogOn, readAt, settle, writeIndex } from './logs.ts'

const QUICK = { 'log.cleaner.backoff.ms': '0', 'log.retention.check.interval.ms': '1000' }

/** Appends batches of one record, a second apart, each in a segment of its own. */
function fill(bench: CleaningBench, count: number): void {
  const { log } = bench
  for (let i = 0; i < count; i++) {
    const timestamp = START_MS + i * 1000
    appendTo(log, batchOf({ base: log.logEndOffset, timestamp, valueBytes: 200 }), bench.nowMs)
  }
}

const bases = ({ log }: CleaningBench) => log.segments.map(({ baseOffset }) => baseOffset)

test('segments that are too old are deleted, and the log begins behind them', async (t) => {
  const topic = { 'internal.segment.bytes': '250', 'retention.ms': '10000' }
  const bench = new CleaningBench(topic, QUICK)
  fill(bench, 5)
  bench.nowMs = START_MS + 12_500
  await bench.tick()
  t.deepEqual(bases(bench), [3, 4])
  t.is(bench.log.logStartOffset, 3)
  t.deepEqual(readAt(bench.log, 3), [3])
  t.is(bench.logged.length, 1)
  t.regex(bench.logged[0] ?? '', /old segments are deleted.*"segments":3,"because":"time"/)
})

test('a log whose segments were all deleted goes on at its end, also after a start', async (t) => {
  const topic = {
    'internal.segment.bytes': '250',
    'retention.bytes': '0',
    'file.delete.delay.ms': '0',
  }
  const bench = new CleaningBench(topic, QUICK)
  fill(bench, 5)
  bench.nowMs += 2000
  await bench.tick()
  t.deepEqual(bases(bench), [5])
  t.deepEqual([bench.log.logStartOffset, bench.log.logEndOffset], [5, 5])
  const again = openLogOn(bench.storage, topic)
  t.deepEqual([again.logStartOffset, again.logEndOffset], [5, 5])
})

test('before the time of its check nothing is deleted', async (t) => {
  const bench = new CleaningBench(
    { 'internal.segment.bytes': '250', 'retention.ms': '0' },
    { 'log.retention.check.interval.ms': '60000' },
  )
  fill(bench, 3)
  bench.nowMs += 29_999
  await bench.tick()
  t.is(bench.log.segments.length, 3)
  bench.nowMs += 1
  await bench.tick()
  t.deepEqual(bases(bench), [3])
})

test('a compacted topic loses only what lies below its start', async (t) => {
  const topic = {
    'internal.segment.bytes': '250',
    'retention.ms': '0',
    'cleanup.policy': 'compact',
  }
  const bench = new CleaningBench(topic, { ...QUICK, 'log.cleaner.enable': 'false' })
  fill(bench, 4)
  bench.nowMs += 60_000
  await bench.tick()
  t.is(bench.log.segments.length, 4)
})

/** A compacted partition with something to do. */
function dirtyBench(broker: Record<string, string> = QUICK, topic: Record<string, string> = {}) {
  const bench = new CleaningBench(
    { 'cleanup.policy': 'compact', 'internal.segment.bytes': '1000', ...topic },
    broker,
  )
  const load = new RandomLoad(new Seeded(8), bench, 5)
  for (let i = 0; i < 60; i++) load.append()
  load.finish()
  for (let i = 0; i < 20; i++) load.append()
  return bench
}

test('a dirty partition is compacted and one line says so', async (t) => {
  const bench = dirtyBench()
  const before = bench.log.size
  await bench.tick()
  t.true(bench.log.size < before)
  t.is(bench.logged.length, 1)
  t.regex(bench.logged[0] ?? '', /a partition is compacted \{"partition":"t-0","upToOffset":\d+/)
})

test('the batch that a round ends with stays as a header, even if nobody needs a record', async (t) => {
  const topic = { 'cleanup.policy': 'compact', 'internal.segment.bytes': '150' }
  const bench = new CleaningBench(topic, { ...QUICK, 'log.cleaner.io.buffer.size': '600' })
  for (const key of ['a', null, 'b']) {
    const records = [
      { timestamp: START_MS, key: key === null ? null : Buffer.from(key), value: Buffer.alloc(40) },
    ]
    const batch = buildBatch({ records, baseOffset: bench.log.logEndOffset }, crc32c)
    appendTo(bench.log, batch, bench.nowMs)
  }
  t.deepEqual(bases(bench), [0, 1, 2])
  await bench.tick()
  t.is(bench.log.cleanedOffset, 2)
  t.deepEqual(
    bench.read().map(({ baseOffset, records }) => [baseOffset, records.length]),
    [
      [0, 1],
      [1, 0],
      [2, 1],
    ],
  )
})

test('without the cleaner or its threads nothing is compacted', async (t) => {
  for (const off of [{ 'log.cleaner.enable': 'false' }, { 'log.cleaner.threads': '0' }]) {
    const bench = dirtyBench({ ...QUICK, ...off })
    await bench.tick()
    t.is(bench.log.cleanedOffset, undefined)
  }
})

test('a round that is not due waits for the next look', async (t) => {
  const bench = dirtyBench(
    { 'log.cleaner.backoff.ms': '5000' },
    { 'min.cleanable.dirty.ratio': '1' },
  )
  await bench.tick()
  bench.partition.configure({ ...bench.partition.config, 'min.cleanable.dirty.ratio': 0 })
  bench.nowMs += 4999
  await bench.tick()
  t.is(bench.log.cleanedOffset, undefined)
  bench.nowMs += 1
  await bench.tick()
  t.true((bench.log.cleanedOffset ?? 0) > 0)
})

test('records in the active segment are compacted when they have waited long enough', async (t) => {
  const topic = { 'cleanup.policy': 'compact', 'max.compaction.lag.ms': '60000' }
  const bench = new CleaningBench(topic, QUICK)
  fill(bench, 5)
  await bench.tick()
  t.deepEqual(bases(bench), [0])
  bench.nowMs += 60_001
  await bench.tick()
  t.deepEqual(bases(bench), [0, 5])
  await bench.tick()
  t.is(bench.log.cleanedOffset, 5)
  t.deepEqual(
    bench.read().map(({ baseOffset }) => baseOffset),
    [4],
  )
})

test('a log with damage is not compacted, and one line says why', async (t) => {
  const bench = dirtyBench()
  const segment = bench.disk.segment('t', 0, 0)
  segment[segment.length - 1] = (segment[segment.length - 1] as number) ^ 1
  const before = Buffer.from(segment)
  await bench.tick()
  bench.nowMs += 1000
  await bench.tick()
  t.is(bench.logged.length, 1)
  t.regex(bench.logged[0] ?? '', /not compacted any more.*segment 0 holds no whole batch/)
  t.deepEqual(bench.disk.segment('t', 0, 0), before)
})

test('a disk without room only delays a round', async (t) => {
  const bench = dirtyBench({ 'log.cleaner.backoff.ms': '5000' })
  bench.fault = ({ kind, path }) =>
    kind === 'append' && path.endsWith('cleaned') ? { code: 'ENOSPC' } : undefined
  await bench.tick()
  t.regex(bench.logged[0] ?? '', /compaction has to wait/)
  bench.fault = () => undefined
  bench.nowMs += 5000
  await bench.tick()
  t.true((bench.log.cleanedOffset ?? 0) > 0)
})

test('a partition that goes away takes its round along', async (t) => {
  const bench = dirtyBench()
  await settle()
  await writeIndex(bench.log)
  const before = bases(bench)
  bench.cleaner.onTick()
  bench.cleaner.abort(bench.partition)
  bench.partition.goOffline()
  await settle()
  t.deepEqual(bases(bench), before)
  t.deepEqual(bench.logged, [])
})

test('what is deleted during a round does not come back', async (t) => {
  const bench = dirtyBench()
  await settle()
  await writeIndex(bench.log)
  bench.cleaner.onTick()
  const [, , third] = bases(bench)
  bench.log.advanceStartTo((third ?? 0) + 1, bench.nowMs, true)
  await settle()
  t.is(bench.log.logStartOffset, (third ?? 0) + 1)
  t.true((bases(bench)[0] ?? 0) >= (third ?? 0))
  bench.nowMs += 1000
  await bench.tick()
  t.true((bench.log.cleanedOffset ?? 0) > 0)
  t.is(bench.log.logStartOffset, (third ?? 0) + 1)
})

test('a compacted log reads the same after a start, with its index and without', async (t) => {
  const bench = dirtyBench()
  const { producers } = bench.log
  const known = [...producers.entries()].map((one) => structuredClone(one))
  await bench.tick()
  const batches = bench.read()
  const again = openLogOn(bench.storage, { 'internal.segment.bytes': '1000' })
  t.deepEqual([...again.producers.entries()], known)
  for (const { baseOffset, lastOffset } of batches) {
    t.deepEqual(readAt(again, lastOffset), [baseOffset])
  }
  bench.disk.shelf.clear()
  const rebuilt = openLogOn(bench.storage, { 'internal.segment.bytes': '1000' })
  t.is(rebuilt.logEndOffset, bench.log.logEndOffset)
  t.is(rebuilt.lastStableOffset, bench.log.lastStableOffset)
  // The last batch of each producer was kept, so its sequence is still known.
  for (const { producerId, batches: remembered, producerEpoch } of known) {
    const entry = rebuilt.producers.get(producerId)
    t.is(entry?.producerEpoch, producerEpoch)
    t.is(entry?.batches.at(-1)?.lastSequence, remembered.at(-1)?.lastSequence)
  }
})

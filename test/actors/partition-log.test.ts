import test from 'ava'
import fc from 'fast-check'
import { PartitionLog } from '../../src/actors/partition-log.ts'
import { MemoryDisk, MemoryStorage } from '../../src/storage/memory.ts'
import type { StorageFault } from '../../src/storage/memory-file.ts'
import { type BatchSketch, batchOf, markerOf, segmentOf } from '../log/batches.ts'
import { appendTo, openLogOn, partsOf, readAt, readBytes, topicConfig, writeIndex } from './logs.ts'

const SMALL = { 'segment.bytes': '1048576' }

/** A log that rolls after some 600 bytes. */
const TINY = { 'internal.segment.bytes': '600' }

function appendAll(log: PartitionLog, sketches: readonly BatchSketch[]): Buffer[] {
  return sketches.map((sketch) => {
    const batch = batchOf({ ...sketch, base: log.logEndOffset })
    appendTo(log, batch)
    return batch
  })
}

test('what was appended is read from every offset, over segments', (t) => {
  const log = openLogOn(new MemoryStorage(), TINY)
  const batches = appendAll(
    log,
    Array.from({ length: 30 }, (_, i) => ({ count: 1 + (i % 4) })),
  )
  t.true(log.segments.length > 3)
  t.deepEqual(readBytes(log), Buffer.concat(batches))
  for (let offset = 0; offset < log.logEndOffset; offset++) {
    const [base] = readAt(log, offset) as number[]
    t.true(base !== undefined && base <= offset)
  }
})

test('a read never crosses its upper offset nor its bytes, but for the first batch', (t) => {
  const log = openLogOn(new MemoryStorage(), SMALL)
  const bytes =
    appendAll(
      log,
      Array.from({ length: 10 }, () => ({ count: 2 })),
    )[0]?.length ?? 0
  t.deepEqual(readAt(log, 4, { maxBytes: bytes * 3 }), [4, 6, 8])
  t.deepEqual(readAt(log, 4, { maxBytes: bytes * 3 - 1 }), [4, 6])
  t.deepEqual(readAt(log, 5, { maxBytes: 1 }), [4])
  t.deepEqual(readAt(log, 5, { maxBytes: bytes - 1, minOneBatch: false }), [])
  t.deepEqual(readAt(log, 5, { maxBytes: bytes, minOneBatch: false }), [4])
  t.deepEqual(readAt(log, 4, { maxBytes: 1 << 20, upperOffset: 8 }), [4, 6])
})

type Step =
  | { kind: 'append'; sketch: BatchSketch }
  | { kind: 'index' | 'index-lost' | 'crash' | 'close' | 'forget-index' }
  | { kind: 'delete'; share: number }
  | { kind: 'read'; share: number; maxBytes: number }

const steps = fc.array(
  fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        kind: fc.constant('append' as const),
        sketch: fc.record({
          count: fc.integer({ min: 1, max: 5 }),
          valueBytes: fc.integer({ min: 0, max: 120 }),
        }),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('read' as const),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
        maxBytes: fc.integer({ min: 1, max: 2000 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constantFrom('index', 'index-lost', 'crash', 'close', 'forget-index' as const),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('delete' as const),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
    },
  ) as fc.Arbitrary<Step>,
  { maxLength: 60 },
)

/** A log beside the plainest model of one: a list of batches and a start. */
class Bench {
  readonly disk = new MemoryDisk()
  storage = new MemoryStorage(this.disk)
  log = openLogOn(this.storage, TINY)
  batches: { base: number; last: number; bytes: Buffer }[] = []
  start = 0
  end = 0
  producerSequence = 0
  /** The index was lost after the records of the producer's last batch: nothing knows it. */
  producerMayBeUnknown = false

  reopen(): void {
    this.storage = new MemoryStorage(this.disk)
    this.log = openLogOn(this.storage, TINY)
  }

  append(sketch: BatchSketch): void {
    const count = sketch.count ?? 1
    const sequence = this.producerSequence
    const idempotent = { producerId: 9, producerEpoch: 0, sequence }
    const bytes = batchOf({ ...sketch, ...idempotent, base: this.end })
    appendTo(this.log, bytes)
    this.batches.push({ base: this.end, last: this.end + count - 1, bytes })
    this.end += count
    this.producerSequence += count
    this.producerMayBeUnknown = false
  }
}

async function take(bench: Bench, step: Step): Promise<void> {
  switch (step.kind) {
    case 'append':
      bench.append(step.sketch)
      return
    case 'index':
      await writeIndex(bench.log)
      return
    case 'index-lost': {
      // The transaction begins, and the process dies before it holds.
      const update = bench.log.takeIndexUpdate()
      if (update !== undefined) bench.storage.index.write([update], () => {})
      bench.storage.drop()
      bench.reopen()
      return
    }
    case 'crash':
      bench.storage.drop()
      bench.reopen()
      return
    case 'close':
      bench.log.flushState.flushNow()
      await writeIndex(bench.log)
      bench.log.close()
      bench.reopen()
      return
    case 'forget-index':
      bench.storage.drop()
      bench.disk.shelf.clear()
      bench.reopen()
      if (bench.start === bench.end) bench.producerMayBeUnknown = true
      return
    case 'delete': {
      const offset = Math.round(bench.start + (bench.end - bench.start) * step.share)
      bench.log.advanceStartTo(offset, 5000, true)
      bench.start = Math.max(bench.start, offset)
      return
    }
    default:
  }
}

test('a log is the list of its batches, whatever crashes, closes and index losses come between', async (t) => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const bench = new Bench()
      for (const step of all) {
        await take(bench, step)
        const { log } = bench
        t.is(log.logEndOffset, bench.end)
        t.is(log.logStartOffset, bench.start)
        const entry = log.producers.get(9)
        if (entry !== undefined || !bench.producerMayBeUnknown) {
          t.is(entry?.batches.at(-1)?.lastOffset ?? -1, bench.end - 1)
        }
        if (step.kind !== 'read') continue
        const offset = Math.round(bench.start + (bench.end - bench.start) * step.share)
        const found = readAt(log, offset, { maxBytes: step.maxBytes })
        const first = bench.batches.findIndex((batch) => batch.last >= offset)
        const expected = bench.batches.slice(first, first + found.length).map((b) => b.base)
        t.deepEqual(found, first < 0 ? [] : expected)
        t.is(found.length > 0, offset < bench.end)
      }
      const held = bench.batches.filter((batch) => batch.last >= bench.start)
      const bytes = Buffer.concat(held.map((batch) => batch.bytes))
      t.deepEqual(readBytes(bench.log), bytes)
    }),
    {
      numRuns: 300,
      examples: [
        [
          [
            { kind: 'append', sketch: { count: 5, valueBytes: 0 } },
            { kind: 'delete', share: 1 },
            { kind: 'index' },
            { kind: 'forget-index' },
          ],
        ],
      ],
    },
  )
})

test('a clean stop leaves nothing to scan', async (t) => {
  const disk = new MemoryDisk()
  const log = openLogOn(new MemoryStorage(disk), TINY)
  appendAll(
    log,
    Array.from({ length: 20 }, () => ({ count: 3 })),
  )
  log.flushState.flushNow()
  await writeIndex(log)
  const reads: string[] = []
  const storage = new MemoryStorage(disk, {
    fault: ({ kind }) => {
      if (kind === 'read') reads.push(kind)
      return undefined
    },
  })
  const again = openLogOn(storage, TINY)
  t.deepEqual(reads, [])
  t.is(again.logEndOffset, 60)
})

test('a crash costs a scan of what lies behind the checkpoint, no more', async (t) => {
  const disk = new MemoryDisk()
  const log = openLogOn(new MemoryStorage(disk), SMALL)
  appendAll(
    log,
    Array.from({ length: 20 }, () => ({ count: 3 })),
  )
  await writeIndex(log)
  const [last] = appendAll(log, [{ count: 3 }])
  const again = openLogOn(new MemoryStorage(disk), SMALL, true)
  t.is(again.logEndOffset, 63)
  const parts = partsOf(new MemoryStorage(disk))
  const report = new PartitionLog(parts, topicConfig()).open(true)
  t.is(report.scannedBytes, last?.length ?? 0)
  t.false(report.rebuilt)
})

test('an index that could not be written is written whole by the next transaction', async (t) => {
  const disk = new MemoryDisk()
  let fault: StorageFault | undefined = { code: 'ENOSPC' }
  const storage = new MemoryStorage(disk, {
    fault: ({ kind }) => (kind === 'index-write' ? fault : undefined),
  })
  const log = openLogOn(storage, TINY)
  const producer = { producerId: 4, producerEpoch: 0, count: 1 }
  for (let i = 0; i < 12; i++) {
    appendTo(log, batchOf({ ...producer, sequence: i, transactional: true, base: i }))
  }
  appendTo(log, markerOf({ ...producer, commit: false, base: 12 }))
  t.truthy(await writeIndex(log))
  fault = undefined
  t.is(await writeIndex(log), undefined)
  storage.drop()
  const parts = partsOf(new MemoryStorage(disk))
  const again = new PartitionLog(parts, topicConfig(TINY))
  const report = again.open(true)
  t.deepEqual([report.scannedBytes, report.rebuilt], [0, false])
  t.is(again.producers.get(4)?.batches.at(-1)?.lastSequence, 11)
  t.is(again.abortedBetween(0, 13).length, 1)
  t.deepEqual(again.epochs.entries(), [{ epoch: 0, startOffset: 0 }])
})

test('a log whose opening failed says nothing to the index', async (t) => {
  const disk = new MemoryDisk()
  const log = openLogOn(new MemoryStorage(disk), TINY)
  const batches = appendAll(
    log,
    Array.from({ length: 20 }, () => ({ count: 2 })),
  )
  let reads = 0
  const storage = new MemoryStorage(disk, {
    fault: ({ kind }) => (kind === 'read' && ++reads > 3 ? { code: 'EIO' } : undefined),
  })
  const broken = new PartitionLog(partsOf(storage), topicConfig(TINY))
  t.throws(() => broken.open(true))
  t.is(broken.takeIndexUpdate(), undefined)
  await writeIndex(broken)
  t.deepEqual(readBytes(openLogOn(new MemoryStorage(disk), TINY)), Buffer.concat(batches))
})

test('a failed append leaves the log as it was', (t) => {
  const disk = new MemoryDisk()
  let fault: StorageFault | undefined
  const storage = new MemoryStorage(disk, {
    fault: ({ kind }) => (kind === 'append' ? fault : undefined),
  })
  const log = openLogOn(storage, TINY)
  const [first] = appendAll(log, [{ count: 2 }])
  for (const stays of [false, true]) {
    fault = { code: 'ENOSPC', landed: 30, stays }
    const batch = batchOf({ base: log.logEndOffset, text: 'lost' })
    t.throws(() => appendTo(log, batch), { message: /ENOSPC/ })
    t.is(log.logEndOffset, 2)
    t.deepEqual(readBytes(log), first)
  }
  t.deepEqual(readBytes(openLogOn(new MemoryStorage(disk), TINY)), first)
  fault = undefined
  const [second] = appendAll(log, [{ count: 1 }])
  const both = Buffer.concat([first as Buffer, second as Buffer])
  t.deepEqual(readBytes(log), both)
  t.deepEqual(readBytes(openLogOn(new MemoryStorage(disk), TINY)), both)
})

test('idempotence survives the deletion of all records and a restart', async (t) => {
  const disk = new MemoryDisk()
  const log = openLogOn(new MemoryStorage(disk), TINY)
  appendTo(log, batchOf({ producerId: 4, producerEpoch: 1, sequence: 0, count: 3 }))
  log.advanceStartTo(3, 5000, true)
  log.flushState.flushNow()
  await writeIndex(log)
  const again = openLogOn(new MemoryStorage(disk), TINY)
  t.is(again.logStartOffset, 3)
  t.is(again.logEndOffset, 3)
  t.is(again.producers.get(4)?.batches.at(-1)?.lastSequence, 2)
})

test('records below the start stay deleted after a crash', (t) => {
  const disk = new MemoryDisk()
  const storage = new MemoryStorage(disk)
  const log = openLogOn(storage, TINY)
  appendAll(
    log,
    Array.from({ length: 20 }, () => ({ count: 2 })),
  )
  log.advanceStartTo(17, 5000, true)
  t.true((log.segments[0]?.baseOffset ?? 0) > 0)
  storage.drop()
  t.is(openLogOn(new MemoryStorage(disk), TINY).logStartOffset, 17)
})

test('a start below the oldest segment is the start of that segment', async (t) => {
  const disk = new MemoryDisk()
  const log = openLogOn(new MemoryStorage(disk), TINY)
  appendAll(
    log,
    Array.from({ length: 20 }, () => ({ count: 2 })),
  )
  log.advanceStartTo(1, 5000, true)
  log.removeOldest()
  await writeIndex(log)
  const oldest = log.segments[0]?.baseOffset as number
  t.is(openLogOn(new MemoryStorage(disk), TINY).logStartOffset, oldest)
})

test('a flipped byte is never served, and the rest is', async (t) => {
  const sketches = Array.from({ length: 9 }, (_, i) => ({ count: 1 + (i % 3), valueBytes: i * 9 }))
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(7), fc.boolean(), async (place, bit, indexed) => {
      const disk = new MemoryDisk()
      const log = openLogOn(new MemoryStorage(disk), SMALL)
      const batches = appendAll(log, sketches)
      if (indexed) await writeIndex(log)
      const bytes = disk.segment('t', 0, 0)
      const at = place % bytes.length
      let position = 0
      let offset = 0
      let hit = 0
      let hitFrom = 0
      let hitTo = 0
      for (const [i, batch] of batches.entries()) {
        const count = sketches[i]?.count ?? 1
        if (at >= position) [hit, hitFrom, hitTo] = [i, offset, offset + count]
        position += batch.length
        offset += count
      }
      const within = at - (Buffer.concat(batches.slice(0, hit)).length as number)
      fc.pre(within < 12 || within > 15)
      fc.pre(within > 7 || hit < batches.length - 1 || indexed)
      bytes[at] = (bytes[at] as number) ^ (1 << bit)
      const again = openLogOn(new MemoryStorage(disk), SMALL)
      for (let asked = 0; asked < again.logEndOffset; asked++) {
        const found = readAt(again, asked, { maxBytes: 200 })
        const inside = asked >= hitFrom && asked < hitTo
        t.is(found === 'corrupt', inside, `${asked} of ${hitFrom}-${hitTo} at ${within}`)
        if (found === 'corrupt') continue
        t.false(found.includes(hitFrom))
        t.true(found.length > 0)
      }
      t.true(again.logEndOffset === offset || hit === batches.length - 1)
    }),
    {
      numRuns: 500,
      // Lengths that lead to the last bytes of the file, a last offset that lies.
      examples: [
        [797, 1, true],
        [921, 0, true],
        [1144, 1, true],
        [797, 1, false],
        [921, 0, false],
      ],
    },
  )
})

test('a damaged end of an older segment is damage, not a hole', (t) => {
  const disk = new MemoryDisk()
  const log = openLogOn(new MemoryStorage(disk), TINY)
  appendAll(
    log,
    Array.from({ length: 20 }, () => ({ count: 2 })),
  )
  const second = log.segments[1]?.baseOffset as number
  const bytes = disk.segment('t', 0, 0)
  bytes[bytes.length - 3] = 0
  const again = openLogOn(new MemoryStorage(disk), TINY)
  t.is(readAt(again, second - 1), 'corrupt')
  t.deepEqual(readAt(again, second), [second])
  t.is(again.logEndOffset, 40)
})

test('what a cut took from the end of an older segment is damage, however little is left', (t) => {
  for (const left of [1, 40, 60, 61, 70]) {
    const disk = new MemoryDisk()
    const log = openLogOn(new MemoryStorage(disk), TINY)
    appendAll(
      log,
      Array.from({ length: 20 }, () => ({ count: 2 })),
    )
    const second = log.segments[1]?.baseOffset as number
    const bytes = disk.segment('t', 0, 0)
    // A batch of the first segment, and the beginning of the next one.
    const cut = bytes.subarray(0, bytes.readInt32BE(8) + 12 + left)
    disk.putSegment('t', 0, 0, cut)
    const again = openLogOn(new MemoryStorage(disk), TINY)
    t.deepEqual(readAt(again, 0), [0], `${left} bytes`)
    // Twice: where a read went on from, and where none was before.
    t.is(readAt(again, 2), 'corrupt', `${left} bytes`)
    again.forgetCursors()
    t.is(readAt(again, 2), 'corrupt', `${left} bytes`)
    t.is(readAt(again, second - 1), 'corrupt', `${left} bytes`)
    t.deepEqual(readAt(again, second), [second], `${left} bytes`)
  }
})

test('a segment cut below the checkpoint is scanned anew and the log goes on behind it', async (t) => {
  const disk = new MemoryDisk()
  const storage = new MemoryStorage(disk)
  const log = openLogOn(storage, SMALL)
  const batches = appendAll(
    log,
    Array.from({ length: 8 }, () => ({ count: 2 })),
  )
  await writeIndex(log)
  const whole = Buffer.concat(batches.slice(0, 5))
  disk.putSegment('t', 0, 0, disk.segment('t', 0, 0).subarray(0, whole.length + 40))
  const again = openLogOn(new MemoryStorage(disk), SMALL)
  t.is(again.logEndOffset, 10)
  t.deepEqual(readBytes(again), whole)
  const [next] = appendAll(again, [{ count: 1 }])
  t.deepEqual(readBytes(again), Buffer.concat([whole, next as Buffer]))
})

test('a segment that was put into the directory is served, gaps and all', (t) => {
  const disk = new MemoryDisk()
  const gapped = [batchOf({ base: 3 }), batchOf({ base: 10, count: 2 }), batchOf({ base: 30 })]
  disk.putSegment('t', 0, 3, Buffer.concat(gapped))
  disk.putSegment('t', 0, 50, segmentOf(52, [{ count: 2 }, { count: 3 }]))
  const log = openLogOn(new MemoryStorage(disk), SMALL)
  t.is(log.logStartOffset, 3)
  t.is(log.logEndOffset, 57)
  const from = (offset: number) => (readAt(log, offset) as number[])[0]
  const asked = [3, 4, 10, 11, 12, 30, 31, 50, 53, 54, 56]
  t.deepEqual(asked.map(from), [3, 10, 10, 10, 30, 30, 52, 52, 52, 54, 54])
})

test('aborted transactions are told, from the index and from what waits for it', async (t) => {
  const disk = new MemoryDisk()
  const p = (producerId: number) => ({ producerId, producerEpoch: 0 })
  const bytes = Buffer.concat([
    batchOf({ ...p(1), base: 0, count: 2, sequence: 0, transactional: true }),
    batchOf({ ...p(2), base: 2, count: 1, sequence: 0, transactional: true }),
    markerOf({ ...p(1), base: 3, commit: false }),
    batchOf({ base: 4 }),
    markerOf({ ...p(2), base: 5, commit: true }),
    batchOf({ ...p(1), base: 6, sequence: 2, transactional: true }),
  ])
  disk.putSegment('t', 0, 0, bytes)
  const storage = new MemoryStorage(disk)
  const log = openLogOn(storage, SMALL)
  const told = (l: PartitionLog) =>
    [
      [0, 7],
      [3, 7],
      [4, 7],
      [0, 0],
    ].map(([from, to]) => l.abortedBetween(from as number, to as number).map((a) => a.firstOffset))
  t.deepEqual(told(log), [[0], [0], [], []])
  t.is(log.lastStableOffset, 6)
  await writeIndex(log)
  t.deepEqual(told(log), [[0], [0], [], []])
  const again = openLogOn(new MemoryStorage(disk), SMALL)
  t.deepEqual(told(again), [[0], [0], [], []])
  t.is(again.lastStableOffset, 6)
  appendTo(again, markerOf({ ...p(1), base: 7, commit: true }))
  t.is(again.lastStableOffset, 8)
})

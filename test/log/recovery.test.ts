import test from 'ava'
import fc from 'fast-check'
import { SCAN_WINDOW_BYTES, type ScanResult, scanSegment } from '../../src/log/recovery.ts'
import { baseOffset, setBaseOffset } from '../../src/protocol/record-batch.ts'
import { type BatchSketch, batchOf, crc32c, segmentOf } from './batches.ts'

interface Scan extends ScanResult {
  /** Position and base offset of each visited batch. */
  visited: [number, number][]
}

function scan(bytes: Buffer, from = 0, minOffset = 0): Scan {
  const visited: [number, number][] = []
  // Each read reuses its memory, as the shell's reader does: what was shown before is gone.
  const memory = Buffer.alloc(Math.max(1, bytes.length))
  const read = (position: number, length: number) => {
    const n = bytes.copy(memory, 0, position, Math.min(bytes.length, position + length))
    return memory.subarray(0, n)
  }
  const result = scanSegment(
    read,
    { from, size: bytes.length, minOffset },
    crc32c,
    (b, at, position) => visited.push([position, baseOffset(b, at)]),
  )
  return { ...result, visited }
}

const sketches = fc.array(
  fc.record({
    count: fc.integer({ min: 1, max: 5 }),
    valueBytes: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.constant(3000)),
  }),
  { minLength: 1, maxLength: 12 },
)

/** Position and base offset of each batch in a segment made of `batches`. */
function layoutOf(batches: readonly Buffer[]): [number, number][] {
  let position = 0
  return batches.map((batch) => {
    const at: [number, number] = [position, baseOffset(batch, 0)]
    position += batch.length
    return at
  })
}

function batchesOf(all: readonly BatchSketch[], base = 0): Buffer[] {
  let next = base
  return all.map((sketch) => {
    const batch = batchOf({ ...sketch, base: next })
    next += sketch.count ?? 1
    return batch
  })
}

test('an undamaged segment is visited whole, from any batch on', (t) => {
  fc.assert(
    fc.property(sketches, fc.nat(11), (all, start) => {
      const layout = layoutOf(batchesOf(all, 40))
      const from = layout[start % layout.length] as [number, number]
      const bytes = segmentOf(40, all)
      const found = scan(bytes, from[0], from[1])
      t.deepEqual(found.visited, layout.slice(start % layout.length))
      t.is(found.end, bytes.length)
      t.deepEqual(found.damaged, [])
    }),
  )
})

test('one flipped byte costs the batch it is in and no other', (t) => {
  fc.assert(
    fc.property(sketches, fc.nat(), fc.integer({ min: 0, max: 7 }), (all, place, bit) => {
      const batches = batchesOf(all, 100)
      const layout = layoutOf(batches)
      const bytes = Buffer.concat(batches)
      const at = place % bytes.length
      const hit = layout.findLastIndex(([position]) => position <= at)
      const within = at - (layout[hit] as [number, number])[0]
      // Bytes 12-15 (the leader epoch) are covered by nothing; a log's last offset by nothing
      // behind it.
      fc.pre(within < 12 || within > 15)
      fc.pre(within > 7 || hit < batches.length - 1)
      bytes[at] = (bytes[at] as number) ^ (1 << bit)
      const found = scan(bytes, 0, 100)
      t.deepEqual(found.visited, layout.toSpliced(hit, 1))
      if (hit === batches.length - 1) t.is(found.end, (layout[hit] as [number, number])[0])
      else t.is(found.end, bytes.length)
    }),
    { numRuns: 400 },
  )
})

test('a torn tail, zeros or noise behind the last batch are cut off', (t) => {
  const tail = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 300 }),
    fc.integer({ min: 1, max: 5000 }).map((n) => new Uint8Array(n)),
    fc
      .integer({ min: 1, max: 80 })
      .map((n) => batchOf({ base: 1e6, valueBytes: 200 }).subarray(0, n)),
    fc.uint8Array({ minLength: 100, maxLength: 400 }).map((bytes) => bytes.fill(2)),
  )
  fc.assert(
    fc.property(sketches, tail, (all, torn) => {
      const whole = segmentOf(0, all)
      const found = scan(Buffer.concat([whole, torn.subarray(0, 80)]))
      t.is(found.end, whole.length)
      t.is(found.visited.length, all.length)
      t.deepEqual(found.damaged, [])
    }),
  )
})

test('noise between batches is one damaged range and hides none of them', (t) => {
  fc.assert(
    fc.property(
      sketches,
      sketches,
      fc.uint8Array({ minLength: 1, maxLength: 500 }),
      (before, behind, noise) => {
        const first = batchesOf(before)
        const next = before.reduce((sum, one) => sum + one.count, 0)
        const second = batchesOf(behind, next)
        const head = Buffer.concat(first)
        const found = scan(Buffer.concat([head, noise, ...second]))
        t.deepEqual(found.damaged, [{ from: head.length, to: head.length + noise.length }])
        const shifted = layoutOf(second).map(([p, o]) => [p + head.length + noise.length, o])
        t.deepEqual(found.visited, [...layoutOf(first), ...shifted] as [number, number][])
      },
    ),
  )
})

test('batches larger than the window of the scan are found whole', (t) => {
  const batches = batchesOf([
    { valueBytes: 10 },
    { valueBytes: SCAN_WINDOW_BYTES + 5 },
    { valueBytes: SCAN_WINDOW_BYTES * 2 },
    { valueBytes: 10 },
  ])
  t.deepEqual(scan(Buffer.concat(batches)).visited, layoutOf(batches))
  const second = batches[1] as Buffer
  second[SCAN_WINDOW_BYTES] = 1
  const found = scan(Buffer.concat(batches))
  t.deepEqual(found.visited, layoutOf(batches).toSpliced(1, 1))
})

test('offsets may have gaps, as compaction leaves them', (t) => {
  const batches = [batchOf({ base: 3 }), batchOf({ base: 10 }), batchOf({ base: 4000 })]
  const found = scan(Buffer.concat(batches))
  t.deepEqual(found.visited, layoutOf(batches))
  t.deepEqual(found.damaged, [])
})

test('a base offset that was raised does not cost the batches behind it', (t) => {
  for (const raised of [2, 5, 12, 2 ** 40]) {
    const batches = batchesOf(Array.from({ length: 6 }, () => ({ count: 2 })))
    setBaseOffset(batches[1] as Buffer, 0, 2 + raised)
    t.deepEqual(scan(Buffer.concat(batches)).visited, layoutOf(batches).toSpliced(1, 1))
  }
})

test('a batch that repeats offsets is damage', (t) => {
  const batches = [batchOf({ base: 0, count: 5 }), batchOf({ base: 3 }), batchOf({ base: 5 })]
  t.deepEqual(scan(Buffer.concat(batches)).visited, layoutOf(batches).toSpliced(1, 1))
})

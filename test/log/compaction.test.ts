import test from 'ava'
import {
  type CompactedLog,
  type CompactedSegment,
  type CompactionRules,
  cleanable,
  groupSegments,
} from '../../src/log/compaction.ts'
import { KeyHash } from '../../src/log/key-hash.ts'
import { OffsetMap } from '../../src/log/offset-map.ts'
import { Seeded } from '../support/seeded.ts'

const NOW_MS = 1_000_000

/** Segments of 100 offsets and 10 bytes; the youngest began one second ago. */
function logOf(count: number, over: Partial<CompactedLog> = {}): CompactedLog {
  const segments = Array.from({ length: count }, (_, i): CompactedSegment => {
    const firstTimestamp = NOW_MS - (count - i) * 1000
    return { baseOffset: i * 100, size: 10, largestTimestamp: firstTimestamp + 500, firstTimestamp }
  })
  const end = count * 100
  return {
    segments,
    logStartOffset: 0,
    logEndOffset: end,
    lastStableOffset: end,
    cleanedOffset: undefined,
    settledOffset: end,
    ...over,
  }
}

/** First dirty offset, first that has to stay, and the bytes before and between. */
function rangeOf(log: CompactedLog, over: Partial<CompactionRules> = {}): string {
  const rules = {
    minCleanableDirtyRatio: 0.5,
    minCompactionLagMs: 0,
    maxCompactionLagMs: Number.MAX_SAFE_INTEGER,
    ...over,
  }
  const found = cleanable(log, rules, NOW_MS)
  const { firstDirtyOffset: from, firstUncleanableOffset: to, cleanBytes, cleanableBytes } = found
  return `${from} to ${to}: ${cleanBytes} + ${cleanableBytes}${found.due ? ', due' : ''}`
}

test('everything but the active segment may be compacted', (t) => {
  t.is(rangeOf(logOf(4)), '0 to 300: 0 + 30, due')
  t.is(rangeOf(logOf(1)), '0 to 0: 0 + 0')
  t.is(rangeOf(logOf(0)), '0 to 0: 0 + 0')
})

test('a round begins where the last one ended, and is due by the share of dirty bytes', (t) => {
  t.is(rangeOf(logOf(5, { cleanedOffset: 200 })), '200 to 400: 20 + 20')
  t.is(rangeOf(logOf(5, { cleanedOffset: 100 })), '100 to 400: 10 + 30, due')
  const rules = { minCleanableDirtyRatio: 0.75 }
  t.is(rangeOf(logOf(5, { cleanedOffset: 100 }), rules), '100 to 400: 10 + 30')
  t.is(rangeOf(logOf(5, { cleanedOffset: 400 })), '400 to 400: 40 + 0')
})

test('a checkpoint outside of the log is not believed', (t) => {
  const below = logOf(4, { cleanedOffset: 50, logStartOffset: 120 })
  t.is(rangeOf(below), '120 to 300: 20 + 20')
  t.is(rangeOf(logOf(4, { cleanedOffset: 401 })), '0 to 300: 0 + 30, due')
})

test('a segment with an open transaction stays, and all behind it', (t) => {
  t.is(rangeOf(logOf(5, { lastStableOffset: 250 })), '0 to 200: 0 + 20, due')
  t.is(rangeOf(logOf(5, { lastStableOffset: 0 })), '0 to 0: 0 + 0')
})

test('a segment that the storage has not settled stays', (t) => {
  t.is(rangeOf(logOf(5, { settledOffset: 100 })), '0 to 100: 0 + 10, due')
})

test('records younger than min.compaction.lag.ms stay', (t) => {
  t.is(rangeOf(logOf(5), { minCompactionLagMs: 2500 }), '0 to 300: 0 + 30, due')
  t.is(rangeOf(logOf(5), { minCompactionLagMs: 4500 }), '0 to 100: 0 + 10, due')
  t.is(rangeOf(logOf(5), { minCompactionLagMs: 9000 }), '0 to 0: 0 + 0')
})

test('records older than max.compaction.lag.ms make a round due', (t) => {
  const log = logOf(5, { cleanedOffset: 300 })
  t.is(rangeOf(log), '300 to 400: 30 + 10')
  t.is(rangeOf(log, { maxCompactionLagMs: 1999 }), '300 to 400: 30 + 10, due')
  t.is(rangeOf(log, { maxCompactionLagMs: 2000 }), '300 to 400: 30 + 10')
})

test('neighbours are rewritten into one segment as long as they fit', (t) => {
  const group = (sizes: number[], bytesMax: number, span = 100) =>
    groupSegments(
      sizes.map((size, i) => ({ baseOffset: i * span, size })),
      bytesMax,
      sizes.length * span,
    ).map((one) => one.map(({ size }) => size))
  t.deepEqual(group([5, 5, 5, 9, 1], 10), [[5, 5], [5], [9, 1]])
  t.deepEqual(group([50], 10), [[50]])
  t.deepEqual(group([], 10), [])
  // Offsets within a segment have 31 bits.
  t.deepEqual(group([1, 1, 1], 10, 2 ** 30), [[1, 1], [1]])
  t.deepEqual(group([1, 0, 0], 10, 2 ** 30), [[1, 0, 0]])
})

const HASH_KEY = [1, 2] as const

test('the offset map answers the last offset of each key, however much it has grown', (t) => {
  const random = new Seeded(5)
  const keys = Array.from({ length: 40_000 }, () => random.bytes(random.between(0, 20)))
  const map = OffsetMap.within({ keysMax: 80_000, bytesMax: 1 << 24, loadFactor: 0.9 }, HASH_KEY)
  const last = new Map<string, number>()
  for (let offset = 0; offset < 100_000; offset += random.between(1, 2)) {
    const key = random.pick(keys)
    map.put(key, 0, key.length, offset + 2 ** 40)
    last.set(key.toString('hex'), offset + 2 ** 40)
  }
  // A map of the same memory on another thread answers the same.
  const other = new OffsetMap(map.state())
  const wrong = keys.filter((key) => {
    return other.get(key, 0, key.length) !== (last.get(key.toString('hex')) ?? -1)
  })
  t.deepEqual(wrong, [])
  t.is(map.size, last.size)
  const offsets = new Set(last.values())
  other.each((offset) => offsets.delete(offset))
  t.is(offsets.size, 0)
})

/** Fills a map; answers how many keys it took, and its memory at each size. */
function filled(room: { keysMax: number; bytesMax: number; loadFactor: number }) {
  const map = OffsetMap.within(room, HASH_KEY)
  const key = Buffer.alloc(4)
  const sizes = [map.state().memory.byteLength]
  while (!map.isFull && map.size < room.keysMax) {
    key.writeInt32LE(map.size)
    map.put(key, 0, 4, map.size)
    const { byteLength } = map.state().memory
    if (byteLength !== sizes.at(-1)) sizes.push(byteLength)
  }
  return { keys: map.size, sizes }
}

test('the offset map takes no more memory than it may, also while it grows', (t) => {
  t.deepEqual(filled({ keysMax: 1_000_000, bytesMax: 4800, loadFactor: 0.9 }), {
    keys: 180,
    sizes: [4800],
  })
  const bytesMax = 10_000_000
  const large = filled({ keysMax: 1_000_000, bytesMax, loadFactor: 0.9 })
  t.true(large.keys > (bytesMax / 24) * 0.9 * 0.87, `${large.keys} keys`)
  t.true(large.sizes.length > 3)
  for (const [i, size] of large.sizes.entries())
    t.true(size + (large.sizes[i - 1] ?? 0) <= bytesMax)
})

test('the offset map holds as many keys as may come, and takes little more', (t) => {
  for (const keysMax of [0, 1, 10, 5000, 50_000]) {
    const { keys, sizes } = filled({ keysMax, bytesMax: 1 << 27, loadFactor: 0.9 })
    t.is(keys, keysMax)
    t.true((sizes.at(-1) as number) <= (keysMax + 2) * 24 * 1.4, `${sizes} for ${keysMax}`)
  }
})

test('key hashes are HalfSipHash-2-4 with a wider output', (t) => {
  // The first of the reference's vectors_hsip64: key 00..07, an empty message.
  const key = Buffer.from([0, 1, 2, 3, 4, 5, 6, 7])
  const hash = new KeyHash([key.readInt32LE(0), key.readInt32LE(4)])
  hash.hash(Buffer.alloc(0), 0, 0)
  const bytes = Buffer.alloc(8)
  bytes.writeInt32LE(hash.words[0] as number, 0)
  bytes.writeInt32LE(hash.words[1] as number, 4)
  t.is(bytes.toString('hex'), '218d1f59b9b83cc8')
})

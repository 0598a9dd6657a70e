import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import type { Log } from '../../src/base/log.ts'
import { DiskDirectory } from '../../src/storage/directory.ts'
import { DiskStorage } from '../../src/storage/disk.ts'
import { discardDamagedIndex } from '../../src/storage/index-check.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { Removals } from '../../src/storage/removals.ts'
import { OpenFiles } from '../../src/storage/segment-file.ts'
import type { IndexUpdate, OffsetIndex } from '../../src/storage/storage.ts'
import { StorageError } from '../../src/storage/storage-error.ts'
import { appendTo, openLogOn, readAt, readBytes, TOPIC_ID, writeIndex } from '../actors/logs.ts'
import { batchOf } from '../log/batches.ts'

function temporary(t: { teardown: (f: () => void) => void }): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'odradek-storage-'))
  t.teardown(() => fs.rmSync(directory, { recursive: true, force: true }))
  return directory
}

function logOf(): Log & { lines: string[] } {
  const lines: string[] = []
  const note = (message: string) => lines.push(message)
  return { lines, debug: note, info: note, warn: note, error: note }
}

const TINY = { 'internal.segment.bytes': '600' }

test('a log on disk is read back after a clean stop and after a crash', async (t) => {
  const directory = temporary(t)
  const open = () => new DiskStorage(directory, 10, logOf())
  let storage = open()
  let log = openLogOn(storage, TINY)
  const batches: Buffer[] = []
  for (let i = 0; i < 20; i++) {
    const batch = batchOf({
      base: log.logEndOffset,
      count: 2,
      producerId: 4,
      producerEpoch: 0,
      sequence: i * 2,
    })
    appendTo(log, batch)
    batches.push(batch)
    if (i === 12) await writeIndex(log)
  }
  // A crash: nothing was flushed, closed or told to the index since.
  await storage.close()
  storage = open()
  log = openLogOn(storage, TINY)
  t.true(readBytes(log).equals(Buffer.concat(batches)))
  t.is(log.producers.get(4)?.batches.at(-1)?.lastSequence, 39)
  log.flushState.flushNow()
  await writeIndex(log)
  log.close()
  await storage.close()
  storage = open()
  log = openLogOn(storage, TINY)
  t.is(log.logEndOffset, 40)
  t.deepEqual(readAt(log, 17), [16])
  log.close()
  await storage.close()
})

test('thousands of logs share a few descriptors', async (t) => {
  const directory = temporary(t)
  const files = new OpenFiles(4)
  const logs = Array.from({ length: 50 }, (_, i) => {
    const on = new MemoryStorage()
    const parts = {
      directory: () => new DiskDirectory(directory, 't', i, TOPIC_ID, files, new Removals()),
    }
    return openLogOn(Object.assign(on, parts))
  })
  const open = () =>
    fs.readdirSync('/proc/self/fd').filter((fd) => isIn(directory, `/proc/self/fd/${fd}`)).length
  for (let round = 0; round < 4; round++) {
    for (const log of logs) appendTo(log, batchOf({ base: round, text: log.parts.name }))
    t.true(files.count <= 4)
    if (fs.existsSync('/proc/self/fd')) t.true(open() <= 4)
  }
  for (const log of logs) for (const at of [3, 0, 2]) t.deepEqual(readAt(log, at), [at])
  // A flush that is under way keeps its descriptor until it is done.
  const flushes = logs.map((log) => new Promise((resolve) => log.flushState.flush(resolve)))
  t.true(files.count <= 4)
  t.true((await Promise.all(flushes)).every((error) => error === undefined))
  for (const log of logs) log.close()
  t.is(files.count, 0)
})

function isIn(directory: string, descriptor: string): boolean {
  try {
    return fs.readlinkSync(descriptor).startsWith(directory)
  } catch {
    return false
  }
}

test('a full disk says ENOSPC even when some bytes found room', (t) => {
  const directory = temporary(t)
  const segments = new DiskDirectory(directory, 't', 0, TOPIC_ID, new OpenFiles(4), new Removals())
  const file = segments.create(0)
  file.append([Buffer.alloc(100, 1)], 100)
  const { writeSync } = fs
  let calls = 0
  // As write(2) does: first what finds room, then the error.
  fs.writeSync = ((fd: number, bytes: Uint8Array, at: number, n: number, position: number) => {
    if (calls++ > 0) throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
    return writeSync(fd, bytes, at, Math.min(n, 30), position)
  }) as typeof fs.writeSync
  try {
    const error = t.throws(() => file.append([Buffer.alloc(50, 2)], 50), {
      instanceOf: StorageError,
    })
    t.is(error.code, 'ENOSPC')
  } finally {
    fs.writeSync = writeSync
  }
  t.is(file.size, 100)
  t.is(fs.statSync(path.join(directory, 't-0', '00000000000000000000.log')).size, 100)
  file.append([Buffer.alloc(50, 3), Buffer.alloc(2, 4)], 52)
  t.is(file.size, 152)
  file.close()
})

test('a removed segment does not come back as an empty file', (t) => {
  const directory = temporary(t)
  const segments = new DiskDirectory(directory, 't', 0, TOPIC_ID, new OpenFiles(4), new Removals())
  const file = segments.create(0)
  file.append([Buffer.alloc(10)], 10)
  segments.remove(0, 0)
  t.throws(() => file.append([Buffer.alloc(10)], 10), { instanceOf: StorageError })
  t.deepEqual(segments.list(), [])
})

test('the start of a log is kept in Kafka’s form, and half a file is no start', (t) => {
  const directory = temporary(t)
  const segments = new DiskDirectory(
    directory,
    'a-b',
    3,
    TOPIC_ID,
    new OpenFiles(4),
    new Removals(),
  )
  t.is(segments.readLogStartOffset(), undefined)
  segments.create(0)
  segments.writeLogStartOffset(42, true)
  const file = path.join(directory, 'a-b-3', 'log-start-offset-checkpoint')
  t.is(fs.readFileSync(file, 'utf8'), '0\n1\na-b 3 42\n')
  t.is(segments.readLogStartOffset(), 42)
  for (const text of ['', '0\n', '0\n1\n', '0\n1\na-b 3 x\n', '0\n1\na-b 3 -4\n']) {
    fs.writeFileSync(file, text)
    t.is(segments.readLogStartOffset(), undefined, JSON.stringify(text))
  }
  t.is(
    fs.readFileSync(path.join(directory, 'a-b-3', 'partition.metadata'), 'utf8'),
    `version: 0\ntopic_id: ${TOPIC_ID}\n`,
  )
})

test('a deleted partition is gone at once, and its leftovers at the next start', async (t) => {
  const directory = temporary(t)
  const log = logOf()
  const storage = new DiskStorage(directory, 10, log)
  openLogOn(storage).close()
  storage.removePartition('t', 0, TOPIC_ID)
  t.false(fs.existsSync(path.join(directory, 't-0')))
  const leftover = path.join(directory, `t-1.${TOPIC_ID}-delete`)
  fs.mkdirSync(leftover)
  fs.writeFileSync(path.join(leftover, '00000000000000000000.log'), 'x')
  fs.mkdirSync(path.join(directory, 't-delete-0'))
  storage.removeDeletedPartitions()
  const there = () => fs.readdirSync(directory).filter((name) => name.endsWith('-delete'))
  while (there().length > 0) await new Promise((resolve) => setImmediate(resolve))
  t.true(fs.existsSync(path.join(directory, 't-delete-0')))
  await storage.close()
})

test('what is not removed when the storage is closed goes at the next start', async (t) => {
  const directory = temporary(t)
  const there = () => fs.readdirSync(directory).filter((name) => name.endsWith('-delete'))
  for (let i = 0; i < 10; i++) fs.mkdirSync(path.join(directory, `t-${i}.${TOPIC_ID}-delete`))
  const first = new DiskStorage(directory, 10, logOf())
  first.removeDeletedPartitions()
  await first.close()
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.true(there().length >= 9)
  const second = new DiskStorage(directory, 10, logOf())
  second.removeDeletedPartitions()
  while (there().length > 0) await new Promise((resolve) => setImmediate(resolve))
  await second.close()
  t.pass()
})

test('a damaged index is made anew, with one line in the log', async (t) => {
  const damages: ((file: string) => void)[] = [
    (file) => fs.writeFileSync(file, Buffer.alloc(8192, 0x5a)),
    (file) => fs.truncateSync(file, 100),
    (file) => fs.truncateSync(file, 0),
    (file) => fs.rmSync(file),
  ]
  for (const damage of damages) {
    const directory = temporary(t)
    let storage = new DiskStorage(directory, 10, logOf())
    let log = openLogOn(storage, TINY)
    for (let i = 0; i < 10; i++) appendTo(log, batchOf({ base: i }))
    await writeIndex(log)
    log.close()
    await storage.close()
    damage(path.join(directory, 'odradek', 'index', 'data.mdb'))
    const said = logOf()
    discardDamagedIndex(directory, { wasClean: false, sameBoot: true }, said)
    t.true(said.lines.length <= 1)
    storage = new DiskStorage(directory, 10, logOf())
    log = openLogOn(storage, TINY)
    t.is(log.logEndOffset, 10)
    t.deepEqual(readAt(log, 7), [7])
    await writeIndex(log)
    log.close()
    await storage.close()
  }
})

// The index on disk and the one in memory are two tellings of the same thing.

const offsets = fc.nat(40)

const updates = fc.array(
  fc.record({
    slot: fc.constantFrom(0, 1, 0xfffffffe),
    clear: fc.boolean(),
    bases: fc.array(fc.constantFrom(0, 10, 20, 2 ** 40), { maxLength: 2 }),
    offset: offsets,
    aborted: fc.option(fc.record({ first: offsets, length: fc.nat(5) }), { nil: undefined }),
    abortedRemoved: fc.array(offsets, { maxLength: 1 }),
    producer: fc.nat(3),
    removed: fc.array(fc.constantFrom(0, 10, 20, 2 ** 40), { maxLength: 1 }),
  }),
  { minLength: 1, maxLength: 12 },
)

function updateOf(
  one: typeof updates extends fc.Arbitrary<(infer U)[]> ? U : never,
  at: number,
): IndexUpdate {
  const entries = one.bases.map((segmentBase) => ({
    offset: segmentBase + (one.offset % 10),
    segmentBase,
    position: at * 100,
    maxTimestampBefore: at - 1,
  }))
  const { aborted } = one
  return {
    slot: one.slot,
    clear: one.clear,
    rewrites: [],
    abortedRemoved: one.abortedRemoved,
    entries,
    summaries: one.bases.map((baseOffset) => ({
      baseOffset,
      size: at,
      nextOffset: baseOffset + 10,
      maxTimestamp: at,
      maxTimestampPosition: 0,
      firstTimestamp: -1,
    })),
    aborted:
      aborted === undefined
        ? []
        : [
            {
              producerId: 2 ** 45 + at,
              firstOffset: aborted.first,
              lastOffset: aborted.first + aborted.length,
              // Nothing that ends later began before: the rule by which a search may end early.
              lastStableOffset: 0,
            },
          ],
    producers: [
      {
        producerId: one.producer,
        producerEpoch: at,
        batches: [
          { firstSequence: 0, lastSequence: at, baseOffset: at, lastOffset: at, timestamp: -1 },
        ],
        coordinatorEpoch: -1,
        currentTxnFirstOffset: -1,
        lastTimestamp: at,
      },
    ],
    producersRemoved: [one.producer + 1],
    epochs: at % 2 === 0 ? [{ epoch: at, startOffset: at }] : undefined,
    segmentsRemoved: one.removed,
    checkpoint: {
      segmentBase: 2 ** 40,
      position: at,
      endOffset: at,
      recoveryPoint: at,
      maxTimestamp: -1,
      maxTimestampPosition: 0,
      firstTimestamp: at,
      indexedPosition: -1,
    },
  }
}

const write = (index: OffsetIndex, update: IndexUpdate) =>
  new Promise<Error | undefined>((resolve) => index.write([update], resolve))

test('the index on disk answers as the one in memory', async (t) => {
  const directory = temporary(t)
  const storage = new DiskStorage(directory, 10, logOf())
  await fc.assert(
    fc.asyncProperty(updates, async (all) => {
      const disk = storage.index
      const memory = new MemoryStorage().index
      disk.remove(disk.slots())
      for (const [at, one] of all.entries()) {
        const update = updateOf(one, at)
        t.is(await write(disk, update), undefined)
        t.is(await write(memory, update), undefined)
      }
      t.deepEqual(disk.slots(), memory.slots())
      for (const slot of [0, 1, 2, 0xfffffffe]) {
        const loaded = disk.load(slot)
        const expected = memory.load(slot)
        expected?.producers.sort((a, b) => a.producerId - b.producerId)
        t.deepEqual(loaded, expected)
        for (const offset of [0, 5, 9, 10, 15, 20, 31, 2 ** 40, 2 ** 40 + 7, 2 ** 50]) {
          t.deepEqual(disk.floor(slot, offset), memory.floor(slot, offset))
          const range = [slot, offset, offset + 8] as const
          t.deepEqual(disk.aborted(...range), memory.aborted(...range))
        }
      }
    }),
    { numRuns: 60 },
  )
  await storage.close()
})

test('a segment that was removed stays when its storage is closed, until the next start', async (t) => {
  const directory = temporary(t)
  const storage = new DiskStorage(directory, 10, logOf())
  const segments = storage.directory('t', 0, TOPIC_ID)
  segments.create(0).append([Buffer.alloc(10)], 10)
  segments.create(10).append([Buffer.alloc(10)], 10)
  const aside = (offset: string) => path.join(directory, 't-0', `${offset}.log.deleted`)
  segments.remove(0, 0)
  while (fs.existsSync(aside('00000000000000000000'))) await new Promise(setImmediate)
  segments.remove(10, 0)
  await storage.close()
  // Whatever would go now would go in the next turns.
  for (let turn = 0; turn < 1000; turn++) await new Promise(setImmediate)
  t.true(fs.existsSync(aside('00000000000000000010')))
  segments.list()
  t.false(fs.existsSync(aside('00000000000000000010')))
})

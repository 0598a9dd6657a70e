/** A swap of compacted segments on a real disk that ends after any of its steps. */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'ava'
import { runTask } from '../../src/actors/clean-segments.ts'
import { runRound } from '../../src/actors/cleaning-round.ts'
import { WITHOUT_PAUSES } from '../../src/actors/pace.ts'
import type { Partition } from '../../src/actors/partition.ts'
import type { PartitionLog } from '../../src/actors/partition-log.ts'
import { cleanable } from '../../src/log/compaction.ts'
import { DiskCleaningFiles } from '../../src/storage/cleaning-files.ts'
import { DiskStorage } from '../../src/storage/disk.ts'
import { codecs, modelOf, RandomLoad } from '../actors/cleaning-bench.ts'
import { hostOf, partitionOn, readAt, writeIndex } from '../actors/logs.ts'
import { crc32c } from '../log/batches.ts'
import { Seeded } from '../support/seeded.ts'
import { segmentsOf } from './segments.ts'

const NOW_MS = 1_700_000_000_000
const CONFIG = { 'cleanup.policy': 'compact', 'internal.segment.bytes': '4000' }
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** One life of a process over a data directory. */
class Life {
  readonly nowMs = NOW_MS
  readonly storage: DiskStorage
  readonly partition: Partition
  readonly log: PartitionLog

  constructor(dataDir: string) {
    this.storage = new DiskStorage(dataDir, 100, quiet)
    this.partition = partitionOn(this.storage, CONFIG, hostOf())
    this.log = this.partition.log
  }

  /** Files are closed, nothing is written any more. */
  async end(): Promise<void> {
    this.log.close()
    await this.storage.close()
  }

  /** One round of compaction over all that may be compacted. */
  async compact(): Promise<void> {
    const { log, partition } = this
    const segments = log.segments.map(({ baseOffset, file }) => {
      return { baseOffset, size: file.size, largestTimestamp: 0, firstTimestamp: 0 }
    })
    const { logStartOffset, logEndOffset, lastStableOffset, cleanedOffset, settledOffset } = log
    const bounds = { logStartOffset, logEndOffset, lastStableOffset, cleanedOffset, settledOffset }
    const rules = { minCleanableDirtyRatio: 0, minCompactionLagMs: 0, maxCompactionLagMs: 2 ** 52 }
    const tools = {
      codecs,
      crc32c,
      monotonicMs: () => 0,
      pace: WITHOUT_PAUSES,
      filesOf: (directory: string) => new DiskCleaningFiles(directory),
    }
    const end = await runRound({
      partition,
      found: cleanable({ segments, ...bounds }, rules, NOW_MS),
      abort: new SharedArrayBuffer(4),
      runTask: async (task) => runTask(task, tools),
      nowMs: NOW_MS,
      hashKey: [1, 2],
      mapBytesMax: 1 << 20,
      loadFactor: 0.9,
      bufferBytes: 4096,
      bytesPerSecondMax: Number.MAX_VALUE,
      decompressedBytesMax: 1 << 20,
      isCurrent: () => true,
      onSwapped: () => {},
    })
    if (end.kind !== 'cleaned') throw new Error(JSON.stringify(end))
  }
}

/** A data directory with a log that has something to compact, and the index that knows it. */
async function filled(): Promise<{ dataDir: string; life: Life }> {
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'odradek-swap-'))
  const life = new Life(dataDir)
  const load = new RandomLoad(new Seeded(3), life, 20)
  for (let i = 0; i < 150; i++) load.append()
  load.finish()
  for (let i = 0; i < 30; i++) load.append()
  await new Promise<void>((resolve) => life.log.flushState.flush(() => resolve()))
  await writeIndex(life.log)
  return { dataDir, life }
}

function contents(dataDir: string) {
  return segmentsOf(dataDir, 't', 0).flatMap(({ batches }) =>
    batches.map(({ bytes }) => modelOf(bytes)),
  )
}

/** Offsets of the batches, each found from every offset that leads to it. */
function problemsOfReading(dataDir: string, log: PartitionLog): string[] {
  const problems: string[] = []
  let next = log.logStartOffset
  for (const { baseOffset, lastOffset } of contents(dataDir)) {
    for (; next <= lastOffset; next++) {
      const [found] = readAt(log, next)
      if (found !== baseOffset) problems.push(`${next}: ${found} instead of ${baseOffset}`)
    }
  }
  return problems
}

/** Runs `then`, in which renamings fail behind the first `last`. Answers how many there were. */
async function failingAfter(last: number, then: () => Promise<void>): Promise<number> {
  const real = fs.renameSync
  let count = 0
  fs.renameSync = (from, to) => {
    count++
    if (count > last) throw new Error('the process is gone')
    real(from, to)
  }
  try {
    await then()
  } catch (error) {
    if (count <= last) throw error
  } finally {
    fs.renameSync = real
  }
  return count
}

test.serial(
  'a swap that ends after any step is finished or undone by the next start',
  async (t) => {
    const whole = await filled()
    const before = contents(whole.dataDir)
    const producers = [...whole.life.log.producers.entries()]
    const { lastStableOffset, logEndOffset } = whole.life.log
    const steps = await failingAfter(1e9, () => whole.life.compact())
    await writeIndex(whole.life.log)
    t.deepEqual(problemsOfReading(whole.dataDir, whole.life.log), [])
    await whole.life.end()
    const after = contents(whole.dataDir)
    t.true(after.length < before.length * 0.8)
    t.true(steps > 10)
    for (let step = 0; step <= steps; step++) {
      const { dataDir, life } = await filled()
      t.deepEqual(contents(dataDir), before)
      await failingAfter(step, () => life.compact())
      await life.end()
      const next = new Life(dataDir)
      const { log } = next
      t.deepEqual([log.lastStableOffset, log.logEndOffset], [lastStableOffset, logEndOffset])
      // The index is still believed: producers keep all that they are known by.
      t.deepEqual(sorted(log.producers.entries()), sorted(producers), `step ${step}`)
      t.deepEqual(problemsOfReading(dataDir, log), [], `step ${step}`)
      await writeIndex(log)
      t.deepEqual(problemsOfReading(dataDir, log), [], `step ${step}, index written`)
      // The next round leaves what this one would have left.
      if (log.cleanedOffset === undefined) await next.compact()
      // The next round leaves what this one would have left, but that markers may begin to wait:
      // their data went before.
      if (log.cleanedOffset === undefined) await next.compact()
      t.deepEqual(dataOf(contents(dataDir)), dataOf(after), `step ${step}`)
      t.deepEqual(problemsOfReading(dataDir, log), [], `step ${step}, compacted`)
      t.deepEqual(
        fs.readdirSync(path.join(dataDir, 't-0')).filter((name) => /cleaned$|swap$/.test(name)),
        [],
      )
      await next.end()
      fs.rmSync(dataDir, { recursive: true })
    }
    fs.rmSync(whole.dataDir, { recursive: true })
  },
)

/** The records that consumers may see, as lines. */
function dataOf(batches: ReturnType<typeof contents>): string[] {
  return batches
    .filter(({ commit }) => commit === undefined)
    .flatMap(({ records }) => records.map((one) => JSON.stringify(one)))
}

function sorted(entries: Iterable<{ producerId: number }>) {
  return [...entries].sort((a, b) => a.producerId - b.producerId)
}

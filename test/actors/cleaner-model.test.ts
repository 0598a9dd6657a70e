/** Compaction against the model, over random logs. */
import test from 'ava'
import { Seeded } from '../support/seeded.ts'
import { CleaningBench, RandomLoad } from './cleaning-bench.ts'
import { cleanedModel, type ModelBatch } from './cleaning-model.ts'

const DELETE_RETENTION_MS = 60_000

/** Seeds that once failed, and some more. */
const SEEDS = Array.from({ length: 30 }, (_, i) => i + 1)

function benchOf(seed: number, random: Seeded): CleaningBench {
  const topic = {
    'cleanup.policy': 'compact',
    'internal.segment.bytes': String(600 + (seed % 5) * 500),
    'min.cleanable.dirty.ratio': '0',
    'delete.retention.ms': String(DELETE_RETENTION_MS),
  }
  // Every third log has so many keys that one round cannot hold them.
  const bytes = seed % 3 === 0 ? '480' : '100000'
  const broker = {
    'log.cleaner.backoff.ms': '0',
    'log.cleaner.dedupe.buffer.size': bytes,
    // With small buffers the second pass leaves short stretches out.
    'log.cleaner.io.buffer.size': String(random.pick([600, 4000, 1 << 19])),
  }
  return new CleaningBench(topic, broker)
}

/** One round of the cleaner, and the same of the model. Answers whether there was one. */
async function round(
  bench: CleaningBench,
  model: { batches: ModelBatch[]; written: ModelBatch[] },
): Promise<boolean> {
  const { log } = bench.partition
  const before = log.cleanedOffset
  const bases = log.segments.map((one) => one.baseOffset)
  await bench.tick()
  const cleanedOffset = log.cleanedOffset
  if (cleanedOffset === undefined || cleanedOffset === before) return false
  const rewrittenTo = bases.find((base) => base >= cleanedOffset) ?? log.logEndOffset
  model.batches = cleanedModel(model.batches, model.written, {
    firstDirtyOffset: before ?? 0,
    cleanedOffset,
    rewrittenTo,
    nowMs: bench.nowMs,
    deleteRetentionMs: DELETE_RETENTION_MS,
  })
  return true
}

/** A batch as one line. */
function lineOf(batch: ModelBatch): string {
  const { records, ...header } = batch
  const texts = records.map(({ offset, key, value, timestamp }) => {
    return `${offset}@${timestamp} ${key}=${value}`
  })
  return `${JSON.stringify(header)} ${texts.join(', ')}`
}

for (const seed of SEEDS) {
  test(`what a round leaves is what the rules allow (seed ${seed})`, async (t) => {
    const random = new Seeded(seed)
    const bench = benchOf(seed, random)
    const load = new RandomLoad(random, bench, random.pick([3, 12, 60]))
    const model = { batches: [] as ModelBatch[], written: [] as ModelBatch[] }
    let rounds = 0
    for (let turn = 0; turn < 6; turn++) {
      for (let i = random.between(0, 40); i > 0; i--) {
        const batch = load.append()
        model.batches.push(batch)
        model.written.push(batch)
      }
      bench.nowMs += random.pick([1000, DELETE_RETENTION_MS / 2, DELETE_RETENTION_MS * 2])
      while (await round(bench, model)) {
        rounds++
        t.deepEqual(bench.read().map(lineOf), model.batches.map(lineOf), `turn ${turn}`)
      }
    }
    t.true(rounds > 0)
    t.deepEqual(
      bench.logged.filter((line) => !line.startsWith('a partition is compacted')),
      [],
    )
  })
}

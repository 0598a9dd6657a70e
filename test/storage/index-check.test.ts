import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Log } from '../../src/base/log.ts'
import { discardDamagedIndex, INDEX_DIRECTORY } from '../../src/storage/index-check.ts'
import { LmdbOffsetIndex } from '../../src/storage/offset-index.ts'
import type { IndexUpdate } from '../../src/storage/storage.ts'
import { Seeded } from '../support/seeded.ts'
import { indexUpdate } from './index-updates.ts'

const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }
const SLOTS = 4
const KILLED = { wasClean: false, sameBoot: true }

function update(slot: number, random: Seeded): IndexUpdate {
  const first = random.between(0, 50) * 1000
  const entries = Array.from({ length: random.between(1, 60) }, (_, i) => ({
    offset: first + i,
    segmentBase: first,
    position: i * 65_536,
    maxTimestampBefore: i - 1,
  }))
  const batches = Array.from({ length: 5 }, (_, i) => ({
    firstSequence: i,
    lastSequence: i,
    baseOffset: first + i,
    lastOffset: first + i,
    timestamp: i,
  }))
  const producers = Array.from({ length: random.between(0, 30) }, (_, i) => ({
    producerId: i,
    producerEpoch: 0,
    coordinatorEpoch: -1,
    lastTimestamp: i,
    currentTxnFirstOffset: -1,
    batches,
  }))
  return indexUpdate(slot, {
    clear: random.chance(0.1),
    entries,
    producers,
    epochs: [{ epoch: 1, startOffset: 0 }],
    segmentsRemoved: random.chance(0.3) ? [random.between(0, 50) * 1000] : [],
    checkpoint: { segmentBase: first, position: 1000, endOffset: first + 100 },
  })
}

/** A data directory with an index that many transactions went through, closed. */
async function filled(t: ExecutionContext, random: Seeded): Promise<string> {
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'odradek-index-'))
  t.teardown(() => fs.rmSync(dataDir, { recursive: true, force: true }))
  const directory = path.join(dataDir, INDEX_DIRECTORY)
  fs.mkdirSync(directory, { recursive: true })
  const index = new LmdbOffsetIndex(directory)
  for (let i = 0; i < 60; i++) {
    const updates = [update(random.between(0, SLOTS - 1), random)]
    await new Promise<void>((resolve, reject) => {
      index.write(updates, (error) => (error === undefined ? resolve() : reject(error)))
    })
  }
  await index.close()
  return dataDir
}

/** Everything that the index says. */
async function contents(dataDir: string): Promise<string> {
  const index = new LmdbOffsetIndex(path.join(dataDir, INDEX_DIRECTORY))
  const all: unknown[] = [index.slots()]
  for (let slot = 0; slot < SLOTS; slot++) {
    all.push(index.load(slot))
    for (let offset = 0; offset < 51_000; offset += 100) all.push(index.floor(slot, offset))
  }
  await index.close()
  return JSON.stringify(all)
}

const dataFile = (dataDir: string) => path.join(dataDir, INDEX_DIRECTORY, 'data.mdb')

test('a sound index stays', async (t) => {
  for (let seed = 0; seed < 5; seed++) {
    const dataDir = await filled(t, new Seeded(seed))
    discardDamagedIndex(dataDir, KILLED, silentLog)
    t.true(fs.existsSync(dataFile(dataDir)), `seed ${seed}`)
  }
})

test('a damaged index is taken away, or says what it said before', async (t) => {
  const dataDir = await filled(t, new Seeded(1))
  const before = await contents(dataDir)
  const sound = fs.readFileSync(dataFile(dataDir))
  let taken = 0
  for (let seed = 0; seed < 150; seed++) {
    const random = new Seeded(seed)
    const bytes = Buffer.from(sound)
    for (let i = random.between(1, 3); i > 0; i--) {
      const junk = random.bytes(random.between(1, 8))
      junk.copy(bytes, random.between(0, bytes.length - 8))
    }
    fs.mkdirSync(path.dirname(dataFile(dataDir)), { recursive: true })
    fs.writeFileSync(dataFile(dataDir), bytes)
    fs.rmSync(path.join(dataDir, INDEX_DIRECTORY, 'lock.mdb'), { force: true })
    discardDamagedIndex(dataDir, KILLED, silentLog)
    if (fs.existsSync(dataFile(dataDir))) t.is(await contents(dataDir), before, `seed ${seed}`)
    else taken++
  }
  t.true(taken > 10, `${taken} of 150`)
})

test('a cut index is taken away', async (t) => {
  const dataDir = await filled(t, new Seeded(2))
  fs.truncateSync(dataFile(dataDir), 3 * 4096)
  discardDamagedIndex(dataDir, KILLED, silentLog)
  t.false(fs.existsSync(dataFile(dataDir)))
})

test('after a loss of power the index is not believed', async (t) => {
  const dataDir = await filled(t, new Seeded(3))
  discardDamagedIndex(dataDir, { wasClean: true, sameBoot: false }, silentLog)
  t.true(fs.existsSync(dataFile(dataDir)))
  discardDamagedIndex(dataDir, { wasClean: false, sameBoot: false }, silentLog)
  t.false(fs.existsSync(dataFile(dataDir)))
})

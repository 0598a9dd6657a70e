/**
 * Writes to both LMDB environments on the disk in `argv[2]` while it is full again and again, and
 * says what failed. A process of its own, since native code that fails may end it.
 */
import fs from 'node:fs'
import path from 'node:path'
import type { MetadataDelta } from '../../src/cluster/delta.ts'
import { openMetadataStore } from '../../src/storage/metadata-store.ts'
import { LmdbOffsetIndex } from '../../src/storage/offset-index.ts'
import { StorageError } from '../../src/storage/storage-error.ts'
import { Seeded } from '../support/seeded.ts'
import { indexUpdate } from './index-updates.ts'

const PAGE_BYTES = 4096
const ROUNDS = 250

/** What a run did. */
export interface Report {
  readonly indexFailures: number
  readonly metadataFailures: number
  /** Groups whose settings were kept, as the calls said, and as they are found afterwards. */
  readonly kept: number
  readonly found: number
}

const directory = process.argv[2] as string
const random = new Seeded(7)
const ballast = path.join(directory, 'ballast')
fs.mkdirSync(path.join(directory, 'index'))
const index = new LmdbOffsetIndex(path.join(directory, 'index'))
const store = openMetadataStore(path.join(directory, 'metadata'))
const kept = new Set<string>()
let indexFailures = 0
let metadataFailures = 0

for (let round = 0; round < ROUNDS; round++) {
  leave(random.between(0, 40) * PAGE_BYTES)
  for (let i = 0; i < 3; i++) {
    if (!(await writeIndex(round))) indexFailures++
    if (!writeMetadata(`group-${round}-${i}`)) metadataFailures++
  }
  fs.rmSync(ballast, { force: true })
}
const loaded = store.load().deltas
const found = loaded.filter((one) => one.kind === 'group-configs-set' && kept.has(one.group)).length
await index.close()
await store.close()
const report: Report = { indexFailures, metadataFailures, kept: kept.size, found }
process.stdout.write(JSON.stringify(report))

/** Fills the disk but for so many bytes. */
function leave(bytes: number): void {
  const { bavail, bsize } = fs.statfsSync(directory)
  const fill = bavail * bsize - bytes
  if (fill > 0) fs.writeFileSync(ballast, Buffer.alloc(fill))
}

function writeIndex(round: number): Promise<boolean> {
  const first = round * 1000
  const entries = Array.from({ length: random.between(1, 60) }, (_, i) => ({
    offset: first + i * random.between(1, 10),
    segmentBase: 0,
    position: i * PAGE_BYTES,
    maxTimestampBefore: -1,
  }))
  const update = indexUpdate(random.between(0, 400), {
    clear: random.chance(0.1),
    entries,
    checkpoint: { endOffset: first },
  })
  return new Promise((resolve) => index.write([update], (error) => resolve(error === undefined)))
}

function writeMetadata(group: string): boolean {
  const value = 'x'.repeat(random.between(0, 3000))
  const delta: MetadataDelta = { kind: 'group-configs-set', group, configs: [['a', value]] }
  try {
    store.append([delta])
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    return false
  }
  kept.add(group)
  return true
}

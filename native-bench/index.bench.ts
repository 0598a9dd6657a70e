/** The offset index: writing the entries of a second, and finding the one below an offset. */

import fs from 'node:fs'
import path from 'node:path'
import { LmdbOffsetIndex } from '../src/storage/offset-index.ts'
import type { IndexUpdate } from '../src/storage/storage.ts'
import { indexUpdate } from '../test/storage/index-updates.ts'
import type { Place, Suite } from './harness.ts'

const ENTRIES = 100

export async function index({ directory }: Place): Promise<Suite> {
  const folder = path.join(directory, 'index-bench')
  fs.mkdirSync(folder)
  const offsets = new LmdbOffsetIndex(folder)
  let end = 0
  const write = () =>
    new Promise<void>((resolve, reject) => {
      const update = updateFrom(end)
      end += ENTRIES * 100
      offsets.write([update], (error) => (error === undefined ? resolve() : reject(error)))
    })
  for (let i = 0; i < 100; i++) await write()
  const filled = end
  let at = 0
  return {
    tasks: [
      {
        name: 'index: each of 100 entries in one transaction',
        times: ENTRIES,
        limit: 'pwrite 1 KiB',
        run: write,
      },
      {
        name: 'index: find the entry below an offset',
        limit: 'pread 4 KiB',
        run: () => {
          at = (at + 7919) % filled
          offsets.floor(1, at)
        },
      },
    ],
    close: () => offsets.close(),
  }
}

function updateFrom(offset: number): IndexUpdate {
  const entries = Array.from({ length: ENTRIES }, (_, i) => ({
    offset: offset + i * 100,
    segmentBase: 0,
    position: (offset + i * 100) * 10,
    maxTimestampBefore: 1000,
  }))
  return indexUpdate(1, { entries, checkpoint: { endOffset: offset } })
}

/** What a partition adds to a write: judging, CRC, offsets, index journal. */
import assert from 'node:assert/strict'
import { setBaseOffset } from '../src/protocol/record-batch.ts'
import { batchOf } from './batches.ts'
import { BenchPartition } from './bench-partition.ts'
import type { Place, Suite } from './harness.ts'

export function append({ directory }: Place): Suite {
  const target = new BenchPartition(directory, 'append')
  const sink = {
    onAppended: (_tag: number, { errorCode }: { errorCode: number }) => assert.equal(errorCode, 0),
  }
  const appendOf = (batch: Buffer) => () => {
    // The append before wrote its offset into the batch, which a producer leaves at 0.
    setBaseOffset(batch, 0, 0)
    target.partition.append(batch, false, sink, 0)
    target.trim()
  }
  const large = batchOf(1000, 1024)
  const single = batchOf(1, 1024)
  const tiny = batchOf(1, 100)
  return {
    tasks: [
      {
        name: 'append a batch of 1,000 records of 1 KiB',
        bytes: large.length,
        limit: 'crc32c and pwrite 1 MiB',
        run: appendOf(large),
      },
      {
        name: 'append a batch of one record of 1 KiB',
        limit: 'pwrite 1 KiB',
        run: appendOf(single),
      },
      {
        name: 'append a batch of one record of 100 B',
        limit: 'pwrite 1 KiB',
        run: appendOf(tiny),
      },
    ],
    close: () => target.close(),
  }
}

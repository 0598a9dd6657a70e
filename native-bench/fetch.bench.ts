/** What a log adds to a read: from an offset to whole batches. */
import assert from 'node:assert/strict'
import { setBaseOffset } from '../src/protocol/record-batch.ts'
import { batchOf } from './batches.ts'
import { BenchPartition } from './bench-partition.ts'
import { KIB, MIB, type Place, type Suite } from './harness.ts'

const BATCH_RECORDS = 15
const BATCHES = 2048

export function fetch({ directory }: Place): Suite {
  const source = new BenchPartition(directory, 'fetch')
  const { log } = source.partition
  const batch = batchOf(BATCH_RECORDS, KIB)
  const sink = { onAppended() {} }
  for (let i = 0; i < BATCHES; i++) {
    setBaseOffset(batch, 0, 0)
    source.partition.append(batch, false, sink, 0)
  }
  const read = (offset: number, bytes: number) => {
    const { buffer, to, from } = log.read(offset, bytes, log.logEndOffset, true, source.pool)
    assert(buffer !== undefined, 'there is something at every offset')
    const batches = Math.ceil((to - from) / batch.length)
    source.pool.release(buffer)
    return batches * BATCH_RECORDS
  }
  let next = 0
  let far = 0
  const onward = (bytes: number) => () => {
    next += read(next, bytes)
    if (next >= log.logEndOffset - BATCH_RECORDS * 70) next = 0
  }
  return {
    tasks: [
      {
        name: 'read 1 MiB, one behind the other',
        bytes: MIB,
        limit: 'pread 1 MiB',
        run: onward(MIB),
      },
      {
        name: 'read 16 KiB, one behind the other',
        bytes: batch.length,
        limit: 'pread 16 KiB',
        run: onward(16 * KIB),
      },
      {
        name: 'read 16 KiB anywhere',
        bytes: batch.length,
        limit: 'pread 16 KiB',
        run: () => {
          far = (far + 7919 * BATCH_RECORDS) % (log.logEndOffset - BATCH_RECORDS)
          read(far, 16 * KIB)
        },
      },
    ],
    close: () => source.close(),
  }
}

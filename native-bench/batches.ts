/** Batches as producers send them. */
import { crc32c } from '@node-rs/crc32'
import { buildBatch } from '../src/protocol/record-batch.ts'

/** A batch of `count` records with values of `valueBytes`, without compression. */
export function batchOf(count: number, valueBytes: number): Buffer {
  const value = Buffer.alloc(valueBytes, 'odradek ')
  const records = Array.from({ length: count }, () => ({ timestamp: 1000, key: null, value }))
  return buildBatch({ records }, crc32c)
}

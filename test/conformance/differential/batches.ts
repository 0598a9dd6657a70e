/** Record batches for the differential test: sound ones, and ones that lie in a single respect. */
import { createCodecs } from '../../../src/codecs/codecs.ts'
import { CodecId, type CompressedCodec } from '../../../src/protocol/compression.ts'
import {
  type BatchInput,
  buildBatch,
  CRC_FROM,
  LOG_OVERHEAD,
  RECORD_BATCH_OVERHEAD,
  setCrc,
} from '../../../src/protocol/record-batch.ts'
import type { RecordInput } from '../../../src/protocol/record-encoding.ts'
import { crc32c } from '../../log/batches.ts'

/** The time of all records: long enough ago to be told from now, too young to be deleted. */
export const T0 = Math.floor(Date.now() / 1000) * 1000 - 3 * 3600_000

const codecs = createCodecs()

/** `count` records, a second apart. */
export function recordsOf(count: number, valueBytes = 20): RecordInput[] {
  return Array.from({ length: count }, (_, i) => ({
    timestamp: T0 + i * 1000,
    key: Buffer.from(`key-${i}`),
    value: Buffer.from(`value-${i}`.padEnd(valueBytes, '.')),
  }))
}

/** A batch of `input`; by default of three records. `codec`: compressed, and marked so. */
export function batchOf(input: Partial<BatchInput> = {}, codec = 0): Buffer {
  const whole = { records: recordsOf(3), ...input }
  if (codec === 0) return buildBatch(whole, crc32c)
  const attributes = (input.attributes ?? 0) | codec
  const compress = (section: Buffer) =>
    codecs.compress(codec as CompressedCodec, section, levelOf(codec))
  return buildBatch({ ...whole, attributes }, crc32c, compress)
}

function levelOf(codec: number): number {
  if (codec === CodecId.gzip) return -1
  return codec === CodecId.lz4 ? 9 : 3
}

/** The batch after `change`, with a CRC that is right again. */
export function changed(batch: Buffer, change: (b: Buffer) => void): Buffer {
  change(batch)
  setCrc(batch, 0, crc32c(batch.subarray(CRC_FROM)))
  return batch
}

/** A batch whose records section is `section` as it stands. */
export function batchAround(section: Buffer, count: number, attributes = 0): Buffer {
  const empty = buildBatch({ records: [], attributes, baseTimestamp: T0 }, crc32c)
  const batch = Buffer.concat([empty.subarray(0, RECORD_BATCH_OVERHEAD), section])
  return changed(batch, (b) => {
    b.writeInt32BE(b.length - LOG_OVERHEAD, 8)
    b.writeInt32BE(count - 1, 23)
    b.writeInt32BE(count, 57)
  })
}

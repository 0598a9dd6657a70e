/** Record batches that lie or explode; their CRC is right, so that they are looked into. */
import { crc32c } from '@node-rs/crc32'
import { createCodecs } from '../../src/codecs/codecs.ts'
import { CodecId, type CompressedCodec } from '../../src/protocol/compression.ts'
import {
  ATTRIBUTES_AT,
  BASE_SEQUENCE_AT,
  BASE_TIMESTAMP_AT,
  BATCH_LENGTH_AT,
  buildBatch,
  CRC_FROM,
  LAST_OFFSET_DELTA_AT,
  MAGIC_AT,
  MAX_TIMESTAMP_AT,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT,
  RECORD_BATCH_OVERHEAD,
  RECORDS_COUNT_AT,
  setCrc,
} from '../../src/protocol/record-batch.ts'
import type { Seeded } from '../support/seeded.ts'

const codecs = createCodecs()

const FIELDS: readonly number[] = [
  BATCH_LENGTH_AT,
  MAGIC_AT,
  ATTRIBUTES_AT,
  LAST_OFFSET_DELTA_AT,
  BASE_TIMESTAMP_AT,
  MAX_TIMESTAMP_AT,
  PRODUCER_ID_AT,
  PRODUCER_EPOCH_AT,
  BASE_SEQUENCE_AT,
  RECORDS_COUNT_AT,
]

const VALUES: readonly Buffer[] = ['7fffffff', '80000000', 'ffffffff', '00000000', '00000001'].map(
  (hex) => Buffer.from(hex, 'hex'),
)

/** A batch with some fields of its header, or some bytes of its records, changed. */
export function lyingBatch(random: Seeded): Buffer {
  const records = Array.from({ length: random.between(1, 5) }, (_, i) => ({
    timestamp: 1_700_000_000_000 + i,
    key: random.bytes(3),
    value: random.bytes(random.between(0, 100)),
    headers: [{ key: 'h', value: random.bytes(4) }],
  }))
  const batch = buildBatch({ records }, crc32c)
  for (let i = random.between(1, 3); i > 0; i--) {
    if (random.chance(0.6)) random.pick(VALUES).copy(batch, random.pick(FIELDS))
    else {
      const at = random.between(RECORD_BATCH_OVERHEAD, batch.length - 1)
      batch[at] = random.pick([0x00, 0x01, 0x7f, 0x80, 0xff])
    }
  }
  setCrc(batch, 0, crc32c(batch.subarray(CRC_FROM)))
  return batch
}

const BOMB_BYTES = 48 * 1024 * 1024
let bombs: Buffer[] | undefined

/** Batches of little that decompress to much, one of each codec. They fit into a request. */
export function bombBatches(): readonly Buffer[] {
  bombs ??= [CodecId.gzip, CodecId.snappy, CodecId.lz4, CodecId.zstd].map((codec) => {
    // Snappy makes a twentieth of zeros, not a thousandth.
    const bytes = codec === CodecId.snappy ? BOMB_BYTES / 3 : BOMB_BYTES
    const value = Buffer.alloc(bytes)
    return buildBatch({ records: [{ value }], attributes: codec }, crc32c, (section) =>
      codecs.compress(codec as CompressedCodec, section, 1),
    )
  })
  return bombs
}

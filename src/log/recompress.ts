/**
 * Changing a batch's codec to what the topic wants (`compression.type`). Source: KIP-780 and
 * before.
 */
import { CodecId, type Codecs, type CompressedCodec } from '../protocol/compression.ts'
import {
  attributes,
  COMPRESSION_MASK,
  LOG_OVERHEAD,
  RECORD_BATCH_OVERHEAD,
  setAttributes,
  setBatchLength,
} from '../protocol/record-batch.ts'

/**
 * A new batch with the header of `batch` and its `plain` records in `codec`. Its CRC is not set:
 * the caller completes the header. Throws CodecError.
 */
export function recompressed(
  batch: Buffer,
  plain: Uint8Array,
  codec: number,
  codecs: Codecs,
  level: number,
): Buffer {
  const body =
    codec === CodecId.uncompressed ? plain : codecs.compress(codec as CompressedCodec, plain, level)
  const result = Buffer.allocUnsafe(RECORD_BATCH_OVERHEAD + body.length)
  batch.copy(result, 0, 0, RECORD_BATCH_OVERHEAD)
  result.set(body, RECORD_BATCH_OVERHEAD)
  setBatchLength(result, 0, result.length - LOG_OVERHEAD)
  setAttributes(result, 0, (attributes(batch, 0) & ~COMPRESSION_MASK) | codec)
  return result
}

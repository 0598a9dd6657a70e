/**
 * The compression codecs of record batches over their libraries. Each library is loaded when the
 * first batch needs it, so that a broker without compressed batches pays nothing for them.
 */
import { unreachable } from '../base/assert.ts'
import { CodecError, CodecId, type Codecs, type CompressedCodec } from '../protocol/compression.ts'
import { gunzip, gzip } from './gzip.ts'
import { lz4Compress, lz4Decompress } from './lz4.ts'
import { snappyCompress, snappyDecompress } from './snappy.ts'
import { zstdCompress, zstdDecompress } from './zstd.ts'

/** All codecs of KIP-98 and KIP-110, synchronous, for one thread. */
export function createCodecs(): Codecs {
  return { decompress, compress }
}

function decompress(codec: CompressedCodec, bytes: Uint8Array, bytesMax: number): Uint8Array {
  if (bytes.length === 0) throw new CodecError('There are no bytes to decompress')
  switch (codec) {
    case CodecId.gzip:
      return gunzip(bytes, bytesMax)
    case CodecId.snappy:
      return snappyDecompress(bytes, bytesMax)
    case CodecId.lz4:
      return lz4Decompress(bytes, bytesMax)
    case CodecId.zstd:
      return zstdDecompress(bytes, bytesMax)
    default:
      return unreachable(codec)
  }
}

function compress(codec: CompressedCodec, bytes: Uint8Array, level: number): Uint8Array {
  switch (codec) {
    case CodecId.gzip:
      return gzip(bytes, level)
    case CodecId.snappy:
      return snappyCompress(bytes)
    case CodecId.lz4:
      return lz4Compress(bytes, level)
    case CodecId.zstd:
      return zstdCompress(bytes, level)
    default:
      return unreachable(codec)
  }
}

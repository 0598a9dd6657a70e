/** Compression of record batches. The codecs themselves are libraries; a shell injects them. */

/** Bits 0-2 of a batch's attributes, by the name that `compression.type` uses. */
export const CodecId = { uncompressed: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const

/** A codec that compresses. */
export type CompressedCodec = 1 | 2 | 3 | 4

/** Compressed bytes that are not what their codec's name says, or that grow beyond a bound. */
export class CodecError extends Error {
  override readonly name = 'CodecError'
  /** The bytes may be sound, but they hold more than the bound. */
  readonly tooLarge: boolean

  constructor(message: string, tooLarge = false) {
    super(message)
    this.tooLarge = tooLarge
  }
}

/**
 * The codecs as a shell supplies them. Both throw CodecError, and never hold more than the bound.
 */
export interface Codecs {
  /** The plain bytes. `bytesMax`: more than these are not produced but refused. */
  decompress(codec: CompressedCodec, bytes: Uint8Array, bytesMax: number): Uint8Array
  /** Compressed as Kafka's clients read it (snappy in xerial framing, lz4 frames). */
  compress(codec: CompressedCodec, bytes: Uint8Array, level: number): Uint8Array
}

/**
 * Loading what a codec needs at its first use: batches are decompressed in the middle of an append.
 */
import { createRequire } from 'node:module'
import { CodecError } from '../protocol/compression.ts'

/** Loads CommonJS and native packages, synchronously. */
export const require = createRequire(import.meta.url)

/** The refusal of a batch that unfolds beyond its bound. */
export function tooLarge(bytesMax: number): CodecError {
  return new CodecError(`The batch unfolds to more than ${bytesMax} bytes`, true)
}

/** A Buffer over the same bytes. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/**
 * Zstandard (RFC 8878), frames one after another included: node:zlib where it has zstd (22.15 and
 * later), else the library as WebAssembly. A bomb is refused by what its frames say.
 */
import type * as zlib from 'node:zlib'
import { CodecError } from '../protocol/compression.ts'
import { bufferOf, require, tooLarge } from './load.ts'
import { type FrameBounds, frameBounds } from './zstd-frames.ts'
import { compressWasm, DESTINATION_TOO_SMALL, decompressWasm } from './zstd-wasm.ts'

/** What newer Nodes than our types know have in node:zlib. */
interface ZlibWithZstd {
  readonly constants: { readonly ZSTD_c_compressionLevel: number }
  zstdDecompressSync?(
    bytes: Uint8Array,
    options: Pick<zlib.ZlibOptions, 'maxOutputLength' | 'chunkSize'>,
  ): Buffer
  zstdCompressSync?(bytes: Uint8Array, options: { params: Record<number, number> }): Buffer
}

/** Output that zlib makes room for at once; it takes no less than 64. */
const CHUNK_BYTES_MIN = 1024

let library: ZlibWithZstd | undefined

function loaded(): ZlibWithZstd {
  library ??= require('node:zlib') as ZlibWithZstd
  return library
}

/** The plain bytes of all frames. Throws CodecError. */
export function zstdDecompress(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const buffer = bufferOf(bytes)
  const bounds: FrameBounds = { end: 0, least: 0, most: 0 }
  let frames = 0
  for (; bounds.end < buffer.length; frames++) {
    const frame = frameBounds(buffer, bounds.end)
    bounds.end = frame.end
    bounds.least += frame.least
    bounds.most += frame.most
    if (bounds.least > bytesMax) throw tooLarge(bytesMax)
  }
  // node:zlib stops behind the first frame.
  const native = frames === 1 ? loaded().zstdDecompressSync : undefined
  const plain = native
    ? unfoldNatively(native, buffer, bounds, bytesMax)
    : unfoldInWasm(buffer, bounds, bytesMax)
  // node:zlib answers what it has when a frame ends early.
  if (plain.length < bounds.least) throw new CodecError('zstd: a frame holds less than it says')
  return plain
}

/** One frame. `level`: -131072 to 22. */
export function zstdCompress(bytes: Uint8Array, level: number): Uint8Array {
  const { zstdCompressSync, constants } = loaded()
  if (zstdCompressSync !== undefined) {
    return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } })
  }
  const packed = compressWasm(bytes, level)
  if (typeof packed === 'number') throw new CodecError(`zstd: error ${-packed}`)
  return packed
}

function unfoldNatively(
  decompress: NonNullable<ZlibWithZstd['zstdDecompressSync']>,
  buffer: Buffer,
  { most }: FrameBounds,
  bytesMax: number,
): Buffer {
  const chunkSize = Math.max(CHUNK_BYTES_MIN, Math.min(most, bytesMax) + 1)
  try {
    return decompress(buffer, { maxOutputLength: bytesMax, chunkSize })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(bytesMax)
    if (code?.startsWith('ZSTD_') || code?.startsWith('Z_'))
      throw new CodecError(`zstd: ${message}`)
    throw error
  }
}

function unfoldInWasm(buffer: Buffer, { most }: FrameBounds, bytesMax: number): Buffer {
  const plain = decompressWasm(buffer, Math.min(most, bytesMax))
  if (typeof plain !== 'number') return plain
  if (plain === DESTINATION_TOO_SMALL && most > bytesMax) throw tooLarge(bytesMax)
  throw new CodecError(`zstd: error ${-plain}`)
}

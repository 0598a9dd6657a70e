/** gzip (RFC 1952), members one after another included. */
import type * as zlib from 'node:zlib'
import { CodecError } from '../protocol/compression.ts'
import { bufferOf, require, tooLarge } from './load.ts'

/** deflate cannot make more of a byte than this. */
const RATIO_MAX = 1032
/** Output that zlib makes room for at once; it takes no less than 64. */
const CHUNK_BYTES_MIN = 1024

let library: typeof zlib | undefined

function loaded(): typeof zlib {
  library ??= require('node:zlib') as typeof zlib
  return library
}

/** The plain bytes of all members. Throws CodecError. */
export function gunzip(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const { gunzipSync } = loaded()
  try {
    return gunzipSync(bytes, {
      maxOutputLength: bytesMax,
      chunkSize: Math.max(CHUNK_BYTES_MIN, roomFor(bufferOf(bytes), bytesMax)),
    })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(bytesMax)
    if (code?.startsWith('Z_')) throw new CodecError(`gzip: ${message}`)
    throw error
  }
}

/** One member. `level`: 1 to 9, or -1 for zlib's default. */
export function gzip(bytes: Uint8Array, level: number): Uint8Array {
  return loaded().gzipSync(bytes, { level })
}

/**
 * What the last member says to hold, as far as that is possible; one byte more ends in one piece.
 */
function roomFor(bytes: Buffer, bytesMax: number): number {
  if (bytes.length < 4) return 0
  const announced = bytes.readUInt32LE(bytes.length - 4)
  return Math.min(announced, bytes.length * RATIO_MAX, bytesMax) + 1
}

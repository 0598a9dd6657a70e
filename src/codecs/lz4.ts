/**
 * LZ4 frames as Kafka's clients read them: one frame, version 1, independent blocks, no dictionary.
 * Source: the LZ4 frame format description 1.6 and block format description; Kafka's
 * Lz4BlockInputStream, which refuses the rest.
 */
import type * as lz4 from 'lz4-napi'
import { CodecError } from '../protocol/compression.ts'
import { bufferOf, require, tooLarge } from './load.ts'
import { lz4HighBlock } from './lz4-high.ts'

const FRAME_MAGIC = 0x184d2204
/** Bits of the frame's flags. */
const DICTIONARY_ID = 0x01
const CONTENT_CHECKSUM = 0x04
const CONTENT_SIZE = 0x08
const BLOCK_CHECKSUM = 0x10
const BLOCKS_INDEPENDENT = 0x20
/** The highest bit of a block's size says that the block is stored as it is. */
const STORED = 0x80000000
/** At this level Kafka takes the fast compressor, and the thorough one at all others. */
const FAST_LEVEL = 9
/** Block sizes by their code in the frame descriptor: 64 KiB to 4 MiB. */
const BLOCK_BYTES_MAX = [0, 0, 0, 0, 65_536, 262_144, 1_048_576, 4_194_304]
/**
 * A frame of independent blocks of 64 KiB without checksums, the last byte being its header
 * checksum.
 */
const HEADER_64_KIB = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82])
const HIGH_BLOCK_BYTES = 65_536

let library: typeof lz4 | undefined

function loaded(): typeof lz4 {
  library ??= require('lz4-napi') as typeof lz4
  return library
}

/** The plain bytes of the one frame that `bytes` must be. Throws CodecError. */
export function lz4Decompress(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const buffer = bufferOf(bytes)
  checkFrame(buffer, bytesMax)
  try {
    return loaded().decompressFrameSync(buffer)
  } catch (error) {
    throw new CodecError(`lz4: ${(error as Error).message}`)
  }
}

/** One frame. `level`: 1 to 17, as in Kafka (KIP-390). */
export function lz4Compress(bytes: Uint8Array, level: number): Uint8Array {
  const buffer = bufferOf(bytes)
  if (level === FAST_LEVEL) return loaded().compressFrameSync(buffer)
  const pieces: Uint8Array[] = [HEADER_64_KIB]
  for (let at = 0; at < buffer.length; at += HIGH_BLOCK_BYTES) {
    const plain = buffer.subarray(at, at + HIGH_BLOCK_BYTES)
    const packed = lz4HighBlock(plain, level)
    const size = Buffer.allocUnsafe(4)
    const stored = packed === undefined
    size.writeUInt32LE(stored ? STORED + plain.length : packed.length, 0)
    pieces.push(size, stored ? plain : packed)
  }
  pieces.push(Buffer.alloc(4))
  return Buffer.concat(pieces)
}

/** Refuses a frame that is none, or that holds more than `bytesMax`, before a byte is unfolded. */
function checkFrame(buffer: Buffer, bytesMax: number): void {
  if (buffer.length < 7 || buffer.readUInt32LE(0) !== FRAME_MAGIC) {
    throw new CodecError('lz4: not a frame')
  }
  const flags = buffer[4] as number
  const blockBytesMax = BLOCK_BYTES_MAX[((buffer[5] as number) >> 4) & 7] as number
  if (flags >> 6 !== 1 || blockBytesMax === 0) throw new CodecError('lz4: an unknown frame')
  if ((flags & BLOCKS_INDEPENDENT) === 0 || (flags & DICTIONARY_ID) !== 0) {
    throw new CodecError('lz4: the blocks of a frame must be independent')
  }
  const blockTail = (flags & BLOCK_CHECKSUM) === 0 ? 0 : 4
  const blocksAt = 7 + ((flags & CONTENT_SIZE) === 0 ? 0 : 8)
  let at = blocksAt
  let blocks = 0
  for (; ; blocks++) {
    if (buffer.length - at < 4) throw new CodecError('lz4: the frame ends early')
    const word = buffer.readUInt32LE(at)
    at += 4
    if (word === 0) break
    const size = word % STORED
    if (size > blockBytesMax || size + blockTail > buffer.length - at) {
      throw new CodecError(`lz4: a block of ${size} bytes in ${buffer.length - at}`)
    }
    at += size + blockTail
  }
  if (at + ((flags & CONTENT_CHECKSUM) === 0 ? 0 : 4) !== buffer.length) {
    throw new CodecError('lz4: the frame does not end where the bytes do')
  }
  // Few frames may hold too much at all; only those are looked into.
  if (blocks * blockBytesMax <= bytesMax) return
  if (plainSize(buffer, blocksAt, blockTail, blockBytesMax) > bytesMax) throw tooLarge(bytesMax)
}

/** How many bytes the blocks from `from` on unfold to; their sizes were found to be sound. */
function plainSize(buffer: Buffer, from: number, blockTail: number, blockBytesMax: number): number {
  let total = 0
  let at = from
  for (;;) {
    const word = buffer.readUInt32LE(at)
    if (word === 0) return total
    const size = word % STORED
    at += 4
    total += word >= STORED ? size : unfoldedSize(buffer, at, at + size, blockBytesMax)
    at += size + blockTail
  }
}

/** How many bytes a block unfolds to, by the lengths in its sequences; at most `max` are legal. */
function unfoldedSize(buffer: Buffer, from: number, to: number, max: number): number {
  let at = from
  let size = 0
  while (at < to) {
    const token = buffer[at++] as number
    let literals = token >> 4
    if (literals === 15) {
      let byte = 255
      while (byte === 255 && at < to) {
        byte = buffer[at++] as number
        literals += byte
      }
    }
    at += literals
    size += literals
    // The last sequence has no match.
    if (at >= to) break
    at += 2
    let match = token & 15
    if (match === 15) {
      let byte = 255
      while (byte === 255 && at < to) {
        byte = buffer[at++] as number
        match += byte
      }
    }
    size += match + 4
  }
  if (at !== to || size > max) throw new CodecError('lz4: a block that is none')
  return size
}

/**
 * Snappy, raw or in the framing of xerial's Java library, which Kafka's clients write: a header of
 * 16 bytes, then blocks, each an int32 of its size and raw snappy. The header may come again
 * between blocks (streams one after another).
 */
import type * as snappy from 'snappy'
import { CodecError } from '../protocol/compression.ts'
import { bufferOf, require, tooLarge } from './load.ts'

const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
/** Magic, version of the format, lowest version that can read it. */
const XERIAL_HEADER = Buffer.concat([XERIAL_MAGIC, Buffer.from([0, 0, 0, 1, 0, 0, 0, 1])])
/** What xerial's writer puts into one block. */
const BLOCK_BYTES = 32 * 1024
/** No element of raw snappy makes more of its bytes than a copy of 64 out of 3. */
const RATIO_MAX = 64 / 3

let library: typeof snappy | undefined

function loaded(): typeof snappy {
  library ??= require('snappy') as typeof snappy
  return library
}

/** The plain bytes. Throws CodecError. */
export function snappyDecompress(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const buffer = bufferOf(bytes)
  if (!startsWithMagic(buffer, 0)) return uncompressed(buffer, plainLength(buffer, bytesMax))
  const blocks = blocksOf(buffer)
  let total = 0
  for (const block of blocks) {
    total += plainLength(block, bytesMax)
    if (total > bytesMax) throw tooLarge(bytesMax)
  }
  if (blocks.length === 1) return uncompressed(blocks[0] as Buffer, total)
  const plain = Buffer.allocUnsafe(total)
  let at = 0
  for (const block of blocks) {
    const part = uncompressed(block, plainLength(block, bytesMax))
    plain.set(part, at)
    at += part.length
  }
  return plain
}

/** In xerial's framing. */
export function snappyCompress(bytes: Uint8Array): Uint8Array {
  const { compressSync } = loaded()
  const pieces: Buffer[] = [XERIAL_HEADER]
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const block = compressSync(bytes.subarray(at, at + BLOCK_BYTES))
    const size = Buffer.allocUnsafe(4)
    size.writeInt32BE(block.length, 0)
    pieces.push(size, block)
  }
  return Buffer.concat(pieces)
}

function startsWithMagic(buffer: Buffer, at: number): boolean {
  const end = at + XERIAL_HEADER.length
  return end <= buffer.length && buffer.subarray(at, at + 8).equals(XERIAL_MAGIC)
}

function blocksOf(buffer: Buffer): Buffer[] {
  const blocks: Buffer[] = []
  let at = 0
  while (at < buffer.length) {
    if (startsWithMagic(buffer, at)) {
      at += XERIAL_HEADER.length
      continue
    }
    if (buffer.length - at < 4) throw new CodecError('snappy: a block ends in its size')
    const size = buffer.readInt32BE(at)
    at += 4
    if (size <= 0 || size > buffer.length - at) {
      throw new CodecError(`snappy: a block of ${size} bytes in ${buffer.length - at}`)
    }
    blocks.push(buffer.subarray(at, at + size))
    at += size
  }
  return blocks
}

/** What a raw block says to hold (a varint before it), if it can and may. */
function plainLength(block: Buffer, bytesMax: number): number {
  let length = 0
  let scale = 1
  for (let at = 0; at < 5 && at < block.length; at++) {
    const byte = block[at] as number
    length += (byte & 0x7f) * scale
    scale *= 128
    if (byte >= 0x80) continue
    if (length > block.length * RATIO_MAX) {
      throw new CodecError(`snappy: ${block.length} bytes cannot hold ${length}`)
    }
    if (length > bytesMax) throw tooLarge(bytesMax)
    return length
  }
  throw new CodecError('snappy: a block without its length')
}

function uncompressed(block: Buffer, length: number): Buffer {
  // The library takes a missing body for an empty one.
  if (length === 0) return Buffer.alloc(0)
  const { uncompressSync } = loaded()
  try {
    return uncompressSync(block, { asBuffer: true }) as Buffer
  } catch (error) {
    throw new CodecError((error as Error).message)
  }
}

/**
 * What Zstandard frames say of their sizes, without unfolding them. Source: RFC 8878, section 3.1.
 */
import { CodecError } from '../protocol/compression.ts'

const FRAME_MAGIC = 0xfd2fb528
const SKIPPABLE_MAGIC = 0x184d2a50
const SKIPPABLE_MASK = 0xfffffff0
const BLOCK_BYTES_MAX = 128 * 1024

/**
 * Bytes that a frame unfolds to, `least` and `most`; equal where the frame tells its content size.
 */
export interface FrameBounds {
  /** Position behind the frame. */
  end: number
  least: number
  most: number
}

/** Reads the frame at `at`. Throws CodecError when there is no whole one. */
export function frameBounds(buffer: Buffer, at: number): FrameBounds {
  if (buffer.length - at < 8) throw new CodecError('zstd: a frame ends early')
  const magic = buffer.readUInt32LE(at)
  if ((magic & SKIPPABLE_MASK) >>> 0 === SKIPPABLE_MAGIC) {
    const end = at + 8 + buffer.readUInt32LE(at + 4)
    if (end > buffer.length) throw new CodecError('zstd: a frame ends early')
    return { end, least: 0, most: 0 }
  }
  if (magic !== FRAME_MAGIC) throw new CodecError('zstd: not a frame')
  const descriptor = buffer[at + 4] as number
  const header = headerOf(buffer, at + 5, descriptor)
  const bounds = blocksOf(buffer, header.end, Math.min(BLOCK_BYTES_MAX, header.windowBytes))
  if ((descriptor & CHECKSUM) !== 0) bounds.end += 4
  if (bounds.end > buffer.length) throw new CodecError('zstd: a frame ends early')
  const { contentBytes } = header
  if (contentBytes === undefined) return bounds
  if (contentBytes < bounds.least || contentBytes > bounds.most) {
    throw new CodecError('zstd: a frame that cannot hold what it says')
  }
  return { end: bounds.end, least: contentBytes, most: contentBytes }
}

/** Bits of the frame header descriptor. */
const CHECKSUM = 0x04
const SINGLE_SEGMENT = 0x20
const DICTIONARY_ID_BYTES = [0, 1, 2, 4]

function headerOf(buffer: Buffer, from: number, descriptor: number) {
  const singleSegment = (descriptor & SINGLE_SEGMENT) !== 0
  const sizeFlag = descriptor >> 6
  const sizeBytes = sizeFlag === 0 ? (singleSegment ? 1 : 0) : 1 << sizeFlag
  const sizeAt = from + (singleSegment ? 0 : 1) + (DICTIONARY_ID_BYTES[descriptor & 3] as number)
  const end = sizeAt + sizeBytes
  if (end > buffer.length) throw new CodecError('zstd: a frame ends early')
  const contentBytes = sizeBytes === 0 ? undefined : contentSize(buffer, sizeAt, sizeBytes)
  const windowBytes = singleSegment ? (contentBytes as number) : windowSize(buffer[from] as number)
  return { end, contentBytes, windowBytes }
}

function contentSize(buffer: Buffer, at: number, bytes: number): number {
  if (bytes === 1) return buffer[at] as number
  if (bytes === 2) return buffer.readUInt16LE(at) + 256
  if (bytes === 4) return buffer.readUInt32LE(at)
  return buffer.readUInt32LE(at) + buffer.readUInt32LE(at + 4) * 0x100000000
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}

function blocksOf(buffer: Buffer, from: number, blockBytesMax: number): FrameBounds {
  let at = from
  let least = 0
  let most = 0
  for (;;) {
    if (buffer.length - at < 3) throw new CodecError('zstd: a frame ends early')
    const header = buffer.readUIntLE(at, 3)
    const size = header >> 3
    const type = (header >> 1) & 3
    at += 3
    if (type === RESERVED || size > blockBytesMax) throw new CodecError('zstd: not a block')
    if (type === COMPRESSED) {
      most += blockBytesMax
    } else {
      least += size
      most += size
    }
    at += type === RLE ? 1 : size
    if ((header & 1) !== 0) return { end: at, least, most }
  }
}

/** Types of blocks; type 0 is raw. */
const RLE = 1
const COMPRESSED = 2
const RESERVED = 3

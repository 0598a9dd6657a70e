/**
 * Run in a process of its own, which tells how much memory the refusal of bombs took at its peak.
 */
import { createCodecs } from '../../src/codecs/codecs.ts'
import { CodecError, CodecId, type CompressedCodec } from '../../src/protocol/compression.ts'

const BOUND = 8 * 1024 * 1024
const MIB = 1024 * 1024
const codecs = createCodecs()

/** A frame of blocks of zeros, the window 128 KiB, that does not tell its size. */
function zstdOfRuns(blocks: number): Buffer {
  const block = Buffer.from([2, 0x00, 0x10, 0x00])
  const last = Buffer.from([3, 0x00, 0x10, 0x00])
  const head = Buffer.from('28b52ffd0038', 'hex')
  return Buffer.concat([head, ...Array<Buffer>(blocks - 1).fill(block), last])
}

/** One compressed block of 4 MiB again and again. */
function lz4Of(blocks: number): Buffer {
  const frame = Buffer.from(codecs.compress(CodecId.lz4, Buffer.alloc(4 * MIB), 9))
  const block = frame.subarray(7, frame.length - 4)
  return Buffer.concat([
    frame.subarray(0, 7),
    ...Array<Buffer>(blocks).fill(block),
    Buffer.alloc(4),
  ])
}

/** Compressed blocks of 128 KiB in a frame that does not tell its size. */
function zstdOfBlocks(blocks: number): Buffer {
  const frame = Buffer.from(codecs.compress(CodecId.zstd, Buffer.alloc(256 * 1024), 1))
  // Behind magic, descriptor and content size (4 bytes) stands the first block of 128 KiB.
  const at = 9
  const size = frame.readUIntLE(at, 3) >> 3
  const type = (frame.readUIntLE(at, 3) >> 1) & 3
  const block = Buffer.from(frame.subarray(at, at + 3 + (type === 1 ? 1 : size)))
  const last = Buffer.from(block)
  last[0] = (last[0] as number) | 1
  const head = Buffer.from('28b52ffd0038', 'hex')
  return Buffer.concat([head, ...Array<Buffer>(blocks - 1).fill(block), last])
}

function repeated(codec: CompressedCodec, plainBytes: number, times: number): Buffer {
  const piece = Buffer.from(codecs.compress(codec, Buffer.alloc(plainBytes), 9))
  return Buffer.concat(Array<Buffer>(times).fill(piece))
}

const bombs: readonly (readonly [string, CompressedCodec, Buffer])[] = [
  ['gzip members', CodecId.gzip, repeated(CodecId.gzip, 4 * MIB, 256)],
  ['snappy blocks', CodecId.snappy, repeated(CodecId.snappy, MIB, 1024)],
  ['lz4 blocks', CodecId.lz4, lz4Of(256)],
  ['zstd frames', CodecId.zstd, repeated(CodecId.zstd, 4 * MIB, 256)],
  ['zstd runs', CodecId.zstd, zstdOfRuns(8192)],
  ['zstd blocks', CodecId.zstd, zstdOfBlocks(8192)],
]

const before = process.resourceUsage().maxRSS
const outcomes: Record<string, string> = {}
for (const [name, codec, bytes] of bombs) {
  try {
    const { length } = codecs.decompress(codec, bytes, BOUND)
    outcomes[name] = `${length} bytes`
  } catch (error) {
    const known = error instanceof CodecError
    outcomes[name] = known && error.tooLarge ? 'too large' : String(error)
  }
}
const grownMib = (process.resourceUsage().maxRSS - before) / 1024
process.stdout.write(JSON.stringify({ outcomes, grownMib }))

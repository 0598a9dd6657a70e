import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { createCodecs } from '../../src/codecs/codecs.ts'
import { bufferOf } from '../../src/codecs/load.ts'
import { CodecError, CodecId, type CompressedCodec } from '../../src/protocol/compression.ts'
import {
  compressionOf,
  RECORD_BATCH_OVERHEAD,
  RecordCursor,
  recordsCount,
} from '../../src/protocol/record-batch.ts'

const codecs = createCodecs()
const MIB = 1024 * 1024
const XERIAL_HEADER_BYTES = 16
const compressed: readonly (readonly [string, CompressedCodec, readonly number[]])[] = [
  ['gzip', CodecId.gzip, [-1, 1, 9]],
  ['snappy', CodecId.snappy, [0]],
  ['lz4', CodecId.lz4, [1, 5, 9, 12, 17]],
  ['zstd', CodecId.zstd, [-131_072, 1, 3, 22]],
]

function refused(t: ExecutionContext, tooLarge: boolean, work: () => unknown): void {
  const error = t.throws(work, { instanceOf: CodecError })
  t.is(error.tooLarge, tooLarge, error.message)
}

/** Bytes with some repetition, as records have. */
const plainBytes = fc
  .array(
    fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 3000 })),
    {
      minLength: 1,
      maxLength: 8,
    },
  )
  .map((parts) =>
    Buffer.concat(parts.map(([bytes, times]) => Buffer.alloc(bytes.length * times, bytes))),
  )

for (const [name, codec, levels] of compressed) {
  for (const level of levels) {
    test(`${name} at level ${level} gives back what it took`, (t) => {
      const property = fc.property(plainBytes, (plain) => {
        const packed = codecs.compress(codec, plain, level)
        const back = codecs.decompress(codec, packed, plain.length)
        t.true(plain.equals(back))
      })
      fc.assert(property, { numRuns: 40 })
    })
  }

  test(`${name} takes noise and large batches`, (t) => {
    const noise = Buffer.alloc(300_000)
    for (let i = 0, x = 1; i < noise.length; i++) {
      x = (Math.imul(x, 1103515245) + 12345) >>> 0
      noise[i] = x >>> 24
    }
    const large = Buffer.concat([Buffer.alloc(9 * MIB, 'abcdefg'), noise])
    for (const plain of [noise, large]) {
      const packed = codecs.compress(codec, plain, levels.at(-1) ?? 1)
      t.true(plain.equals(codecs.decompress(codec, packed, plain.length)))
    }
  })

  test(`${name} reads bytes in shared memory`, (t) => {
    const plain = Buffer.alloc(1000, 'shared')
    const packed = codecs.compress(codec, plain, levels[0] ?? 1)
    const shared = Buffer.from(new SharedArrayBuffer(packed.length + 7), 7)
    shared.set(packed)
    t.true(plain.equals(codecs.decompress(codec, shared, 1000)))
  })

  test(`${name} refuses a batch that holds one byte more than the bound`, (t) => {
    const packed = codecs.compress(codec, Buffer.alloc(100_001, 'xyz'), levels[0] ?? 1)
    t.is(codecs.decompress(codec, packed, 100_001).length, 100_001)
    refused(t, true, () => codecs.decompress(codec, packed, 100_000))
  })

  test(`${name} refuses bytes that were cut short`, (t) => {
    const packed = codecs.compress(codec, Buffer.from('some records and then some records'), 1)
    for (let length = 0; length < packed.length; length++) {
      // The header alone is a stream of nothing.
      if (codec === CodecId.snappy && length === XERIAL_HEADER_BYTES) continue
      refused(t, false, () => codecs.decompress(codec, packed.subarray(0, length), MIB))
    }
  })

  test(`${name} answers damaged bytes with a CodecError or within the bound`, (t) => {
    const base = codecs.compress(codec, Buffer.alloc(5000, 'some records, '), levels[0] ?? 1)
    const flips = fc.array(fc.tuple(fc.nat(base.length - 1), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 6,
    })
    const property = fc.property(flips, (changes) => {
      const bytes = Buffer.from(base)
      for (const [at, mask] of changes) bytes[at] = (bytes[at] as number) ^ mask
      t.true(decompressedOrRefused(codec, bytes, 6000) <= 6000)
    })
    fc.assert(property, { numRuns: 500 })
  })

  test(`${name} answers random bytes with a CodecError or within the bound`, (t) => {
    const property = fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      t.true(decompressedOrRefused(codec, bytes, 6000) <= 6000)
    })
    fc.assert(property, { numRuns: 500 })
  })
}

test('bombs of a GiB are refused in little memory', (t) => {
  const script = fileURLToPath(new URL('./codec-bombs.js', import.meta.url))
  const report = execFileSync(process.execPath, [script], { encoding: 'utf8' })
  const { outcomes, grownMib } = JSON.parse(report) as {
    outcomes: Record<string, string>
    grownMib: number
  }
  for (const [name, outcome] of Object.entries(outcomes)) t.is(outcome, 'too large', name)
  t.is(Object.keys(outcomes).length, 6)
  t.true(grownMib < 100, `${grownMib} MiB`)
})

test('raw snappy is read as well as framed', (t) => {
  const raw = Buffer.from('0b2868656c6c6f20776f726c64', 'hex')
  t.is(Buffer.from(codecs.decompress(CodecId.snappy, raw, 100)).toString(), 'hello world')
})

test('snappy streams one after another are one', (t) => {
  const one = codecs.compress(CodecId.snappy, Buffer.from('hello '), 0)
  const two = codecs.compress(CodecId.snappy, Buffer.from('world'), 0)
  const both = codecs.decompress(CodecId.snappy, Buffer.concat([one, two]), 100)
  t.is(Buffer.from(both).toString(), 'hello world')
})

test('gzip members and zstd frames one after another are one', (t) => {
  for (const codec of [CodecId.gzip, CodecId.zstd] as const) {
    const one = codecs.compress(codec, Buffer.from('hello '), 1)
    const two = codecs.compress(codec, Buffer.from('world'), 1)
    const both = codecs.decompress(codec, Buffer.concat([one, two]), 100)
    t.is(Buffer.from(both).toString(), 'hello world')
  }
})

test('a zstd frame that does not tell its size is read', (t) => {
  // Two blocks of repeated bytes, the window 1 KiB, no content size.
  const frame = Buffer.from('28b52ffd0000' + 'a20000' + '61' + '230000' + '62', 'hex')
  const plain = codecs.decompress(CodecId.zstd, frame, 24)
  t.is(Buffer.from(plain).toString(), 'a'.repeat(20) + 'b'.repeat(4))
  refused(t, true, () => codecs.decompress(CodecId.zstd, frame, 23))
})

test('lz4 frames are refused that the clients of Kafka cannot read', (t) => {
  const frame = Buffer.from(codecs.compress(CodecId.lz4, Buffer.alloc(100, 'a'), 1))
  const dependent = Buffer.from(frame)
  dependent[4] = 0x40
  refused(t, false, () => codecs.decompress(CodecId.lz4, dependent, 1000))
  const wrongHeaderChecksum = Buffer.from(frame)
  wrongHeaderChecksum[6] = 0x83
  refused(t, false, () => codecs.decompress(CodecId.lz4, wrongHeaderChecksum, 1000))
  const twice = Buffer.concat([frame, frame])
  refused(t, false, () => codecs.decompress(CodecId.lz4, twice, 1000))
})

test('an lz4 block that unfolds beyond the block size of its frame is refused', (t) => {
  // One literal, then a match of 70,000 bytes, in a frame of 64 KiB blocks.
  const length = 70_000 - 4 - 15
  const tail = Buffer.concat([
    Buffer.alloc(Math.floor(length / 255), 255),
    Buffer.from([length % 255]),
  ])
  const block = Buffer.concat([
    Buffer.from([0x1f, 0x61, 1, 0]),
    tail,
    Buffer.from([0x50]),
    Buffer.alloc(5),
  ])
  const size = Buffer.alloc(4)
  size.writeUInt32LE(block.length)
  const header = Buffer.from('04224d18604082', 'hex')
  const frame = Buffer.concat([header, size, block, Buffer.alloc(4)])
  refused(t, false, () => codecs.decompress(CodecId.lz4, frame, MIB))
  t.throws(() => codecs.decompress(CodecId.lz4, frame, 100), { instanceOf: CodecError })
})

for (const [name, codec] of compressed) {
  for (const [file, values] of [
    ['one-block', ['value 0', 'value 1', 'value 2']],
    ['several-blocks', Array<string>(3).fill('0123456789'.repeat(10_000))],
  ] as const) {
    test(`a ${name} batch that Kafka's client wrote is read (${file})`, (t) => {
      const path = new URL(`../../../test/golden/codecs/${name}-${file}.hex`, import.meta.url)
      const batch = Buffer.from(readFileSync(path, 'utf8').trim(), 'hex')
      t.is(compressionOf(batch, 0), codec)
      const plain = codecs.decompress(codec, batch.subarray(RECORD_BATCH_OVERHEAD), MIB)
      const records = new RecordCursor()
      records.reset(bufferOf(plain), 0, plain.length, recordsCount(batch, 0))
      const read: unknown[] = []
      while (records.next()) read.push([String(records.key()), String(records.value())])
      t.deepEqual(
        read,
        values.map((value, i) => [`key-${i}`, value]),
      )
    })
  }
}

function decompressedOrRefused(
  codec: CompressedCodec,
  bytes: Uint8Array,
  bytesMax: number,
): number {
  try {
    return codecs.decompress(codec, bytes, bytesMax).length
  } catch (error) {
    if (error instanceof CodecError) return 0
    throw error
  }
}

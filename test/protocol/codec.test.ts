import { isDeepStrictEqual } from 'node:util'
import test from 'ava'
import fc from 'fast-check'
import { INT64_MAX } from '../../src/base/bytes.ts'
import { Produce } from '../../src/protocol/apis/00-produce.ts'
import { Fetch } from '../../src/protocol/apis/01-fetch.ts'
import { Metadata } from '../../src/protocol/apis/03-metadata.ts'
import { Heartbeat } from '../../src/protocol/apis/12-heartbeat.ts'
import { ApiVersions } from '../../src/protocol/apis/18-api-versions.ts'
import { apis } from '../../src/protocol/apis/index.ts'
import {
  decodeMessage,
  decodeRequest,
  encodeMessage,
  encodeRequest,
  encodeResponse,
} from '../../src/protocol/compile.ts'
import {
  decodeRequestHeader,
  decodeResponseHeader,
  encodeResponseHeader,
} from '../../src/protocol/header.ts'
import { ELEMENTS_MAX, MalformedRequest } from '../../src/protocol/reader.ts'
import {
  array,
  defineMessage,
  int32,
  int64,
  type Message,
  nullable,
  string,
  struct,
} from '../../src/protocol/schema.ts'
import { UnsupportedFieldVersion, Writer } from '../../src/protocol/writer.ts'
import { allVersions } from '../support/protocol-messages.ts'
import { arbitraryOf, completed, type Values } from '../support/protocol-values.ts'

const writer = new Writer()

const anyMessage = fc.constantFrom(...allVersions).chain((named) =>
  fc.record({
    named: fc.constant(named),
    value: arbitraryOf(named.message.fields, named.version),
  }),
)

test('what is encoded is decoded again, for any message, version and value', (t) => {
  fc.assert(
    fc.property(anyMessage, ({ named, value }) => {
      const { message, version } = named
      const bytes = encoded(message, version, value)
      const decoded = decodeMessage(message, version, bytes, 0)
      return isDeepStrictEqual(decoded, completed(message.fields, value, version))
    }),
    { numRuns: 1500 },
  )
  t.pass()
})

test('text is what its bytes say, whatever was read before', (t) => {
  const one = defineMessage({
    name: 'One',
    versions: [0, 0],
    flexibleFrom: null,
    fields: { text: string() },
  })
  // Few bytes, whole sequences and broken ones, so that texts fall on one place.
  const byte = fc.constantFrom(0x61, 0x62, 0xc3, 0xa9, 0xe9, 0xff, 0x80, 0xe2, 0x82, 0xac)
  const text = fc.oneof(
    fc.array(byte, { maxLength: 5 }).map((list) => Buffer.from(list)),
    fc.string({ unit: 'grapheme', maxLength: 50 }).map((value) => Buffer.from(value)),
  )
  // Of the same characters, in UTF-8 and in what is none.
  const twins = fc
    .array(fc.integer({ min: 0x60, max: 0xff }), { minLength: 1, maxLength: 8 })
    .map((units) => String.fromCharCode(...units))
    .map((value) => [Buffer.from(value), Buffer.from(value, 'latin1')])
  fc.assert(
    fc.property(
      fc.array(fc.oneof(text, twins), { size: '+2', maxLength: 500 }).map((list) => list.flat()),
      (texts) =>
        texts.every((bytes) => {
          const size = Buffer.from([bytes.length >> 8, bytes.length])
          const decoded = decodeMessage(one, 0, Buffer.concat([size, bytes]), 0)
          return decoded.text === bytes.toString()
        }),
    ),
    { numRuns: 200 },
  )
  t.pass()
})

test('a message is read up to its end, whatever lies behind', (t) => {
  fc.assert(
    fc.property(anyMessage, fc.nat(), ({ named: { message, version }, value }, cut) => {
      const bytes = encoded(message, version, value)
      const end = cut % (bytes.length + 1)
      const read = (buffer: Buffer, until?: number) => {
        try {
          return decodeMessage(message, version, buffer, 0, until)
        } catch (error) {
          return (error as Error).message
        }
      }
      return isDeepStrictEqual(read(bytes, end), read(bytes.subarray(0, end)))
    }),
    { numRuns: 1500 },
  )
  t.pass()
})

test('bytes before and behind a message do not change it', (t) => {
  fc.assert(
    fc.property(anyMessage, ({ named: { message, version }, value }) => {
      const bytes = encoded(message, version, value)
      const inside = Buffer.concat([Buffer.alloc(7, 0xff), bytes, Buffer.alloc(9, 0x7f)])
      return isDeepStrictEqual(
        decodeMessage(message, version, inside, 7),
        decodeMessage(message, version, bytes, 0),
      )
    }),
    { numRuns: 300 },
  )
  t.pass()
})

test('every truncated message is malformed', (t) => {
  fc.assert(
    fc.property(anyMessage, fc.nat(), ({ named: { message, version }, value }, cut) => {
      const bytes = encoded(message, version, value)
      if (bytes.length === 0) return
      const short = bytes.subarray(0, cut % bytes.length)
      t.throws(() => decodeMessage(message, version, short, 0), { instanceOf: MalformedRequest })
    }),
    { numRuns: 600 },
  )
})

test('damaged bytes are decoded or malformed, and no element comes without a byte', (t) => {
  const damage = fc.array(
    fc.record({
      at: fc.nat(),
      byte: fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255)),
    }),
    { minLength: 1, maxLength: 6 },
  )
  fc.assert(
    fc.property(anyMessage, damage, ({ named: { message, version }, value }, changes) => {
      const bytes = Buffer.from(encoded(message, version, value))
      for (const { at, byte } of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte
      return staysSmall(message, version, bytes)
    }),
    { numRuns: 3000 },
  )
  t.pass()
})

test('random bytes are decoded or malformed, and no element comes without a byte', (t) => {
  const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
  fc.assert(
    fc.property(fc.constantFrom(...allVersions), bytes, ({ message, version }, random) =>
      staysSmall(message, version, random),
    ),
    { numRuns: 3000 },
  )
  t.pass()
})

const lies: readonly (readonly [what: string, message: Message, version: number, hex: string])[] = [
  ['a count beyond the frame', Metadata.request, 4, '7fffffff'],
  ['a count that only its bytes disprove', Metadata.request, 4, '00000003000161'],
  ['a negative count that is not null', Metadata.request, 4, 'fffffffe'],
  ['null where no null may be', Metadata.request, 0, 'ffffffff'],
  ['a null string where none may be', Heartbeat.request, 0, 'ffff'],
  ['a string of negative length', Heartbeat.request, 3, '000000000000000000fffe'],
  ['a compact count beyond the frame', Metadata.request, 9, 'ffffffff0f'],
  ['a varint of six bytes', Metadata.request, 9, '808080808001'],
  ['a varint of 35 bits', Metadata.request, 9, 'ffffffff7f'],
  ['a tagged field beyond the frame', ApiVersions.request, 3, '010101057f'],
  ['more tagged fields than bytes', ApiVersions.request, 3, '0101ffffffff0f'],
  ['nothing at all', Metadata.request, 4, ''],
]
for (const [what, message, version, hex] of lies) {
  test(`${what} is malformed`, (t) => {
    const bytes = Buffer.from(hex, 'hex')
    t.throws(() => decodeMessage(message, version, bytes, 0), { instanceOf: MalformedRequest })
  })
}

const tagged = defineMessage({
  name: 'Tagged',
  versions: [0, 1],
  flexibleFrom: 1,
  fields: {
    old: int32().until(0),
    dropped: int32().until(0).ignorable(),
    note: nullable(string(), 1).since(0),
    big: int64().tag(0, 1),
    inner: nullable(struct({ id: int32() })).tag(1, 1),
    many: array(string()).tag(2, 1),
  },
})

test('a known tagged field that comes twice is malformed', (t) => {
  const twice = `00020008${'00'.repeat(7)}010008${'00'.repeat(7)}01`
  t.throws(() => decodeMessage(tagged, 1, Buffer.from(twice, 'hex'), 0), {
    instanceOf: MalformedRequest,
    message: /comes twice/,
  })
})

test('a tagged field that is longer than its value is malformed', (t) => {
  const long = `00010009${'00'.repeat(9)}`
  t.throws(() => decodeMessage(tagged, 1, Buffer.from(long, 'hex'), 0), {
    instanceOf: MalformedRequest,
  })
})

test('unknown tagged fields are skipped, wherever they stand', (t) => {
  const bytes = Buffer.from(
    ['00', '02', '01', '06', '01', '00000007', '00', '63', '02', 'abcd'].join(''),
    'hex',
  )
  const decoded = decodeMessage(tagged, 1, bytes, 0)
  t.deepEqual(decoded.inner, { id: 7 })
})

test('tagged fields are left out when they have their default', (t) => {
  const value = { note: 'n', big: 0, inner: null, many: [] }
  t.is(encoded(tagged, 1, value).toString('hex'), '026e00')
})

test('a tagged field of more than 127 bytes has a longer size', (t) => {
  for (const length of [5, 10, 1000, 120_000]) {
    const value = {
      note: null,
      big: 5,
      inner: null,
      many: new Array<string>(length).fill('x'.repeat(20)),
    }
    const decoded = decodeMessage(tagged, 1, encoded(tagged, 1, value), 0)
    t.deepEqual(decoded.many, value.many)
    t.is(decoded.big, 5)
  }
})

test('a value that the version cannot carry is refused, unless default or ignorable', (t) => {
  t.throws(() => encoded(tagged, 1, { old: 1 }), { instanceOf: UnsupportedFieldVersion })
  t.throws(() => encoded(tagged, 0, { note: null }), { instanceOf: UnsupportedFieldVersion })
  t.throws(() => encoded(tagged, 0, { inner: { id: 0 } }), { instanceOf: UnsupportedFieldVersion })
  t.throws(() => encoded(tagged, 0, { many: ['a'] }), { instanceOf: UnsupportedFieldVersion })
  t.notThrows(() => encoded(tagged, 1, { old: 0, dropped: 1 }))
  t.notThrows(() => encoded(tagged, 0, { note: '', big: 0, inner: null, many: [] }))
})

test('a number out of the range of its field is refused', (t) => {
  for (const old of [2 ** 31, -(2 ** 31) - 1, 0.5, Number.NaN]) {
    t.throws(() => encoded(tagged, 0, { old, note: '' }), { name: 'AssertionError' })
  }
})

test('an int64 beyond 2^53 is the nearest double and never a crash', (t) => {
  const message = defineMessage({
    name: 'Long',
    versions: [0, 0],
    flexibleFrom: null,
    fields: { value: int64() },
  })
  const cases: readonly (readonly [hex: string, value: number])[] = [
    ['7fffffffffffffff', INT64_MAX],
    ['8000000000000000', -INT64_MAX],
    ['ffffffffffffffff', -1],
    ['001fffffffffffff', Number.MAX_SAFE_INTEGER],
    ['ffe0000000000001', Number.MIN_SAFE_INTEGER],
    ['00000000ffffffff', 0xffffffff],
    ['ffffffff00000000', -0x100000000],
  ]
  for (const [hex, value] of cases) {
    t.is(decodeMessage(message, 0, Buffer.from(hex, 'hex'), 0).value, value)
    t.is(encoded(message, 0, { value }).toString('hex'), hex)
  }
})

test('byte values are views of the frame, in both directions', (t) => {
  const records = Buffer.alloc(2000, 7)
  writer.startFrame()
  const topicData = [{ name: 'orders', partitionData: [{ index: 3, records }] }]
  encodeRequest(Produce, 7, { acks: -1, timeoutMs: 1, topicData }, writer)
  const chunks = writer.finishFrame()
  t.is(chunks.length, 2, 'nothing comes behind the records in version 7')
  t.is(chunks[1], records)
  const frame = Buffer.concat(chunks)
  t.is(frame.readInt32BE(0), frame.length - 4)
  const decoded = decodeRequest(Produce, 7, frame, 4).topicData[0]?.partitionData[0]?.records
  t.is(decoded?.buffer, frame.buffer)
  t.deepEqual(decoded, records)
})

test('the chunks of a frame stay as they are when the writer is used again', (t) => {
  const big = Buffer.alloc(1024, 1)
  const small = Buffer.alloc(1023, 2)
  const partition = (records: Buffer) => ({ partitionIndex: 0, highWatermark: 9, records })
  const value = { responses: [{ topic: 't', partitions: [big, small, big].map(partition) }] }
  writer.startFrame()
  encodeResponseHeader(writer, Fetch, 12, 77)
  encodeResponse(Fetch, 12, value, writer)
  const chunks = writer.finishFrame()
  t.deepEqual(
    chunks.filter((chunk) => chunk === big),
    [big, big],
  )
  const before = Buffer.concat(chunks)
  writer.startFrame()
  writer.raw(Buffer.alloc(900, 0xee))
  writer.finishFrame()
  t.deepEqual(Buffer.concat(chunks), before)
  t.deepEqual(decodeResponseHeader(before, 4, Fetch, 12), { correlationId: 77, bodyAt: 9 })
})

test('text of any length and script is written as UTF-8', (t) => {
  const message = defineMessage({
    name: 'Text',
    versions: [0, 1],
    flexibleFrom: 1,
    fields: { text: string() },
  })
  for (const length of [0, 1, 41, 42, 43, 127, 128, 5000]) {
    for (const letter of ['a', 'ö', '日', '😀']) {
      const text = letter.repeat(length)
      for (const version of [0, 1]) {
        t.is(decodeMessage(message, version, encoded(message, version, { text }), 0).text, text)
      }
    }
  }
})

test('a message has a bounded number of elements, over all its arrays', (t) => {
  const lists = (counts: readonly number[]): Buffer =>
    encoded(grid, 0, { rows: counts.map((count) => new Array<number>(count).fill(7)) })
  const grid = defineMessage({
    name: 'Grid',
    versions: [0, 0],
    flexibleFrom: null,
    fields: { rows: array(array(int32())) },
  })
  const half = ELEMENTS_MAX / 2
  const within = lists([half, half - 2])
  t.notThrows(() => decodeMessage(grid, 0, within, 0))
  t.notThrows(() => decodeMessage(grid, 0, within, 0), 'each message counts anew')
  const malformed = { instanceOf: MalformedRequest }
  t.throws(() => decodeMessage(grid, 0, lists([half, half - 1]), 0), malformed)
})

test('a string that was read can be written again in every version', (t) => {
  const message = defineMessage({
    name: 'Text',
    versions: [0, 1],
    flexibleFrom: 1,
    fields: { text: string() },
  })
  const read = (length: number, byte: number, version: number): string => {
    const size = version === 0 ? Buffer.alloc(2) : Buffer.alloc(3)
    if (version === 0) size.writeInt16BE(length)
    else
      size.set([
        ((length + 1) & 0x7f) | 0x80,
        (((length + 1) >> 7) & 0x7f) | 0x80,
        (length + 1) >> 14,
      ])
    const frame = Buffer.concat([size, Buffer.alloc(length, byte), Buffer.alloc(1)])
    return decodeMessage(message, version, frame, 0).text
  }
  for (const version of [0, 1]) {
    for (const [length, byte] of [
      [32_767, 0x61],
      [10_922, 0xff],
    ] as const) {
      t.notThrows(() => encoded(message, 0, { text: read(length, byte, version) }))
    }
    // Each bad byte becomes a replacement character of three bytes.
    t.throws(() => read(10_923, 0xff, version), { instanceOf: MalformedRequest })
  }
  t.throws(() => read(32_768, 0x61, 1), { instanceOf: MalformedRequest })
})

test('a request of ApiVersions 3, which has the flexible header, is read from its bytes', (t) => {
  // Client id "admin-1", software "apache-kafka-java" "3.9.1"; both tag sections are empty.
  const hex = `001200030000000000 07 61646d696e2d31 00
    12 6170616368652d6b61666b612d6a617661 06 332e392e31 00`.replace(/\s/g, '')
  const frame = Buffer.from(hex, 'hex')
  const header = decodeRequestHeader(frame, 0, (_, version) => version >= 3)
  t.is(header.clientId, 'admin-1')
  t.deepEqual(decodeRequest(ApiVersions, header.apiVersion, frame, header.bodyAt), {
    clientSoftwareName: 'apache-kafka-java',
    clientSoftwareVersion: '3.9.1',
  })
})

test('the response to ApiVersions has the old header in every version', (t) => {
  writer.startFrame()
  encodeResponseHeader(writer, ApiVersions, 3, 5)
  encodeResponse(ApiVersions, 3, { apiKeys: [{ apiKey: 18, maxVersion: 4 }] }, writer)
  const frame = Buffer.concat(writer.finishFrame())
  t.is(
    frame.toString('hex'),
    '00000013' + '00000005' + '0000' + '02' + '001200000004' + '00' + '00000000' + '00',
  )
})

test('the first and the highest version of an API that is offered are Kafka’s', (t) => {
  t.is(apis.get(0)?.advertisedFrom, 0)
  t.is(apis.get(0)?.versions[0], 3)
  t.is(apis.get(22)?.latestStable, 5)
  t.is(apis.get(22)?.versions[1], 6)
  t.is(apis.get(1)?.latestStable, 18)
})

function encoded(message: Message, version: number, value: Values): Buffer {
  writer.reset()
  encodeMessage(message, version, value, writer)
  return writer.finish()
}

function staysSmall(message: Message, version: number, bytes: Buffer): boolean {
  try {
    return elementsIn(decodeMessage(message, version, bytes, 0)) <= bytes.length
  } catch (error) {
    if (error instanceof MalformedRequest) return true
    throw error
  }
}

function elementsIn(value: unknown): number {
  if (Buffer.isBuffer(value) || typeof value !== 'object' || value === null) return 0
  const inner = Object.values(value).reduce((sum: number, item) => sum + elementsIn(item), 0)
  return inner + (Array.isArray(value) ? value.length : 0)
}

/** Frames that are damaged, padded, cut, or of another age: of each API in each version. */
import { FindCoordinator } from '../../../src/protocol/apis/10-find-coordinator.ts'
import { ApiVersions } from '../../../src/protocol/apis/18-api-versions.ts'
import { planOf } from '../../../src/protocol/plan.ts'
import type { Api, Field, Fields } from '../../../src/protocol/schema.ts'
import { frameOf } from '../../support/raw-client.ts'
import { type Case, inAllVersions, randomOf, servedVersions } from './case.ts'

const SEED = 4_711
const CLIENT_ID = 'differential'
/** Key, version, correlation id, client id; behind the size. */
const PLAIN_HEADER_BYTES = 2 + 2 + 4 + 2 + CLIENT_ID.length
const BITS_FLIPPED = 2

/** A number out of place does harm here: a million partitions, a wait of days, a new topic. */
const NOT_FLIPPED = new Set([
  'CreateTopics',
  'CreatePartitions',
  'Fetch',
  'InitProducerId',
  'Metadata',
  'FindCoordinator',
])

/** All spoiled requests of some APIs. */
export function spoiledCases(apis: readonly Api[]): Case[] {
  const random = randomOf(SEED)
  return [...apis.flatMap((api) => spoiledOf(api, random)), ...foreignFrames()]
}

function spoiledOf(api: Api, random: () => number): Case[] {
  const [lowest, highest] = servedVersions(api)
  const cases: Case[] = []
  // FindCoordinator 0 knows groups only, and for those Kafka would create a topic.
  const from = api === FindCoordinator ? 1 : lowest
  for (let version = from; version <= highest; version++) {
    const flexible = version >= api.flexibleFrom
    const spoil = (scenario: string, change: (payload: Buffer) => Buffer) => {
      const whole = (frame: Buffer) => frameOf(change(Buffer.from(frame.subarray(4))))
      const body = () => sampleOf(api, version)
      cases.push(
        ...inAllVersions(api, scenario, body as never, {
          since: version,
          until: version,
          spoil: whole,
        }),
      )
    }
    const headerBytes = PLAIN_HEADER_BYTES + (flexible ? 1 : 0)
    spoil('a sample', (b) => b)
    spoil('bytes behind the body', (b) => Buffer.concat([b, Buffer.from([1, 2, 3])]))
    spoil('the last byte missing', (b) => b.subarray(0, -1))
    const cut = random()
    spoil('cut somewhere', (b) =>
      b.subarray(0, headerBytes + Math.floor(cut * (b.length - headerBytes))),
    )
    spoil('cut in the header', (b) => b.subarray(0, 12))
    spoil('a huge count at the start', (b) => overwritten(b, headerBytes, [0x7f, 0xff, 0xff, 0xff]))
    spoil('a negative count at the start', (b) =>
      overwritten(b, headerBytes, [0xff, 0xff, 0xff, 0xfe]),
    )
    const first = Math.max(from, api.flexibleFrom)
    if (version === first || (flexible && version === highest)) spoilTags(spoil)
    if (NOT_FLIPPED.has(api.name)) continue
    for (let n = 0; n < BITS_FLIPPED; n++) {
      const place = random()
      const bit = Math.floor(random() * 8)
      spoil(`a flipped bit, ${n}`, (b) => {
        const at = headerBytes + Math.floor(place * (b.length - headerBytes))
        if (at < b.length) b[at] = (b[at] as number) ^ (1 << bit)
        return b
      })
    }
  }
  return [...cases, ...otherVersions(api)]
}

/** A flexible request ends with an empty section of tags. KIP-482. */
function spoilTags(spoil: (scenario: string, change: (payload: Buffer) => Buffer) => void): void {
  const tail = (bytes: number[]) => (b: Buffer) =>
    Buffer.concat([b.subarray(0, -1), Buffer.from(bytes)])
  spoil('an unknown tag', tail([1, 99, 2, 7, 7]))
  spoil('two unknown tags', tail([2, 98, 0, 99, 1, 7]))
  spoil('tags out of order', tail([2, 99, 0, 98, 0]))
  spoil('an unknown tag twice', tail([2, 99, 0, 99, 0]))
  spoil('a tag beyond the frame', tail([1, 99, 100, 7]))
  spoil('more tags than there are', tail([0xff, 0xff, 0xff, 0xff, 0x07]))
  spoil('a count of tags without end', tail([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]))
  spoil('a tag in the header', (b) =>
    Buffer.concat([
      b.subarray(0, PLAIN_HEADER_BYTES),
      Buffer.from([1, 99, 2, 7, 7]),
      b.subarray(PLAIN_HEADER_BYTES + 1),
    ]),
  )
}

function otherVersions(api: Api): Case[] {
  const [lowest, highest] = servedVersions(api)
  const versions = [lowest - 1, highest + 1, 99, 32767, -1, -32768]
  return versions.flatMap((version) => {
    // Kafka's brokers know it, but as one that is not stable.
    if (version > highest && version <= api.versions[1]) return []
    return inAllVersions(api, `version ${version}`, (() => sampleOf(api, highest)) as never, {
      since: highest,
      until: highest,
      // An ApiVersions of an unknown version is answered in version 0. KIP-511.
      ...(api === ApiVersions ? { answerVersion: 0 } : {}),
      spoil: (frame) => {
        frame.writeInt16BE(version, 6)
        return frame
      },
    })
  })
}

/** What is no request of any API. */
function foreignFrames(): Case[] {
  const foreign = (scenario: string, bytes: Buffer) =>
    inAllVersions(ApiVersions, `instead: ${scenario}`, () => ({}), { until: 0, spoil: () => bytes })
  const request = (key: number, version = 0) => {
    const payload = Buffer.alloc(40)
    payload.writeInt16BE(key, 0)
    payload.writeInt16BE(version, 2)
    return frameOf(payload)
  }
  const size = (bytes: number) => {
    const b = Buffer.alloc(8)
    b.writeInt32BE(bytes)
    return b
  }
  return [
    ...[
      4, 5, 6, 7, 52, 53, 54, 56, 58, 59, 62, 63, 67, 70, 73, 82, 93, 94, 1000, 32767, -1, -32768,
    ].flatMap((key) => foreign(`API ${key}`, request(key))),
    ...[0, 1, 2, 4, 7, 8, 9].flatMap((length) =>
      foreign(`${length} bytes`, frameOf(Buffer.alloc(length))),
    ),
    ...[-1, -0x80000000, 0x7fffffff, 100 * 1024 * 1024 + 1].flatMap((bytes) =>
      foreign(`a size of ${bytes}`, size(bytes)),
    ),
    ...foreign('HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')),
    ...foreign('TLS', Buffer.from('16030100a5010000a10303', 'hex')),
    ...foreign('ones', frameOf(Buffer.alloc(60, 0xff))),
  ]
}

function overwritten(payload: Buffer, at: number, bytes: number[]): Buffer {
  for (const [i, byte] of bytes.entries()) if (at + i < payload.length) payload[at + i] = byte
  return payload
}

/** A request with one element in each list, which asks for what is not there. */
function sampleOf(api: Api, version: number): unknown {
  return sampleStruct(api.request.fields, version, api.name === 'Metadata' ? 'a/b' : 'nowhere')
}

function sampleStruct(fields: Fields, version: number, text: string): unknown {
  const sample: Record<string, unknown> = {}
  for (const { name, field } of planOf(fields, version).plain) {
    sample[name] = sampleField(name, field, version, text)
  }
  return sample
}

function sampleField(name: string, field: Field, version: number, text: string): unknown {
  switch (field.kind) {
    case 'string':
      return text
    case 'array':
      return [sampleField(name, field.element as Field, version, text)]
    case 'struct':
      return sampleStruct(field.fields ?? {}, version, text)
    case 'int16':
    case 'int32':
    case 'int64':
    case 'int8':
      return sampleNumber(name)
    default:
      return field.kind === 'uuid'
        ? 'MTIzNDU2Nzg5MGFiY2RlZg'
        : (field.defaultValue ?? Buffer.alloc(0))
  }
}

function sampleNumber(name: string): number {
  if (name === 'acks') return -1
  if (name === 'timeoutMs') return 10_000
  // No type of coordinator, so that none is looked for.
  return name === 'keyType' ? 3 : 0
}

/** Requests for every API that is served, and what can be done to their bytes. */
import fc from 'fast-check'
import { handlers } from '../../src/broker/handlers/index.ts'
import type { Api, Field, Fields } from '../../src/protocol/schema.ts'
import { arbitraryOf, type Values } from '../support/protocol-values.ts'
import { frameOf } from '../support/raw-connection.ts'
import type { Seeded } from '../support/seeded.ts'

/** Names that have a meaning somewhere. `victim` is a topic that is there. */
export const NAMES: readonly string[] = [
  'victim',
  'victim',
  'victim',
  '..',
  '.',
  '',
  '/etc/passwd',
  'con',
  '__proto__',
  'constructor',
  'toString',
  '__consumer_offsets',
  '1',
  'a'.repeat(249),
  'b'.repeat(250),
]

const NUMBERS: readonly number[] = [-2147483648, -2, -1, 0, 1, 2, 5, 1000, 65_536, 2147483647]

/** A request that its API's codec accepts: random values, some of them with a meaning. */
export function anyRequest(random: Seeded): Buffer {
  const { api, served } = random.pick(handlers)
  const version = random.between(served[0], served[1])
  const fields = api.request.fields
  const [value] = fc.sample(arbitraryOf(fields, version), {
    seed: random.between(0, 0x7fffffff),
    numRuns: 1,
  })
  const seasoned = season(fields, value as Values, version, random)
  try {
    return frameOf(api as Api, version, seasoned, random.between(0, 0x7fffffff))
  } catch {
    // A value that this version cannot carry.
    return frameOf(api as Api, version, {}, 1)
  }
}

function season(fields: Fields, value: Values, version: number, random: Seeded): Values {
  const changed: Values = {}
  for (const [name, field] of Object.entries(fields)) {
    if (value[name] === undefined) continue
    changed[name] = seasonOne(field, value[name], version, random)
  }
  return changed
}

function seasonOne(field: Field, value: unknown, version: number, random: Seeded): unknown {
  if (value === null) return null
  switch (field.kind) {
    case 'string':
      return random.chance(0.7) ? random.pick(NAMES) : value
    case 'int32':
    case 'int64':
      return random.chance(0.5) ? random.pick(NUMBERS) : value
    case 'struct':
      return season(field.fields ?? {}, value as Values, version, random)
    case 'array':
      return (value as unknown[]).map((one) =>
        seasonOne(field.element as Field, one, version, random),
      )
    default:
      return value
  }
}

/** The same frame with some of its bytes changed, so that sizes and counts lie. */
export function mutated(frame: Buffer, random: Seeded): Buffer {
  let bytes: Buffer = Buffer.from(frame)
  for (let i = random.between(1, 4); i > 0; i--) bytes = mutatedOnce(bytes, random)
  // Mostly the size is right, so that what follows is looked at.
  if (random.chance(0.8) && bytes.length >= 4) bytes.writeInt32BE(bytes.length - 4)
  return bytes
}

const HUGE: readonly Buffer[] = [
  Buffer.from('7fffffff', 'hex'),
  Buffer.from('ffffffff', 'hex'),
  Buffer.from('80000000', 'hex'),
  Buffer.from('ffffffff0f', 'hex'),
  Buffer.from('ffffffff7f', 'hex'),
  Buffer.from('ffffffffffffffffff01', 'hex'),
  Buffer.from('7fff', 'hex'),
]

function mutatedOnce(bytes: Buffer, random: Seeded): Buffer {
  // Mostly behind the header, which is looked at first.
  const low = random.chance(0.8) ? Math.min(14, bytes.length - 1) : 0
  const at = random.between(Math.max(0, low), Math.max(0, bytes.length - 1))
  const huge = random.pick(HUGE)
  switch (random.between(0, 4)) {
    case 0:
      if (bytes.length > 0) bytes[at] = random.between(0, 255)
      return bytes
    case 1:
      huge.copy(bytes, at)
      return bytes
    case 2:
      return Buffer.concat([bytes.subarray(0, at), huge, bytes.subarray(at + 1)])
    case 3:
      return bytes.subarray(0, at)
    default:
      return Buffer.concat([bytes.subarray(0, at), random.bytes(8), bytes.subarray(at)])
  }
}

// Values of messages: random ones, the defaults that decoding fills in, and the JSON form in which
// an independent codec gives its samples.

import fc from 'fast-check'
import { uuidFromHex, ZERO_UUID } from '../../src/base/uuid.ts'
import { planOf } from '../../src/protocol/plan.ts'
import type { Field, Fields } from '../../src/protocol/schema.ts'

/** A struct as an object. */
export type Values = Record<string, unknown>

/** A random value of a message: what this version can carry, some fields left out. */
export function arbitraryOf(fields: Fields, version: number): fc.Arbitrary<Values> {
  const plan = planOf(fields, version)
  const model: Record<string, fc.Arbitrary<unknown>> = {}
  for (const { name, field, present, nullable } of plan.all) {
    if (present) model[name] = anyValueOf(field, version, nullable)
  }
  return fc.record(model, { requiredKeys: [] })
}

function anyValueOf(field: Field, version: number, nullable: boolean): fc.Arbitrary<unknown> {
  const value = plainValueOf(field, version)
  return nullable ? fc.option(value, { nil: null, freq: 4 }) : value
}

function plainValueOf(field: Field, version: number): fc.Arbitrary<unknown> {
  switch (field.kind) {
    case 'bool':
      return fc.boolean()
    case 'int8':
      return fc.integer({ min: -128, max: 127 })
    case 'int16':
      return fc.integer({ min: -0x8000, max: 0x7fff })
    case 'uint16':
      return fc.integer({ min: 0, max: 0xffff })
    case 'int32':
      return fc.integer()
    case 'int64':
      return fc.maxSafeInteger()
    case 'float64':
      return fc.double({ noNaN: true })
    case 'string':
      return fc.string({ unit: 'grapheme', maxLength: 60 })
    case 'uuid':
      return fc.oneof(fc.constant(ZERO_UUID), fc.uuid().map(uuidFromHex))
    case 'bytes':
    case 'records':
      return fc.oneof(arbitraryBytes(40), arbitraryBytes(3000))
    case 'array':
      return fc.array(anyValueOf(field.element as Field, version, false), { maxLength: 3 })
    case 'struct':
      return arbitraryOf(field.fields ?? {}, version)
  }
}

function arbitraryBytes(maxLength: number): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ maxLength }).map((array) => Buffer.from(array))
}

/** What decoding the encoded `value` has to give: every field, defaults where it has none. */
export function completed(fields: Fields, value: Values, version: number): Values {
  const full: Values = {}
  for (const { name, field, present, nullable } of planOf(fields, version).all) {
    const given = value[name]
    const missing = given === undefined || !present
    full[name] = missing
      ? defaultOf(field, version, present && !nullable)
      : deepen(field, given, version)
  }
  return full
}

function deepen(field: Field, value: unknown, version: number): unknown {
  if (value === null) return null
  if (field.kind === 'struct') return completed(field.fields ?? {}, value as Values, version)
  if (field.kind !== 'array') return value
  return (value as unknown[]).map((item) => deepen(field.element as Field, item, version))
}

function defaultOf(field: Field, version: number, neverNull: boolean): unknown {
  if (field.defaultValue === null) {
    if (!neverNull) return null
    return field.kind === 'array' ? [] : field.kind === 'string' ? '' : Buffer.alloc(0)
  }
  return field.kind === 'struct' ? completed(field.fields ?? {}, {}, version) : field.defaultValue
}

/** From the JSON of a sample: int64 are decimal strings, bytes hexadecimal, uuids dashed. */
export function fromSample(fields: Fields, json: Values): Values {
  const value: Values = {}
  for (const [name, field] of Object.entries(fields)) {
    if (json[name] !== undefined) value[name] = itemFromSample(field, json[name])
  }
  return value
}

function itemFromSample(field: Field, json: unknown): unknown {
  if (json === null) return null
  switch (field.kind) {
    case 'int64':
      return Number(json)
    case 'bytes':
    case 'records':
      return Buffer.from(String(json), 'hex')
    case 'uuid':
      return uuidFromHex(String(json))
    case 'array':
      return (json as unknown[]).map((item) => itemFromSample(field.element as Field, item))
    case 'struct':
      return fromSample(field.fields ?? {}, json as Values)
    default:
      return json
  }
}

/** The sample as a codec with doubles for int64 would write it: rounded, without unknown tags. */
export function roundedSample(fields: Fields, json: Values): Values {
  const value: Values = {}
  for (const [name, field] of Object.entries(fields)) {
    if (json[name] !== undefined) value[name] = roundedItem(field, json[name])
  }
  return value
}

function roundedItem(field: Field, json: unknown): unknown {
  if (json === null) return null
  if (field.kind === 'int64') {
    const rounded = BigInt(Number(json))
    return String(rounded > INT64_LAST ? INT64_LAST : rounded)
  }
  if (field.kind === 'struct') return roundedSample(field.fields ?? {}, json as Values)
  if (field.kind !== 'array') return json
  return (json as unknown[]).map((item) => roundedItem(field.element as Field, item))
}

const INT64_LAST = 2n ** 63n - 1n

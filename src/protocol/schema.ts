// The schema language: one definition describes all versions of a message, and the static types
// and the codecs (compile.ts) follow from it. Fields stand in the order of the wire.
//
//   groupInstanceId: nullable(string()).since(3)
//
// A decoded message has every field: what its version lacks has the default. To encode, a field
// may be left out and then has the default. A default is the empty value unless .default() says
// otherwise, and null for nullable().

import { ZERO_UUID } from '../base/uuid.ts'

/** How a value lies on the wire. */
export type Kind =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'int64'
  | 'float64'
  | 'string'
  | 'uuid'
  | 'bytes'
  | 'records'
  | 'array'
  | 'struct'

/** Field definitions by camelCase name, in wire order. */
export type Fields = { readonly [name: string]: Field }

/** What decoding gives: every field is there. */
export type Decoded<F extends Fields> = { readonly [K in keyof F]: F[K]['decoded'] }

/** What encoding takes: fields that are left out have their default, at any depth. */
export type Encodable<F extends Fields> = { [K in keyof F]?: F[K]['encodable'] }

/** What a field is made of. */
interface FieldParts {
  readonly kind: Kind
  /** Of an array: what it holds. */
  readonly element: Field | undefined
  /** Of a struct: its fields. */
  readonly fields: Fields | undefined
  readonly sinceVersion: number
  readonly untilVersion: number
  /** The first version in which null may be sent; Infinity: never. */
  readonly nullableSince: number
  /** [] and {} stand for the empty array and the struct of defaults. */
  readonly defaultValue: unknown
  /** Number of a tagged field, -1 for a plain one. KIP-482. */
  readonly tagNumber: number
  readonly isIgnorable: boolean
}

/** One field, or the element of an array. Immutable: each modifier answers a changed copy. */
export class Field<Out = unknown, In = unknown> implements FieldParts {
  /** Exists for the compiler only. */
  declare readonly decoded: Out
  /** Exists for the compiler only. */
  declare readonly encodable: In

  // Assigned, not initialized: there are thousands, made anew in each thread, and a class field is
  // slow before V8 has compiled its class.
  declare readonly kind: Kind
  declare readonly element: Field | undefined
  declare readonly fields: Fields | undefined
  declare readonly sinceVersion: number
  declare readonly untilVersion: number
  declare readonly nullableSince: number
  declare readonly defaultValue: unknown
  declare readonly tagNumber: number
  declare readonly isIgnorable: boolean

  constructor(parts: FieldParts) {
    this.kind = parts.kind
    this.element = parts.element
    this.fields = parts.fields
    this.sinceVersion = parts.sinceVersion
    this.untilVersion = parts.untilVersion
    this.nullableSince = parts.nullableSince
    this.defaultValue = parts.defaultValue
    this.tagNumber = parts.tagNumber
    this.isIgnorable = parts.isIgnorable
  }

  /** First version that has the field. */
  since(version: number): Field<Out, In> {
    return new Field({ ...this, sinceVersion: version })
  }

  /** Last version that has the field. */
  until(version: number): Field<Out, In> {
    return new Field({ ...this, untilVersion: version })
  }

  /** The value of a field that is not sent. `{}` for a struct of defaults. */
  default(value: In): Field<Out, In> {
    return new Field({ ...this, defaultValue: value })
  }

  /** Makes it a tagged field, which is sent at the end of its struct and only when not default. */
  tag(number: number, since = 0): Field<Out, In> {
    return new Field({ ...this, tagNumber: number, sinceVersion: since })
  }

  /** A set value is dropped silently in versions that lack the field; otherwise that throws. */
  ignorable(): Field<Out, In> {
    return new Field({ ...this, isIgnorable: true })
  }

  /** Serves nullable(), which is how definitions read. */
  orNull(since: number): Field<Out | null, In | null> {
    return new Field({ ...this, nullableSince: since, defaultValue: null })
  }
}

/** A field of all versions that is never null. */
function plain<Out, In>(
  kind: Kind,
  defaultValue: unknown,
  element?: Field,
  fields?: Fields,
): Field<Out, In> {
  return new Field({
    kind,
    element,
    fields,
    sinceVersion: 0,
    untilVersion: Infinity,
    nullableSince: Infinity,
    defaultValue,
    tagNumber: -1,
    isIgnorable: false,
  })
}

const EMPTY = Buffer.alloc(0)

/** A byte that is 0 or 1. */
export const bool = (): Field<boolean, boolean> => plain('bool', false)
/** Signed 8 bits. */
export const int8 = (): Field<number, number> => plain('int8', 0)
/** Signed 16 bits. */
export const int16 = (): Field<number, number> => plain('int16', 0)
/** Unsigned 16 bits. */
export const uint16 = (): Field<number, number> => plain('uint16', 0)
/** Signed 32 bits. */
export const int32 = (): Field<number, number> => plain('int32', 0)
/** Signed 64 bits as a number; beyond 2^53 the nearest double. */
export const int64 = (): Field<number, number> => plain('int64', 0)
/** IEEE 754 double. */
export const float64 = (): Field<number, number> => plain('float64', 0)
/** UTF-8 text. */
export const string = (): Field<string, string> => plain('string', '')
/** 16 bytes, as text in Kafka's base64url form; see base/uuid.ts. */
export const uuid = (): Field<string, string> => plain('uuid', ZERO_UUID)
/** Bytes, decoded to a view into the frame. */
export const bytes = (): Field<Buffer, Buffer> => plain('bytes', EMPTY)
/** Record batches, decoded to a view into the frame. */
export const records = (): Field<Buffer, Buffer> => plain('records', EMPTY)
/** Any number of `element`. */
export const array = <O, I>(element: Field<O, I>): Field<readonly O[], readonly I[]> =>
  plain('array', [], element)
/** A group of fields. */
export const struct = <F extends Fields>(fields: F): Field<Decoded<F>, Encodable<F>> =>
  plain('struct', {}, undefined, fields)
/** May be null from version `since` on, and is null by default. */
export const nullable = <O, I>(field: Field<O, I>, since = 0): Field<O | null, I | null> =>
  field.orNull(since)

/** A message with a body of its own: a request, a response, a key, a value, an embedded schema. */
export type Message<F extends Fields = Fields> = {
  readonly name: string
  /** Lowest and highest version. */
  readonly versions: readonly [number, number]
  /** First version with compact lengths and tagged fields (KIP-482); Infinity: none. */
  readonly flexibleFrom: number
  readonly fields: F
  /** Compiled codecs by version; belongs to compile.ts. */
  readonly codecs: unknown[]
}

/** An API of the wire protocol. */
export type Api<Rq extends Fields = Fields, Rs extends Fields = Fields> = {
  readonly key: number
  readonly name: string
  /** Lowest and highest version that can be decoded and encoded. */
  readonly versions: readonly [number, number]
  /** Highest version to offer: lower than the highest when that is still unstable. */
  readonly latestStable: number
  /** Lowest version to offer in ApiVersions: KIP-896 keeps Produce 0 there for old probes. */
  readonly advertisedFrom: number
  readonly flexibleFrom: number
  readonly request: Message<Rq>
  readonly response: Message<Rs>
}

/** A decoded request. */
export type RequestOf<A extends Api> = Decoded<A['request']['fields']>
/** A decoded response. */
export type ResponseOf<A extends Api> = Decoded<A['response']['fields']>
/** A request to encode: defaults may be left out. */
export type RequestInput<A extends Api> = Encodable<A['request']['fields']>
/** A response to encode: defaults may be left out. */
export type ResponseInput<A extends Api> = Encodable<A['response']['fields']>
/** A decoded message. */
export type MessageOf<M extends Message> = Decoded<M['fields']>
/** A message to encode: defaults may be left out. */
export type MessageInput<M extends Message> = Encodable<M['fields']>

/** Defines a message that is no request or response. `flexibleFrom` null: no flexible version. */
export function defineMessage<F extends Fields>(definition: {
  name: string
  versions: readonly [number, number]
  flexibleFrom: number | null
  fields: F
}): Message<F> {
  return { ...definition, flexibleFrom: definition.flexibleFrom ?? Infinity, codecs: [] }
}

/** Defines an API. `flexibleFrom` null: no flexible version. */
export function defineApi<Rq extends Fields, Rs extends Fields>(definition: {
  key: number
  name: string
  versions: readonly [number, number]
  flexibleFrom: number | null
  latestStable?: number
  advertisedFrom?: number
  request: Rq
  response: Rs
}): Api<Rq, Rs> {
  const { key, name, versions, flexibleFrom } = definition
  return {
    key,
    name,
    versions,
    latestStable: definition.latestStable ?? versions[1],
    advertisedFrom: definition.advertisedFrom ?? versions[0],
    flexibleFrom: flexibleFrom ?? Infinity,
    request: defineMessage({
      name: `${name}Request`,
      versions,
      flexibleFrom,
      fields: definition.request,
    }),
    response: defineMessage({
      name: `${name}Response`,
      versions,
      flexibleFrom,
      fields: definition.response,
    }),
  }
}

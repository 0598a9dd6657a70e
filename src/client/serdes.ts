/** Serializers and deserializers in one: text, bytes, numbers, uuids as Kafka's Java clients write
 *  them, and JSON. */
import { optionalPeer } from './optional-peer.ts'
import type { RecordBytes } from './record-size.ts'

/** What serializers and deserializers are told besides the value or its bytes. */
export interface SerdeContext {
  readonly topic: string
  readonly part: 'key' | 'value'
}

/** Turns keys or values into bytes; may need time (a schema registry). Text goes as UTF-8. */
export interface Serializer<T> {
  serialize(value: T, context: SerdeContext): RecordBytes | Promise<RecordBytes>
}

/** Turns bytes into keys or values, before a record is handed out; may need time (a schema
 *  registry). What it throws or rejects with reaches who reads `key` or `value`. */
export interface Deserializer<T> {
  deserialize(bytes: Buffer, context: SerdeContext): T | Promise<T>
}

/** A serializer and deserializer. Both are synchronous. */
export interface Serde<T> {
  serialize(value: T, context: SerdeContext): RecordBytes
  /** Throws RangeError for bytes that are no such value. */
  deserialize(bytes: Buffer, context: SerdeContext): T
}

/** Text as UTF-8. */
export const stringSerde: Serde<string> = {
  serialize: (value) => value,
  deserialize: (bytes) => bytes.toString('utf8'),
}

/** Bytes as they are. */
export const bytesSerde: Serde<Uint8Array> = {
  serialize: (value) => value,
  deserialize: (bytes) => bytes,
}

/** Java's ShortSerializer: 2 bytes. */
export const int16Serde: Serde<number> = fixed(2, 'writeInt16BE', 'readInt16BE')
/** Java's IntegerSerializer: 4 bytes. */
export const int32Serde: Serde<number> = fixed(4, 'writeInt32BE', 'readInt32BE')
/** Java's LongSerializer: 8 bytes. */
export const int64Serde: Serde<bigint> = fixed(8, 'writeBigInt64BE', 'readBigInt64BE')
/** Java's FloatSerializer: 4 bytes. */
export const float32Serde: Serde<number> = fixed(4, 'writeFloatBE', 'readFloatBE')
/** Java's DoubleSerializer: 8 bytes. */
export const float64Serde: Serde<number> = fixed(8, 'writeDoubleBE', 'readDoubleBE')

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Java's UUIDSerializer: the 36 characters. Throws RangeError for what is no uuid. */
export const uuidSerde: Serde<string> = {
  serialize: (value) => checkedUuid(value),
  deserialize: (bytes) => checkedUuid(bytes.toString('latin1')),
}

/** How JSON is checked. */
export interface JsonSerdeOptions {
  /** A JSON Schema; needs the package `ajv`. Default: anything goes. */
  readonly schema?: object
}

/** JSON as UTF-8. Throws RangeError for what the schema forbids, in both directions. */
export function jsonSerde<T = unknown>(options: JsonSerdeOptions = {}): Serde<T> {
  const check = options.schema === undefined ? undefined : jsonCheck(options.schema)
  return {
    serialize: (value) => {
      check?.(value)
      return JSON.stringify(value)
    },
    deserialize: (bytes) => {
      const value: unknown = JSON.parse(bytes.toString('utf8'))
      check?.(value)
      return value as T
    },
  }
}

/** Throws RangeError for values that the schema forbids. Needs `ajv`. */
export function jsonCheck(schema: object): (value: unknown) => void {
  type Ajv = { compile(schema: object): Validate; errorsText(errors: unknown): string }
  type Validate = { (value: unknown): boolean; errors?: unknown }
  const { Ajv } = optionalPeer<{ Ajv: new (options: object) => Ajv }>('ajv', 'a JSON Schema')
  const ajv = new Ajv({ strict: false })
  const validate = ajv.compile(schema)
  return (value) => {
    if (!validate(value)) throw new RangeError(`JSON Schema: ${ajv.errorsText(validate.errors)}`)
  }
}

type Writers = 'writeInt16BE' | 'writeInt32BE' | 'writeFloatBE' | 'writeDoubleBE'
type Readers = 'readInt16BE' | 'readInt32BE' | 'readFloatBE' | 'readDoubleBE'

function fixed(size: number, write: Writers, read: Readers): Serde<number>
function fixed(size: number, write: 'writeBigInt64BE', read: 'readBigInt64BE'): Serde<bigint>
function fixed(
  size: number,
  write: Writers | 'writeBigInt64BE',
  read: Readers | 'readBigInt64BE',
): Serde<never> {
  return {
    serialize: (value) => {
      const bytes = Buffer.allocUnsafe(size)
      bytes[write](value)
      return bytes
    },
    deserialize: (bytes) => {
      if (bytes.length !== size) throw new RangeError(`${bytes.length} bytes instead of ${size}`)
      return bytes[read]() as never
    },
  }
}

function checkedUuid(text: string): string {
  if (!UUID.test(text)) throw new RangeError(`'${text}' is no uuid`)
  return text
}

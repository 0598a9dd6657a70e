/** Avro, Protobuf, JSON and Thrift by their libraries, which are optional peers. */
import { optionalPeer } from './optional-peer.ts'
import { jsonCheck, type Serde } from './serdes.ts'

/** How a schema's values become bytes and values again. */
export interface CompiledSchema {
  encode(value: unknown): Uint8Array
  /** Throws for bytes that are no such value. */
  decode(bytes: Buffer): unknown
}

/** A language of schemas, as a registry calls it. */
export interface SchemaFormat {
  readonly schemaType: 'AVRO' | 'JSON' | 'PROTOBUF'
  /** `reader`: what the program expects, where that may differ from what was written. */
  compile(schema: string, reader?: string): CompiledSchema
}

interface AvroType {
  toBuffer(value: unknown): Buffer
  fromBuffer(bytes: Buffer, resolver?: unknown): unknown
  createResolver(writer: AvroType): unknown
}

/** Avro; needs the package `avsc`. */
export function avroFormat(): SchemaFormat {
  const avro = optionalPeer<{ Type: { forSchema(schema: unknown): AvroType } }>('avsc', 'Avro')
  const typeOf = (schema: string) => avro.Type.forSchema(JSON.parse(schema))
  return {
    schemaType: 'AVRO',
    compile: (schema, reader) => {
      const writerType = typeOf(schema)
      const type = reader === undefined ? writerType : typeOf(reader)
      const resolver = reader === undefined ? undefined : type.createResolver(writerType)
      return {
        encode: (value) => writerType.toBuffer(value),
        decode: (bytes) => type.fromBuffer(bytes, resolver),
      }
    },
  }
}

/** JSON with a JSON Schema; needs the package `ajv`. */
export function jsonSchemaFormat(): SchemaFormat {
  return {
    schemaType: 'JSON',
    compile: (schema, reader) => {
      const check = jsonCheck(JSON.parse(schema) as object)
      const checkRead = reader === undefined ? check : jsonCheck(JSON.parse(reader) as object)
      return {
        encode: (value) => {
          check(value)
          return Buffer.from(JSON.stringify(value))
        },
        decode: (bytes) => {
          const value: unknown = JSON.parse(bytes.toString('utf8'))
          checkRead(value)
          return value
        },
      }
    },
  }
}

/** A message type of protobufjs, loaded or generated. */
export interface ProtobufType {
  encode(value: never): { finish(): Uint8Array }
  decode(bytes: Uint8Array): unknown
  verify?(value: never): string | null
}

interface ProtobufNamespace {
  readonly nestedArray?: readonly (ProtobufNamespace & Partial<ProtobufType>)[]
}

/** Protobuf by schemas of a registry: values are of the first message of the file. Needs the
 *  package `protobufjs`. */
export function protobufFormat(): SchemaFormat {
  const protobuf = optionalPeer<{
    parse(source: string, options: object): { root: ProtobufNamespace }
  }>('protobufjs', 'Protobuf')
  return {
    schemaType: 'PROTOBUF',
    compile: (schema) => {
      const { root } = protobuf.parse(schema, { keepCase: true })
      const first = messageAt(root, [0])
      return {
        // The first message of a file has a short form of its path.
        encode: (value) => Buffer.concat([Buffer.from([0]), protobufSerde(first).bytesOf(value)]),
        decode: (bytes) => {
          const { path, end } = messagePath(bytes)
          return messageAt(root, path).decode(bytes.subarray(end))
        },
      }
    },
  }
}

/** Protobuf without a registry, by a type of protobufjs. */
export function protobufSerde<T>(
  type: ProtobufType,
): Serde<T> & { bytesOf(value: unknown): Uint8Array } {
  const bytesOf = (value: unknown) => {
    const wrong = type.verify?.(value as never)
    if (wrong) throw new RangeError(`Protobuf: ${wrong}`)
    return type.encode(value as never).finish()
  }
  return {
    bytesOf,
    serialize: (value) => bytesOf(value),
    deserialize: (bytes) => type.decode(bytes) as T,
  }
}

/** Avro without a registry: the bytes say nothing of their schema. Needs the package `avsc`. */
export function avroSerde<T>(options: { readonly schema: object | string }): Serde<T> {
  const { schema } = options
  const text = typeof schema === 'string' ? schema : JSON.stringify(schema)
  const compiled = avroFormat().compile(text)
  return {
    serialize: (value) => compiled.encode(value),
    deserialize: (bytes) => compiled.decode(bytes) as T,
  }
}

/** A struct that the Thrift compiler made. */
export interface ThriftStruct {
  write(protocol: unknown): void
  read(protocol: unknown): void
}

interface ThriftLibrary {
  readonly TBufferedTransport: new (
    buffer: undefined,
    onFlush: (bytes: Buffer) => void,
  ) => { flush(): void }
  readonly TFramedTransport: new (bytes: Buffer) => object
  readonly TBinaryProtocol: new (transport: object) => { flush(): void }
  readonly TCompactProtocol: new (transport: object) => { flush(): void }
}

/** Thrift by a generated struct. Needs the package `thrift`. */
export function thriftSerde<T extends ThriftStruct>(options: {
  readonly struct: new () => T
  /** Default: 'binary'. */
  readonly protocol?: 'binary' | 'compact'
}): Serde<T> {
  const thrift = optionalPeer<ThriftLibrary>('thrift', 'Thrift')
  const compact = options.protocol === 'compact'
  const Protocol = compact ? thrift.TCompactProtocol : thrift.TBinaryProtocol
  return {
    serialize: (value) => {
      let bytes = Buffer.alloc(0)
      const transport = new thrift.TBufferedTransport(undefined, (flushed) => {
        bytes = flushed as Buffer<ArrayBuffer>
      })
      value.write(new Protocol(transport))
      transport.flush()
      return bytes
    },
    deserialize: (bytes) => {
      const value = new options.struct()
      value.read(new Protocol(new thrift.TFramedTransport(bytes)))
      return value
    },
  }
}

/** Which message of the file: zigzag varints, their number first; no number stands for [0]. */
function messagePath(bytes: Buffer): { path: readonly number[]; end: number } {
  let end = 0
  const varint = () => {
    let raw = 0
    for (let shift = 0; shift < 32; shift += 7) {
      const byte = bytes[end++]
      if (byte === undefined) break
      raw |= (byte & 0x7f) << shift
      if (byte < 0x80) return (raw >>> 1) ^ -(raw & 1)
    }
    throw new RangeError('Protobuf: the path of the message ends early')
  }
  const count = varint()
  if (count < 0 || count > bytes.length) throw new RangeError(`Protobuf: a path of ${count}`)
  const path = Array.from({ length: count }, varint)
  return { path: count === 0 ? [0] : path, end }
}

/** A package stands as namespaces around the messages of its file. */
function messageAt(root: ProtobufNamespace, path: readonly number[]): ProtobufType {
  let at: ProtobufNamespace & Partial<ProtobufType> = root
  for (const index of path) {
    let messages = messagesIn(at)
    while (messages.length === 0 && at.nestedArray?.length === 1) {
      at = at.nestedArray[0] as ProtobufNamespace
      messages = messagesIn(at)
    }
    const next = messages[index]
    if (next === undefined) throw new RangeError(`Protobuf: no message ${path.join('.')}`)
    at = next
  }
  return at as ProtobufType
}

function messagesIn(at: ProtobufNamespace) {
  return (at.nestedArray ?? []).filter(({ decode }) => typeof decode === 'function')
}

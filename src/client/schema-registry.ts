/** Schemas by number: the client of a Confluent schema registry, and the serde that puts the number
 *  before each value. Source: the wire format of Confluent's serializers. */
import type { RecordBytes } from './record-size.ts'
import type { CompiledSchema, SchemaFormat } from './schema-formats.ts'
import type { SerdeContext } from './serdes.ts'

const MAGIC = 0
const PREFIX_BYTES = 5

/** Where a registry is. */
export interface SchemaRegistryOptions {
  readonly url: string
  readonly auth?: { readonly username: string; readonly password: string }
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>
}

/** A registry that does not answer, or refuses. */
export class SchemaRegistryError extends Error {
  override readonly name = 'SchemaRegistryError'
  /** The HTTP status. */
  readonly status: number
  /** The registry's own number, such as 40401; -1: none. */
  readonly code: number

  constructor(status: number, code: number, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** Asks a registry over HTTP, once for each schema. */
export class SchemaRegistry {
  readonly #url: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #schemas = new Map<number, Promise<string>>()
  readonly #ids = new Map<string, Promise<number>>()

  constructor({ url, auth, headers = {} }: SchemaRegistryOptions) {
    this.#url = url.replace(/\/+$/, '')
    const credentials = auth && Buffer.from(`${auth.username}:${auth.password}`).toString('base64')
    this.#headers = {
      accept: 'application/vnd.schemaregistry.v1+json',
      'content-type': 'application/vnd.schemaregistry.v1+json',
      ...(credentials === undefined ? {} : { authorization: `Basic ${credentials}` }),
      ...headers,
    }
  }

  /** The text of a schema. Rejects with SchemaRegistryError. */
  schemaOf(id: number): Promise<string> {
    return remembered(this.#schemas, id, async () => {
      return (await this.#ask('GET', `/schemas/ids/${id}`))['schema'] as string
    })
  }

  /** The id of a schema under a subject, registered if it is new. Rejects with
   *  SchemaRegistryError, also when it is not compatible with the ones before. */
  register(subject: string, schemaType: string, schema: string): Promise<number> {
    return remembered(this.#ids, `${subject} ${schema}`, async () => {
      const path = `/subjects/${encodeURIComponent(subject)}/versions`
      return (await this.#ask('POST', path, { schemaType, schema }))['id'] as number
    })
  }

  /** The newest schema of a subject. Rejects with SchemaRegistryError. */
  async latest(subject: string): Promise<{ id: number; schema: string }> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions/latest`
    const { id, schema } = await this.#ask('GET', path)
    return { id: id as number, schema: schema as string }
  }

  async #ask(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
    const response = await fetch(this.#url + path, {
      method,
      headers: this.#headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (response.ok) return JSON.parse(text) as Record<string, unknown>
    let code = -1
    let message = text
    try {
      const told = JSON.parse(text) as { error_code?: number; message?: string }
      code = told.error_code ?? -1
      message = told.message ?? text
    } catch {
      // A proxy answers in its own way; the text has to do.
    }
    throw new SchemaRegistryError(response.status, code, `${method} ${path}: ${message}`)
  }
}

/** How values are tied to schemas. */
export interface RegistrySerdeOptions {
  readonly registry: SchemaRegistry
  readonly format: SchemaFormat
  /** Written with this schema, which is registered at first use, and read as it says. Default: the
   *  newest of the subject, and as it was written. */
  readonly schema?: string | object
  /** Default: `<topic>-<key or value>`. */
  readonly subject?: (context: SerdeContext) => string
}

/** Values with the number of their schema. A promise where the registry has to be asked first; what
 *  is known is answered at once. */
export class RegistrySerde<T> {
  readonly #options: RegistrySerdeOptions
  readonly #schema: string | undefined
  readonly #writers = new Map<string, { id: number; compiled: CompiledSchema }>()
  readonly #readers = new Map<number, CompiledSchema>()

  constructor(options: RegistrySerdeOptions) {
    this.#options = options
    const { schema } = options
    this.#schema =
      schema === undefined || typeof schema === 'string' ? schema : JSON.stringify(schema)
  }

  serialize(value: T, context: SerdeContext): RecordBytes | Promise<RecordBytes> {
    const subject = this.#options.subject?.(context) ?? `${context.topic}-${context.part}`
    const known = this.#writers.get(subject)
    if (known !== undefined) return framed(known.id, known.compiled.encode(value))
    return this.#writerOf(subject).then(({ id, compiled }) => framed(id, compiled.encode(value)))
  }

  /** Throws or rejects with RangeError for bytes without a schema's number. */
  deserialize(bytes: Buffer, _context: SerdeContext): T | Promise<T> {
    if (bytes.length < PREFIX_BYTES || bytes[0] !== MAGIC) {
      throw new RangeError('the value does not begin with the number of a schema')
    }
    const id = bytes.readInt32BE(1)
    const body = bytes.subarray(PREFIX_BYTES)
    const known = this.#readers.get(id)
    if (known !== undefined) return known.decode(body) as T
    return this.#options.registry.schemaOf(id).then((schema) => {
      const compiled = this.#options.format.compile(schema, this.#schema)
      this.#readers.set(id, compiled)
      return compiled.decode(body) as T
    })
  }

  async #writerOf(subject: string) {
    const { registry, format } = this.#options
    const schema = this.#schema
    const found =
      schema === undefined
        ? await registry.latest(subject)
        : { id: await registry.register(subject, format.schemaType, schema), schema }
    const writer = { id: found.id, compiled: format.compile(found.schema) }
    this.#writers.set(subject, writer)
    return writer
  }
}

function framed(id: number, body: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + body.length)
  bytes[0] = MAGIC
  bytes.writeInt32BE(id, 1)
  bytes.set(body, PREFIX_BYTES)
  return bytes
}

/** One request for all who ask at once; a failure is not remembered. */
function remembered<K, V>(known: Map<K, Promise<V>>, key: K, ask: () => Promise<V>): Promise<V> {
  let answer = known.get(key)
  if (answer === undefined) {
    answer = ask()
    known.set(key, answer)
    answer.catch(() => known.delete(key))
  }
  return answer
}

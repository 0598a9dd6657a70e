/** Serializers and deserializers, with the libraries that they stand on. */
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import test from 'ava'
import {
  avroFormat,
  avroSerde,
  jsonSchemaFormat,
  protobufFormat,
  protobufSerde,
  type SchemaFormat,
  type ThriftStruct,
  thriftSerde,
} from '../../src/client/schema-formats.ts'
import {
  RegistrySerde,
  SchemaRegistry,
  SchemaRegistryError,
} from '../../src/client/schema-registry.ts'
import * as serdes from '../../src/client/serdes.ts'
import { Broker, Consumer, Producer, topic } from '../../src/index.ts'

const require = createRequire(import.meta.url)
const context = { topic: 't', part: 'value' } as const

function roundTrip<T>(serde: serdes.Serde<T>, value: T): [hex: string, back: T] {
  const bytes = Buffer.from(serde.serialize(value, context) as Uint8Array)
  return [bytes.toString('hex'), serde.deserialize(bytes, context)]
}

test('numbers, text and uuids are what the serializers of Java write', (t) => {
  t.deepEqual(roundTrip(serdes.int16Serde, -2), ['fffe', -2])
  t.deepEqual(roundTrip(serdes.int32Serde, 258), ['00000102', 258])
  t.deepEqual(roundTrip(serdes.int64Serde, -1n), ['ffffffffffffffff', -1n])
  t.deepEqual(roundTrip(serdes.float32Serde, 1.5), ['3fc00000', 1.5])
  t.deepEqual(roundTrip(serdes.float64Serde, 1.5), ['3ff8000000000000', 1.5])
  t.deepEqual(roundTrip(serdes.stringSerde, 'ä'), ['c3a4', 'ä'])
  const uuid = '123e4567-e89b-12d3-a456-426614174000'
  t.deepEqual(roundTrip(serdes.uuidSerde, uuid), [Buffer.from(uuid).toString('hex'), uuid])
  t.throws(() => serdes.uuidSerde.serialize('no', context), { instanceOf: RangeError })
  t.throws(() => serdes.int32Serde.deserialize(Buffer.alloc(3), context), {
    instanceOf: RangeError,
  })
})

test('JSON is checked in both directions where there is a schema', (t) => {
  t.deepEqual(roundTrip(serdes.jsonSerde(), { a: [1, null] })[1], { a: [1, null] })
  const schema = { type: 'object', required: ['a'], properties: { a: { type: 'number' } } }
  const serde = serdes.jsonSerde({ schema })
  t.deepEqual(roundTrip(serde, { a: 1 })[1], { a: 1 })
  t.throws(() => serde.serialize({ a: 'x' }, context), { message: /must be number/ })
  t.throws(() => serde.deserialize(Buffer.from('{}'), context), { message: /required/ })
})

const avroSchema = {
  type: 'record',
  name: 'Person',
  fields: [{ name: 'name', type: 'string' }],
}

test('Avro values are written as the specification says', (t) => {
  const [hex, back] = roundTrip(avroSerde<{ name: string }>({ schema: avroSchema }), { name: 'Al' })
  t.is(hex, '04416c')
  t.deepEqual({ ...back }, { name: 'Al' })
})

const proto = `syntax = "proto3"; package p;
message Person { string name = 1; message Inner { int32 n = 1; } }
message Other { int32 id = 1; }`

test('Protobuf values are written by types of protobufjs', (t) => {
  const { parse } = require('protobufjs') as typeof import('protobufjs')
  const type = parse(proto).root.lookupType('p.Person')
  const [hex, back] = roundTrip(protobufSerde<{ name: string }>(type), { name: 'Al' })
  t.is(hex, '0a02416c')
  t.deepEqual({ ...back }, { name: 'Al' })
  t.throws(() => protobufSerde(type).serialize({ name: 7 }, context), { instanceOf: RangeError })
})

test('Protobuf messages are found by their path in the file', (t) => {
  const compiled = protobufFormat().compile(proto)
  const name = (bytes: number[]) => ({ ...(compiled.decode(Buffer.from(bytes)) as object) })
  t.deepEqual(name([0, 0x0a, 1, 0x41]), { name: 'A' })
  t.deepEqual(name([2, 2, 0x08, 7]), { id: 7 })
  t.deepEqual(name([4, 0, 0, 0x08, 9]), { n: 9 })
  t.throws(() => compiled.decode(Buffer.from([2, 8, 0])), { instanceOf: RangeError })
  t.throws(() => compiled.decode(Buffer.from([])), { instanceOf: RangeError })
})

interface ThriftProtocol {
  writeStructBegin(name: string): void
  writeFieldBegin(name: string, type: number, id: number): void
  writeI32(value: number): void
  writeFieldEnd(): void
  writeFieldStop(): void
  writeStructEnd(): void
  readStructBegin(): void
  readFieldBegin(): { ftype: number; fid: number }
  readI32(): number
  readFieldEnd(): void
  readStructEnd(): void
}

/** As the Thrift compiler writes it. */
class Count implements ThriftStruct {
  n = 0
  write(protocol: ThriftProtocol): void {
    protocol.writeStructBegin('Count')
    protocol.writeFieldBegin('n', 8, 1)
    protocol.writeI32(this.n)
    protocol.writeFieldEnd()
    protocol.writeFieldStop()
    protocol.writeStructEnd()
  }
  read(protocol: ThriftProtocol): void {
    protocol.readStructBegin()
    while (protocol.readFieldBegin().ftype !== 0) {
      this.n = protocol.readI32()
      protocol.readFieldEnd()
    }
    protocol.readStructEnd()
  }
}

test('Thrift structs are written in the binary and in the compact protocol', (t) => {
  const value = Object.assign(new Count(), { n: 5 })
  const [binary, back] = roundTrip(thriftSerde({ struct: Count }), value)
  t.is(binary, '08000100000005' + '00')
  t.deepEqual(back, value)
  const compact = roundTrip(thriftSerde({ struct: Count, protocol: 'compact' }), value)
  t.deepEqual(compact, ['150a00', value])
})

async function withRegistry(run: (registry: SchemaRegistry, asked: string[]) => Promise<void>) {
  const schemas: { subject: string; schema: string }[] = []
  const asked: string[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    asked.push(`${request.method} ${request.url}`)
    const subject = /^\/subjects\/([^/]+)\/versions/.exec(request.url as string)?.[1]
    const id = Number(/^\/schemas\/ids\/(\d+)/.exec(request.url as string)?.[1] ?? 0)
    let answer: object | undefined
    if (request.method === 'POST' && subject !== undefined) {
      schemas.push({ subject, schema: JSON.parse(body).schema })
      answer = { id: schemas.length }
    } else if (subject !== undefined) {
      const at = schemas.findLastIndex((one) => one.subject === subject)
      if (at >= 0) answer = { id: at + 1, schema: schemas[at]?.schema }
    } else if (schemas[id - 1] !== undefined) answer = { schema: schemas[id - 1]?.schema }
    response.statusCode = answer === undefined ? 404 : 200
    response.end(JSON.stringify(answer ?? { error_code: 40401, message: 'Subject not found.' }))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve())
  })
  const { port } = server.address() as { port: number }
  try {
    await run(new SchemaRegistry({ url: `http://127.0.0.1:${port}/` }), asked)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const jsonSchema = { type: 'object', properties: { name: { type: 'string' } } }
const formats: readonly (readonly [string, SchemaFormat, string | object, string])[] = [
  ['Avro', avroFormat(), avroSchema, '04416c'],
  ['JSON', jsonSchemaFormat(), jsonSchema, Buffer.from('{"name":"Al"}').toString('hex')],
  ['Protobuf', protobufFormat(), proto, '000a02416c'],
]

for (const [name, format, schema, hex] of formats) {
  test(`${name} values carry the number of their schema, which is asked for once`, async (t) => {
    await withRegistry(async (registry, asked) => {
      const writer = new RegistrySerde<{ name: string }>({ registry, format, schema })
      const first = (await writer.serialize({ name: 'Al' }, context)) as Buffer
      t.is(first.toString('hex'), `0000000001${hex}`)
      t.true(writer.serialize({ name: 'Al' }, context) instanceof Uint8Array)
      const reader = new RegistrySerde<{ name: string }>({ registry, format })
      t.deepEqual({ ...(await reader.deserialize(first, context)) }, { name: 'Al' })
      t.deepEqual({ ...reader.deserialize(first, context) }, { name: 'Al' })
      t.deepEqual(await reader.serialize({ name: 'Al' }, context), first)
      t.deepEqual(asked, [
        'POST /subjects/t-value/versions',
        'GET /schemas/ids/1',
        'GET /subjects/t-value/versions/latest',
      ])
    })
  })
}

test('a topic may have its schemas in a registry', async (t) => {
  await withRegistry(async (registry, asked) => {
    const value = (schema?: object) =>
      new RegistrySerde<{ name: string }>({
        registry,
        format: avroFormat(),
        ...(schema === undefined ? {} : { schema }),
      })
    await using broker = await Broker.start({ storage: 'memory', threads: 0, topics: ['people'] })
    await using producer = new Producer({ port: broker.connect() })
    const messages = ['Al', 'Bo', 'Cy'].map((name) => ({ value: { name } }))
    await producer.send({ topic: topic('people', { value: value(avroSchema) }), messages })
    await using consumer = new Consumer({
      port: broker.connect(),
      autoOffsetReset: 'earliest',
      topics: [topic('people', { value: value() })],
    })
    consumer.assign([{ topic: 'people', partition: 0 }])
    const records = await consumer.poll({ timeoutMs: 10_000 })
    t.deepEqual(
      records.map(({ value }) => value?.name),
      ['Al', 'Bo', 'Cy'],
    )
    t.deepEqual(asked, ['POST /subjects/people-value/versions', 'GET /schemas/ids/1'])
  })
})

test('an Avro value is read as the reader’s schema says', async (t) => {
  await withRegistry(async (registry) => {
    const format = avroFormat()
    const writer = new RegistrySerde<object>({ registry, format, schema: avroSchema })
    const bytes = (await writer.serialize({ name: 'Al' }, context)) as Buffer
    const age = { name: 'age', type: 'int', default: 7 }
    const schema = { ...avroSchema, fields: [...avroSchema.fields, age] }
    const reader = new RegistrySerde<object>({ registry, format, schema })
    t.deepEqual({ ...(await reader.deserialize(bytes, context)) }, { name: 'Al', age: 7 })
  })
})

test('what the registry does not know is told, and bytes without a number', async (t) => {
  await withRegistry(async (registry) => {
    const serde = new RegistrySerde<object>({ registry, format: avroFormat() })
    const error = await t.throwsAsync(async () => serde.serialize({}, context))
    t.true(error instanceof SchemaRegistryError)
    t.is((error as SchemaRegistryError).code, 40401)
    t.throws(() => serde.deserialize(Buffer.from('plain'), context), { instanceOf: RangeError })
  })
})

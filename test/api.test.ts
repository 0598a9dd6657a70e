import test from 'ava'
import * as face from '../src/index.ts'
import { publicFace } from './support/public-face.ts'
import { read } from './support/source.ts'

test('the public face changes only on purpose; `npm run generate` writes down what it is', (t) => {
  t.is(publicFace(), read('test/golden/public-face.txt'))
})

test('a program gets exactly these values', (t) => {
  t.deepEqual(Object.keys(face).sort(), [
    'Admin',
    'AuthorizationError',
    'Broker',
    'BufferExhaustedError',
    'ClosedError',
    'Consumer',
    'ConsumerRecord',
    'DisconnectError',
    'FatalError',
    'InvalidMetadataError',
    'KafkaError',
    'LogTruncationError',
    'PartialError',
    'Producer',
    'RegistrySerde',
    'RetriableError',
    'SchemaRegistry',
    'SchemaRegistryError',
    'StartError',
    'TimeoutError',
    'avroFormat',
    'avroSerde',
    'bytesSerde',
    'float32Serde',
    'float64Serde',
    'int16Serde',
    'int32Serde',
    'int64Serde',
    'jsonSchemaFormat',
    'jsonSerde',
    'kafkajsSocketFactory',
    'loadConfig',
    'partitionOfKey',
    'protobufFormat',
    'protobufSerde',
    'startBroker',
    'stringSerde',
    'thriftSerde',
    'topic',
    'uuidSerde',
  ])
})

test('settings are loaded through the public face, and a wrong one is a sentence', (t) => {
  const sources = (set: string[]) => ({ file: undefined, environment: {}, commandLine: { set } })
  const good = face.loadConfig(sources(['num.partitions=3']))
  t.true(good.ok && good.config['num.partitions'] === 3)
  t.false(face.loadConfig(sources(['num.partitions=none'])).ok)
})

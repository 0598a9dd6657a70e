// How coordinators frame what they write: a key begins with the int16 type of the record, a value
// with the int16 version of its schema. A null value is a tombstone.

import { assert } from '../../base/assert.ts'
import { readInt16 } from '../../base/bytes.ts'
import { decodeMessage, encodeMessage } from '../compile.ts'
import { MalformedRequest } from '../reader.ts'
import type { Message, MessageInput, MessageOf } from '../schema.ts'
import { Writer } from '../writer.ts'

/** The schemas of one kind of record. */
export type RecordSchema<K extends Message = Message, V extends Message = Message> = {
  /** With it the key begins. */
  readonly type: number
  readonly key: K
  readonly value: V
}

const PREFIX_BYTES = 2
const writer = new Writer()

/** Names the schemas of a record. */
export function defineRecord<K extends Message, V extends Message>(
  schema: RecordSchema<K, V>,
): RecordSchema<K, V> {
  return schema
}

/** A table of records; asserts that no type comes twice. */
export function recordsByType(records: readonly RecordSchema[]): ReadonlyMap<number, RecordSchema> {
  const byType = new Map(records.map((record) => [record.type, record]))
  assert(byType.size === records.length, 'record types are unique in a topic')
  return byType
}

/** The type of a record from its key. Throws MalformedRequest. */
export function recordTypeOf(key: Buffer): number {
  return prefixOf(key)
}

/** The bytes of a key. */
export function encodeKey<K extends Message>(
  record: RecordSchema<K>,
  key: MessageInput<K>,
): Buffer {
  return encodePrefixed(record.type, record.key, record.key.versions[1], key)
}

/** The bytes of a value in schema version `version`. */
export function encodeValue<V extends Message>(
  record: RecordSchema<Message, V>,
  version: number,
  value: MessageInput<V>,
): Buffer {
  return encodePrefixed(version, record.value, version, value)
}

/** A key whose type was looked at with recordTypeOf. Throws MalformedRequest. */
export function decodeKey<K extends Message>(record: RecordSchema<K>, key: Buffer): MessageOf<K> {
  assert(prefixOf(key) === record.type, 'the type of a key was looked at before it is decoded')
  return decodeMessage(record.key, record.key.versions[1], key, PREFIX_BYTES)
}

/** A value of any version that we know. Throws MalformedRequest, also for versions to come. */
export function decodeValue<V extends Message>(
  record: RecordSchema<Message, V>,
  value: Buffer,
): MessageOf<V> {
  const version = prefixOf(value)
  const [lowest, highest] = record.value.versions
  if (version < lowest || version > highest) {
    throw new MalformedRequest(`${record.value.name} has no version ${version}`)
  }
  return decodeMessage(record.value, version, value, PREFIX_BYTES)
}

function encodePrefixed<M extends Message>(
  prefix: number,
  message: M,
  version: number,
  value: MessageInput<M>,
): Buffer {
  writer.reset()
  writer.int16(prefix)
  encodeMessage(message, version, value, writer)
  return writer.finish()
}

function prefixOf(buffer: Buffer): number {
  if (buffer.length < PREFIX_BYTES) throw new MalformedRequest('a record without its int16 prefix')
  return readInt16(buffer, 0)
}

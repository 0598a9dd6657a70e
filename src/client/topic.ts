/** A topic by its name and by what its keys and values are. */
import type { RecordBytes } from './record-size.ts'
import type { Deserializer, Serializer } from './serdes.ts'

/**
 * A topic whose records have a type. Producers write `K` and `V`, consumers read `ReadK` and
 * `ReadV`, which are the same unless the serdes say otherwise.
 */
export interface Topic<K, V, Name extends string = string, ReadK = K, ReadV = V> {
  readonly topic: Name
  /** undefined: bytes as they are. */
  readonly key: (Serializer<K> & Deserializer<ReadK>) | undefined
  readonly value: (Serializer<V> & Deserializer<ReadV>) | undefined
}

/** Any topic whose records have a type. */
export type TypedTopic = Topic<never, never, string, unknown, unknown>

/** A topic by its name alone, or typed. */
export type AnyTopic = string | TypedTopic

/** How keys and values of a topic become bytes and come back. Default of both: bytes or text are
 *  written as they are, bytes are read. */
export interface TopicSerdes<KeySerde, ValueSerde> {
  readonly key?: KeySerde
  readonly value?: ValueSerde
}

type AnySerde = (Serializer<never> & Deserializer<unknown>) | undefined
type Written<S> = S extends Serializer<infer T> ? T : RecordBytes
type Read<S> = S extends Deserializer<infer T> ? T : Buffer

/**
 * Names a topic together with its serdes, for `send`, and for the `topics` of a consumer. Such a
 * topic is read and written by them whatever serializers the client has for others.
 */
export function topic<
  Name extends string,
  KeySerde extends AnySerde = undefined,
  ValueSerde extends AnySerde = undefined,
>(
  name: Name,
  serdes: TopicSerdes<KeySerde, ValueSerde> = {},
): Topic<Written<KeySerde>, Written<ValueSerde>, Name, Read<KeySerde>, Read<ValueSerde>> {
  const { key, value } = serdes as TopicSerdes<never, never>
  return { topic: name, key, value }
}

/** The name of a topic that may be typed. */
export function nameOf(one: AnyTopic): string {
  return typeof one === 'string' ? one : one.topic
}

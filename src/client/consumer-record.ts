/** Records as a consumer hands them out: small objects over the bytes of a fetch, decoded when they
 *  are looked at. */
import { viewOf } from '../base/bytes.ts'
import { type RecordHeader, readRecordHeaders } from './consumer-headers.ts'
import type { Deserializer } from './serdes.ts'
import type { Topic } from './topic.ts'

/** How keys and values are decoded. Default: bytes as they are. */
export interface Deserializers<K, V> {
  readonly key?: Deserializer<K> | undefined
  readonly value?: Deserializer<V> | undefined
}

/** What the records of one batch have in common. */
export interface RecordSource<K, V> {
  readonly topic: string
  readonly partition: number
  /** -1: the broker does not say. */
  readonly leaderEpoch: number
  /** Whether timestamps are the time of the append. */
  readonly isLogAppendTime: boolean
  /** The bytes of the batch, decompressed. */
  readonly bytes: Buffer
  /** What `bytes` is a view of, and where it starts there. */
  readonly memory: ArrayBufferLike
  readonly memoryAt: number
  readonly deserializers: Deserializers<K, V>
}

/** Where a record lies in the bytes of its source. A length of -1 is null. */
export interface RecordPlace {
  readonly keyAt: number
  readonly keyLength: number
  readonly valueAt: number
  readonly valueLength: number
  readonly headersAt: number
  readonly headersCount: number
}

/** The records of typed topics, told apart by `topic`; without such topics those of `K` and `V`. */
export type RecordOf<K, V, T> = [T] extends [never]
  ? ConsumerRecord<K, V>
  : T extends Topic<never, never, infer Name, infer ReadK, infer ReadV>
    ? ConsumerRecord<ReadK, ReadV, Name>
    : never

/** Stands for a key or value that could not be decoded. */
class Undecodable {
  readonly error: unknown

  constructor(error: unknown) {
    this.error = error
  }
}

/** undefined: not decoded yet. */
type Decoded<T> = T | null | undefined | Undecodable

/** Decodes a record before it is handed out; a promise, which does not reject, if that needs
 *  time. */
export let settleRecord: <K, V>(record: ConsumerRecord<K, V>) => Promise<void> | undefined

/**
 * A record. Without a deserializer key and value are views into the answer of a fetch: a record
 * that is kept keeps all of that answer, so copy what has to live long.
 */
export class ConsumerRecord<K = Buffer, V = Buffer, Name extends string = string> {
  readonly offset: number
  /** Milliseconds since 1970; -1: none. */
  readonly timestamp: number
  readonly #source: RecordSource<K, V>
  readonly #keyAt: number
  readonly #keyLength: number
  readonly #valueAt: number
  readonly #valueLength: number
  readonly #headersAt: number
  readonly #headersCount: number
  #key: Decoded<K>
  #value: Decoded<V>

  static {
    settleRecord = (record) => record.#settle()
  }

  // hot
  constructor(source: RecordSource<K, V>, offset: number, timestamp: number, place: RecordPlace) {
    this.#source = source
    this.offset = offset
    this.timestamp = timestamp
    this.#keyAt = place.keyAt
    this.#keyLength = place.keyLength
    this.#valueAt = place.valueAt
    this.#valueLength = place.valueLength
    this.#headersAt = place.headersAt
    this.#headersCount = place.headersCount
  }

  get topic(): Name {
    return this.#source.topic as Name
  }

  get partition(): number {
    return this.#source.partition
  }

  /** The epoch of the leader that appended the record; -1: the broker does not say. */
  get leaderEpoch(): number {
    return this.#source.leaderEpoch
  }

  /** Who set the timestamp. */
  get timestampType(): 'CreateTime' | 'LogAppendTime' {
    return this.#source.isLogAppendTime ? 'LogAppendTime' : 'CreateTime'
  }

  get key(): K | null {
    if (this.#key === undefined) this.#key = this.#bytesOf(this.#keyAt, this.#keyLength) as K | null
    if (this.#key instanceof Undecodable) throw this.#key.error
    return this.#key
  }

  /** null: a tombstone. */
  get value(): V | null {
    if (this.#value === undefined) {
      this.#value = this.#bytesOf(this.#valueAt, this.#valueLength) as V | null
    }
    if (this.#value instanceof Undecodable) throw this.#value.error
    return this.#value
  }

  /** In the order of the record; a name may occur more than once. Decoded at each look. */
  get headers(): readonly RecordHeader[] {
    return readRecordHeaders(this.#source.bytes, this.#headersAt, this.#headersCount)
  }

  /** Bytes of key and value as they were sent. */
  get size(): number {
    return Math.max(0, this.#keyLength) + Math.max(0, this.#valueLength)
  }

  /** All that the record says, as a plain object. */
  toJSON(): Record<string, unknown> {
    const { topic, partition, offset, timestamp, key, value, headers } = this
    return { topic, partition, offset, timestamp, key, value, headers }
  }

  [Symbol.for('nodejs.util.inspect.custom')](): Record<string, unknown> {
    return this.toJSON()
  }

  #bytesOf(at: number, length: number): Buffer | null {
    const { memory, memoryAt } = this.#source
    return length < 0 ? null : viewOf(memory, memoryAt + at, length)
  }

  #settle(): Promise<void> | undefined {
    const { deserializers } = this.#source
    const key = this.#decode(deserializers.key, this.#keyAt, this.#keyLength, 'key')
    const value = this.#decode(deserializers.value, this.#valueAt, this.#valueLength, 'value')
    if (key instanceof Promise || value instanceof Promise) {
      return Promise.all([key, value]).then((decoded) => {
        ;[this.#key, this.#value] = decoded
      })
    }
    this.#key = key
    this.#value = value
    return undefined
  }

  /** undefined: there is nothing to decode. */
  #decode<T>(
    deserializer: Deserializer<T> | undefined,
    at: number,
    length: number,
    part: 'key' | 'value',
  ): Decoded<T> | Promise<Decoded<T>> {
    const bytes = this.#bytesOf(at, length)
    if (deserializer === undefined || bytes === null) return undefined
    try {
      const decoded = deserializer.deserialize(bytes, { topic: this.#source.topic, part })
      if (!(decoded instanceof Promise)) return decoded
      return decoded.catch((error: unknown) => new Undecodable(error))
    } catch (error) {
      return new Undecodable(error)
    }
  }
}

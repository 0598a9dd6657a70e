/** Records as a consumer hands them out: small objects over the bytes of a fetch, decoded when they
 *  are looked at. */
import { type RecordHeader, readRecordHeaders } from './consumer-headers.ts'

/** Turns bytes into keys or values. What it throws reaches who reads `key` or `value`. */
export interface Deserializer<T> {
  deserialize(bytes: Buffer, context: DeserializationContext): T
}

/** What a deserializer is told besides the bytes. */
export interface DeserializationContext {
  readonly topic: string
  readonly part: 'key' | 'value'
}

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

/**
 * A record. Key and value are decoded at the first look and then kept. Without a deserializer they
 * are views into the answer of a fetch: a record that is kept keeps all of that answer, so copy
 * what has to live long.
 */
export class ConsumerRecord<K = Buffer, V = Buffer> {
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
  #key: K | null | undefined
  #value: V | null | undefined

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

  get topic(): string {
    return this.#source.topic
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
    if (this.#key === undefined) {
      const { deserializers } = this.#source
      this.#key = this.#decode(this.#keyAt, this.#keyLength, deserializers.key, 'key')
    }
    return this.#key
  }

  /** null: a tombstone. */
  get value(): V | null {
    if (this.#value === undefined) {
      const { deserializers } = this.#source
      this.#value = this.#decode(this.#valueAt, this.#valueLength, deserializers.value, 'value')
    }
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

  #decode<T>(
    at: number,
    length: number,
    deserializer: Deserializer<T> | undefined,
    part: 'key' | 'value',
  ): T | null {
    if (length < 0) return null
    const bytes = this.#source.bytes.subarray(at, at + length)
    if (deserializer === undefined) return bytes as T
    return deserializer.deserialize(bytes, { topic: this.#source.topic, part })
  }
}

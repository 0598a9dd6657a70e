/** From the program's messages to bytes: interceptors and serializers, where there are any. */
import type { Log } from '../base/log.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { DeliveryCallback } from './delivery.ts'
import { kafkaError } from './errors.ts'
import type { FlatHeaders } from './producer-batch.ts'
import type {
  Message,
  MessageHeaders,
  ProducerInterceptor,
  ProducerSettings,
} from './producer-options.ts'
import type { RecordBytes } from './record-size.ts'
import type { Serializer } from './serdes.ts'
import { type AnyTopic, nameOf } from './topic.ts'

/** Bytes of a record beside key, value and headers, at most; of its batch and request as well. */
const OVERHEAD_BYTES = 128

/** A message whose key and value are bytes or text. */
export type PlainMessage = Message<RecordBytes, RecordBytes>

/** Messages of whichever type their topic has. */
export interface Sent<K, V> {
  readonly topic: AnyTopic
  readonly messages: readonly Message<K, V>[]
}

/** undefined: bytes or text as they are. */
interface Serializers<K, V> {
  readonly key?: Serializer<K> | undefined
  readonly value?: Serializer<V> | undefined
}

/** Lives with one producer. */
export class MessageEncoder<K, V> {
  readonly #serializers: Serializers<K, V>
  readonly #interceptors: readonly ProducerInterceptor<K, V>[]
  readonly #log: Log

  constructor({ serializers = {}, interceptors = [] }: ProducerSettings<K, V>, log: Log) {
    this.#serializers = serializers
    this.#interceptors = interceptors
    this.#log = log
  }

  /** The messages as bytes; a promise if a serializer needs time. Throws what serializers throw,
   *  and TypeError for what is neither bytes nor text. */
  encode({
    topic,
    messages,
  }: Sent<K, V>): readonly PlainMessage[] | Promise<readonly PlainMessage[]> {
    const serializers = typeof topic === 'string' ? this.#serializers : (topic as Serializers<K, V>)
    const { key, value } = serializers
    // Without either they are what they have to be, which is checked where they are written.
    if (key === undefined && value === undefined && this.#interceptors.length === 0) {
      return messages as readonly PlainMessage[]
    }
    const name = nameOf(topic)
    const plain: (PlainMessage | Promise<PlainMessage>)[] = new Array(messages.length)
    let later = false
    for (let i = 0; i < messages.length; i++) {
      const message = this.#intercepted(name, messages[i] as Message<K, V>)
      const encoded = encodeOne(serializers, name, message)
      plain[i] = encoded
      if (encoded instanceof Promise) later = true
    }
    return later ? Promise.all(plain) : (plain as PlainMessage[])
  }

  /** What is to be called at the end: interceptors first, then `callback`. */
  acknowledged(callback: DeliveryCallback | undefined): DeliveryCallback | undefined {
    const watchers = this.#interceptors.filter((one) => one.onAcknowledgement !== undefined)
    if (watchers.length === 0) return callback
    return (error, records) => {
      for (const watcher of watchers) {
        this.#guard(() => {
          for (const record of records) watcher.onAcknowledgement?.(record, null)
          if (error !== null) watcher.onAcknowledgement?.(undefined, error)
        })
      }
      callback?.(error, records)
    }
  }

  close(): void {
    for (const interceptor of this.#interceptors) this.#guard(() => interceptor.close?.())
  }

  #intercepted(topic: string, message: Message<K, V>): Message<K, V> {
    let next = message
    for (const interceptor of this.#interceptors) {
      this.#guard(() => {
        next = interceptor.onSend?.(next, topic) ?? next
      })
    }
    return next
  }

  #guard(act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#log.warn('an interceptor of the producer failed', { error })
    }
  }
}

function encodeOne<K, V>(
  serializers: Serializers<K, V>,
  topic: string,
  message: Message<K, V>,
): PlainMessage | Promise<PlainMessage> {
  const key = serialize(serializers.key, topic, 'key', message.key ?? null)
  const value = serialize(serializers.value, topic, 'value', message.value)
  if (key instanceof Promise || value instanceof Promise) {
    return Promise.all([key, value]).then(([key, value]) => ({ ...message, key, value }))
  }
  return { ...message, key, value }
}

function serialize<T>(
  serializer: Serializer<T> | undefined,
  topic: string,
  part: 'key' | 'value',
  value: T | null,
): RecordBytes | Promise<RecordBytes> {
  if (value === null) return null
  return serializer === undefined
    ? (value as RecordBytes)
    : serializer.serialize(value, { topic, part })
}

// hot
/** `bytes` if it is bytes or text; throws TypeError otherwise. */
export function checkedBytes(bytes: unknown, part: string): RecordBytes {
  if (typeof bytes === 'string' || bytes instanceof Uint8Array || bytes === null) return bytes
  throw new TypeError(`the ${part} of a message is bytes or text, or needs a serializer`)
}

// hot
/** Throws MESSAGE_TOO_LARGE for a record that no request could hold. */
export function checkSize(key: RecordBytes, value: RecordBytes, maxRequestSize: number): void {
  // A cheap lower bound: text has at least as many bytes as units.
  const bytes = (key?.length ?? 0) + (value?.length ?? 0) + OVERHEAD_BYTES
  if (bytes <= maxRequestSize) return
  const message = `A record of ${bytes} bytes is more than maxRequestSize allows.`
  throw kafkaError(ErrorCode.MESSAGE_TOO_LARGE, message)
}

/** Headers as a batch takes them. */
export function flatHeaders(headers: MessageHeaders): FlatHeaders {
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers)
  const flat: RecordBytes[] = []
  for (const [name, value] of pairs as [string, RecordBytes][]) {
    flat.push(name, checkedBytes(value, `header '${name}'`))
  }
  return flat
}

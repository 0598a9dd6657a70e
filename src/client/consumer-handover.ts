/** What happens to records on their way from a fetch to the user: deserializers that need time, and
 *  interceptors. */
import type { Log } from '../base/log.ts'
import type { ConsumerInterceptor, ConsumerSettings } from './consumer-options.ts'
import { type ConsumerRecord, settleRecord } from './consumer-record.ts'
import type { OffsetToCommit } from './offsets.ts'
import type { TopicDeserializers } from './topic-deserializers.ts'

/** Lives with one consumer. */
export class Handover<K, V> {
  /** Whether records may be left out on the way. */
  readonly filters: boolean
  readonly #deserializers: TopicDeserializers<K, V>
  readonly #interceptors: readonly ConsumerInterceptor<K, V>[]
  readonly #log: Log

  constructor(
    { interceptors = [] }: ConsumerSettings<K, V>,
    deserializers: TopicDeserializers<K, V>,
    log: Log,
  ) {
    this.#deserializers = deserializers
    this.#interceptors = interceptors
    this.#log = log
    this.filters = interceptors.some(({ onConsume }) => onConsume !== undefined)
  }

  // hot
  /** Decodes a record, if it has to be; a promise if that needs time. */
  settle(record: ConsumerRecord<K, V>): Promise<void> | undefined {
    return this.#deserializers.decodes ? settleRecord(record) : undefined
  }

  /** The records that the user gets for those that were fetched. */
  async pass(records: readonly ConsumerRecord<K, V>[]): Promise<readonly ConsumerRecord<K, V>[]> {
    if (this.#deserializers.decodes) {
      const later: Promise<void>[] = []
      for (const record of records) {
        const promise = settleRecord(record)
        if (promise !== undefined) later.push(promise)
      }
      if (later.length > 0) await Promise.all(later)
    }
    let passed = records
    for (const interceptor of this.#interceptors) {
      this.#guard(() => {
        passed = interceptor.onConsume?.(passed) ?? passed
      })
    }
    return passed
  }

  /** Offsets are committed. */
  onCommit(offsets: readonly OffsetToCommit[]): void {
    for (const interceptor of this.#interceptors) this.#guard(() => interceptor.onCommit?.(offsets))
  }

  close(): void {
    for (const interceptor of this.#interceptors) this.#guard(() => interceptor.close?.())
  }

  #guard(act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#log.warn('an interceptor of the consumer failed', { error })
    }
  }
}

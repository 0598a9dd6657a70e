/** Which deserializers the records of a topic get. */
import type { Deserializers } from './consumer-record.ts'
import type { TypedTopic } from './topic.ts'

/** Lives with one consumer. */
export class TopicDeserializers<K, V> {
  /** Whether there are any, of whichever topic. */
  decodes: boolean
  readonly #others: Deserializers<K, V>
  readonly #typed = new Map<string, Deserializers<K, V>>()

  /** `others`: for topics that are not typed. */
  constructor(others: Deserializers<K, V> = {}, topics: readonly TypedTopic[] = []) {
    this.#others = others
    this.decodes = others.key !== undefined || others.value !== undefined
    for (const one of topics) this.add(one)
  }

  /** A topic is typed from now on; the last one of a name holds. */
  add(one: TypedTopic): void {
    const { topic, key, value } = one as { topic: string } & Deserializers<K, V>
    this.#typed.set(topic, { key, value })
    if (key !== undefined || value !== undefined) this.decodes = true
  }

  of(topic: string): Deserializers<K, V> {
    return this.#typed.get(topic) ?? this.#others
  }
}

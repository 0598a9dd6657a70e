/** What a consumer group has to know of topics. KIP-848. */
import { assert } from '../../base/assert.ts'

/** A topic as groups see it; ClusterImage and its topics have this form. */
export interface KnownTopic {
  readonly name: string
  readonly id: string
  readonly partitions: { readonly length: number }
}

/** All topics. */
export interface TopicDirectory {
  topic(name: string): KnownTopic | undefined
  topicById(id: string): KnownTopic | undefined
  topics(): readonly KnownTopic[]
  /** Rises with every change. */
  readonly changeCount: number
}

/** Ids of those of the topics that exist, sorted, each once. */
export function topicIdsOf(names: Iterable<string>, topics: TopicDirectory): string[] {
  const ids = new Set<string>()
  for (const name of names) {
    const topic = topics.topic(name)
    if (topic !== undefined) ids.add(topic.id)
  }
  return [...ids].sort()
}

/**
 * A number of 53 bits that is another one when a topic of these is created, deleted, made again or
 * grows; 0 when none exists. It only has to differ within a group, so it need not be Kafka's.
 */
export function topicsHash(names: Iterable<string>, topics: TopicDirectory): number {
  let any = false
  let a = 0xdeadbeef
  let b = 0x41c6ce57
  for (const name of [...names].sort()) {
    const topic = topics.topic(name)
    if (topic === undefined) continue
    any = true
    const text = `${name}\0${topic.id}\0${topic.partitions.length}\0`
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      a = Math.imul(a ^ unit, 2_654_435_761)
      b = Math.imul(b ^ unit, 1_597_334_677)
    }
  }
  if (!any) return 0
  a = Math.imul(a ^ (a >>> 16), 2_246_822_507) ^ Math.imul(b ^ (b >>> 13), 3_266_489_909)
  b = Math.imul(b ^ (b >>> 16), 2_246_822_507) ^ Math.imul(a ^ (a >>> 13), 3_266_489_909)
  const hash = (b & 0x1fffff) * 2 ** 32 + (a >>> 0)
  assert(Number.isSafeInteger(hash), 'the hash has 53 bits')
  return hash === 0 ? 1 : hash
}

/** Partitions by name. */

/** A partition of a topic. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** `topic-partition`, as Kafka prints it. */
export function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

/** Partitions by topic, as most requests want them. */
export function byTopic<T extends TopicPartition>(partitions: Iterable<T>): Map<string, T[]> {
  const topics = new Map<string, T[]>()
  for (const one of partitions) {
    const list = topics.get(one.topic)
    if (list === undefined) topics.set(one.topic, [one])
    else list.push(one)
  }
  return topics
}

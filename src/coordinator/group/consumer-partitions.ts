/** Sets of partitions by topic, in the two forms that consumer groups keep. KIP-848. */

/** Partition numbers, ascending, by topic id. No topic without partitions. */
export type TopicPartitions = ReadonlyMap<string, readonly number[]>

/** By topic id and partition number: the epoch in which the member got the partition. KIP-1251. */
export type PartitionEpochs = ReadonlyMap<string, ReadonlyMap<number, number>>

/** As requests, responses and records list partitions. */
export type PartitionList = readonly {
  readonly topicId: string
  readonly partitions: readonly number[]
}[]

/** Nothing; shared, because most members have nothing to give up. */
export const NO_PARTITIONS: PartitionEpochs = new Map()

/** No target. */
export const NO_TARGET: TopicPartitions = new Map()

/** Whether both name the same partitions. */
export function sameTarget(a: TopicPartitions, b: TopicPartitions): boolean {
  if (a === b) return true
  if (a.size !== b.size) return false
  for (const [topicId, partitions] of a) {
    const others = b.get(topicId)
    if (others === undefined || others.length !== partitions.length) return false
    for (let i = 0; i < partitions.length; i++) if (partitions[i] !== others[i]) return false
  }
  return true
}

/** Whether both name the same partitions with the same epochs. */
export function sameEpochs(a: PartitionEpochs, b: PartitionEpochs): boolean {
  if (a === b) return true
  if (a.size !== b.size) return false
  for (const [topicId, epochs] of a) {
    const others = b.get(topicId)
    if (others === undefined || others.size !== epochs.size) return false
    for (const [partition, epoch] of epochs) if (others.get(partition) !== epoch) return false
  }
  return true
}

/** The form for targets; repeated topics and partitions count once. */
export function targetOf(list: PartitionList): TopicPartitions {
  const byTopic = new Map<string, Set<number>>()
  for (const { topicId, partitions } of list) {
    const known = byTopic.get(topicId)
    if (known === undefined) byTopic.set(topicId, new Set(partitions))
    else for (const partition of partitions) known.add(partition)
  }
  const target = new Map<string, readonly number[]>()
  for (const [topicId, partitions] of byTopic) {
    if (partitions.size > 0) target.set(topicId, ascending(partitions))
  }
  return target.size === 0 ? NO_TARGET : target
}

/** A target as it is listed in records. */
export function listOfTarget(target: TopicPartitions): PartitionList {
  return [...target].map(([topicId, partitions]) => ({ topicId, partitions }))
}

/** All partitions of a target with one epoch. */
export function withEpoch(target: TopicPartitions, epoch: number): PartitionEpochs {
  if (target.size === 0) return NO_PARTITIONS
  return new Map(
    [...target].map(([topicId, partitions]) => [
      topicId,
      new Map(partitions.map((partition) => [partition, epoch])),
    ]),
  )
}

/** The partitions without their epochs, as responses list them. */
export function listOfEpochs(
  epochs: PartitionEpochs,
): { topicId: string; partitions: readonly number[] }[] {
  return [...epochs].map(([topicId, byPartition]) => ({
    topicId,
    partitions: ascending(byPartition.keys()),
  }))
}

/** The partitions of both. */
export function union(a: PartitionEpochs, b: PartitionEpochs): PartitionEpochs {
  if (b.size === 0) return a
  const both = new Map(a)
  for (const [topicId, epochs] of b) {
    both.set(topicId, new Map([...(a.get(topicId) ?? []), ...epochs]))
  }
  return both
}

/** Whether `list` names any partition of `epochs`. */
export function listTouches(list: PartitionList, epochs: PartitionEpochs): boolean {
  return list.some(({ topicId, partitions }) => {
    const byPartition = epochs.get(topicId)
    return byPartition !== undefined && partitions.some((one) => byPartition.has(one))
  })
}

/** Whether `list` names only partitions of `epochs`. */
export function listWithin(list: PartitionList, epochs: PartitionEpochs): boolean {
  return list.every(({ topicId, partitions }) => {
    const byPartition = epochs.get(topicId)
    return byPartition !== undefined && partitions.every((one) => byPartition.has(one))
  })
}

/** Numbers in ascending order. */
export function ascending(numbers: Iterable<number>): number[] {
  return [...numbers].sort((a, b) => a - b)
}

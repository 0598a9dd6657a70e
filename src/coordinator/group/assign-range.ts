/**
 * The assignor "range": of each topic a member gets a run of neighbouring partitions. Members that
 * read topics with equally many partitions get the same numbers of each, so that joins by key find
 * both sides in one place. Source: Kafka's RangeAssignor (KIP-848).
 */
import { type Assignor, type AssignorMember, isHomogeneous } from './assign-spec.ts'
import type { TopicPartitions } from './consumer-partitions.ts'

/** Ranges by topic. */
export const rangeAssignor: Assignor = {
  name: 'range',
  assign(members, partitionCount) {
    const sorted = [...members].sort(staticFirst)
    const readers = readersByTopic(sorted)
    const targets = new Map<string, Map<string, readonly number[]>>()
    for (const { memberId } of sorted) targets.set(memberId, new Map())
    for (const [topicId, readerIds] of readers) {
      const count = partitionCount(topicId)
      const least = Math.floor(count / readerIds.length)
      const withOneMore = count % readerIds.length
      let next = 0
      for (const [at, memberId] of readerIds.entries()) {
        const end = next + least + (at < withOneMore ? 1 : 0)
        if (end > next) targets.get(memberId)!.set(topicId, range(next, end))
        next = end
      }
    }
    return targets as Map<string, TopicPartitions>
  },
}

/** Static members keep their place through a restart, for their order is by instance id. */
function staticFirst(a: AssignorMember, b: AssignorMember): number {
  if (a.instanceId !== null && b.instanceId !== null) return a.instanceId < b.instanceId ? -1 : 1
  if (a.instanceId !== null) return -1
  if (b.instanceId !== null) return 1
  return a.memberId < b.memberId ? -1 : 1
}

function readersByTopic(members: readonly AssignorMember[]): Map<string, readonly string[]> {
  if (isHomogeneous(members)) {
    const all = members.map(({ memberId }) => memberId)
    return new Map(members[0]?.topicIds.map((topicId) => [topicId, all]))
  }
  const readers = new Map<string, string[]>()
  for (const { memberId, topicIds } of members) {
    for (const topicId of topicIds) {
      const known = readers.get(topicId)
      if (known === undefined) readers.set(topicId, [memberId])
      else known.push(memberId)
    }
  }
  return readers
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i)
}

/** What an assignor is given, and what it answers. KIP-848. */
import type { TopicPartitions } from './consumer-partitions.ts'

/** A member as assignors see it. */
export interface AssignorMember {
  readonly memberId: string
  readonly instanceId: string | null
  /** Ids of existing topics that it reads, sorted, each once. */
  readonly topicIds: readonly string[]
  /** What the last target gave it; what it need not read any more may be among it. */
  readonly partitions: TopicPartitions
}

/** A server-side assignor. `assign` is a function of its arguments alone. */
export interface Assignor {
  readonly name: string
  /**
   * By member id what each is to have: each partition of each topic that anybody reads, once, with
   * one who reads it. `partitionCount`: of a topic id.
   */
  assign(
    members: readonly AssignorMember[],
    partitionCount: (topicId: string) => number,
  ): Map<string, TopicPartitions>
}

/** Whether all members read the same topics. */
export function isHomogeneous(members: readonly AssignorMember[]): boolean {
  const first = members[0]?.topicIds
  return members.every(({ topicIds }) => topicIds === first || sameList(topicIds, first ?? []))
}

/** Members in an order that does not depend on how they came. */
export function byMemberId(members: readonly AssignorMember[]): AssignorMember[] {
  return [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i])
}

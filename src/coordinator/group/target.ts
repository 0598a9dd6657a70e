/**
 * The target assignment of a consumer group: what an assignor makes of its members. The epoch of a
 * target is the epoch that the group had then. Source: Kafka's TargetAssignmentBuilder, KIP-848.
 */

import { rangeAssignor } from './assign-range.ts'
import type { Assignor, AssignorMember } from './assign-spec.ts'
import { uniformAssignor } from './assign-uniform.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { NO_TARGET, sameTarget, type TopicPartitions } from './consumer-partitions.ts'

/** The assignors by the names that members and `group.consumer.assignors` use. */
export const assignors: ReadonlyMap<string, Assignor> = new Map(
  [uniformAssignor, rangeAssignor].map((assignor) => [assignor.name, assignor]),
)

/** What a target is made of. */
export interface TargetInput {
  /** The members as they are to be, each id once. */
  readonly members: Iterable<ConsumerMember>
  readonly assignor: Assignor
  /** The last target of a member. */
  targetOf(member: ConsumerMember): TopicPartitions
  /** Ids of the existing topics that a member reads, sorted, each once. */
  topicIdsOf(member: ConsumerMember): readonly string[]
  partitionCount(topicId: string): number
}

/** By member id: all targets, for every member one. */
export function computeTarget(input: TargetInput): ReadonlyMap<string, TopicPartitions> {
  const members: AssignorMember[] = []
  for (const member of input.members) {
    members.push({
      memberId: member.memberId,
      instanceId: member.instanceId,
      topicIds: input.topicIdsOf(member),
      partitions: input.targetOf(member),
    })
  }
  return input.assignor.assign(members, (topicId) => input.partitionCount(topicId))
}

/** The targets of `next` that `previous` does not hold. */
export function changedTargets(
  previous: ReadonlyMap<string, TopicPartitions>,
  next: ReadonlyMap<string, TopicPartitions>,
): [memberId: string, target: TopicPartitions][] {
  return [...next].filter(([memberId, target]) => {
    const known = previous.get(memberId)
    return known === undefined || !sameTarget(known, target)
  })
}

/** Whether a new target may be made: the first one at once, others not more often than wanted. */
export function mayComputeTarget(parts: {
  /** Wall milliseconds of the last target; 0: there is none. */
  lastMs: number
  intervalMs: number
  nowMs: number
}): boolean {
  const { lastMs, intervalMs, nowMs } = parts
  return lastMs === 0 || intervalMs === 0 || nowMs >= lastMs + intervalMs
}

/** The target of a member that has none. */
export function targetFor(
  targets: ReadonlyMap<string, TopicPartitions>,
  memberId: string | undefined,
): TopicPartitions {
  return (memberId === undefined ? undefined : targets.get(memberId)) ?? NO_TARGET
}

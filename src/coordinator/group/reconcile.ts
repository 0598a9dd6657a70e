/**
 * One step of a member from what it has towards its target. It first gives up what it is not to
 * have, then its epoch moves to that of the target, then it gets what nobody else has any more.
 * Nobody waits for a member that is not concerned. Source: Kafka's CurrentAssignmentBuilder,
 * KIP-848.
 */
import { type ConsumerMember, MemberState } from './consumer-member.ts'
import {
  listTouches,
  NO_PARTITIONS,
  type PartitionEpochs,
  type PartitionList,
  type TopicPartitions,
  union,
} from './consumer-partitions.ts'

/** What a step depends on. */
export interface Reconciliation {
  readonly member: ConsumerMember
  readonly targetEpoch: number
  readonly target: TopicPartitions
  /** What the member says that it has; null: it does not say. */
  readonly owned: PartitionList | null
  /** Whether the subscription has just changed, so that it may have what it does not read. */
  readonly subscriptionChanged: boolean
  /** Whether the member reads this topic now. */
  isSubscribed(topicId: string): boolean
  /** Whether any member still has the partition, or has yet to give it up. */
  isOwned(topicId: string, partition: number): boolean
}

/** The member after the step, the same object where nothing can be done; 'fenced': rejoin. */
export function reconcile(step: Reconciliation): ConsumerMember | 'fenced' {
  const { member, owned, subscriptionChanged } = step
  switch (member.state) {
    case MemberState.STABLE:
      if (member.memberEpoch !== step.targetEpoch) return nextAssignment(step, member.memberEpoch)
      return subscriptionChanged ? withoutUnsubscribed(step) : member
    case MemberState.UNREVOKED_PARTITIONS:
      if (!stillOwns(owned, member.pendingRevocation)) {
        return nextAssignment(step, member.memberEpoch)
      }
      return subscriptionChanged ? withoutUnsubscribed(step) : member
    case MemberState.UNRELEASED_PARTITIONS:
      return nextAssignment(step, member.memberEpoch)
    default:
      // A state that a later release wrote: the member has to start from nothing.
      return owned === null || owned.length > 0 ? 'fenced' : nextAssignment(step, step.targetEpoch)
  }
}

/** Whether the member has not confirmed yet that it gave all of these up. */
function stillOwns(owned: PartitionList | null, partitions: PartitionEpochs): boolean {
  return owned === null || listTouches(owned, partitions)
}

/** Takes away only what the member has ceased to read; the target comes later. */
function withoutUnsubscribed(step: Reconciliation): ConsumerMember {
  const { member, owned } = step
  const assigned = new Map(member.assigned)
  const unsubscribed = new Map<string, ReadonlyMap<number, number>>()
  for (const [topicId, epochs] of member.assigned) {
    if (step.isSubscribed(topicId)) continue
    assigned.delete(topicId)
    unsubscribed.set(topicId, epochs)
  }
  if (unsubscribed.size === 0) return member
  const pendingRevocation = union(member.pendingRevocation, unsubscribed)
  if (!stillOwns(owned, pendingRevocation)) {
    return { ...withEpoch(member, member.memberEpoch), assigned }
  }
  const state = MemberState.UNREVOKED_PARTITIONS
  return { ...withEpoch(member, member.memberEpoch), state, assigned, pendingRevocation }
}

function nextAssignment(step: Reconciliation, memberEpoch: number): ConsumerMember {
  const { member, targetEpoch, owned } = step
  const { kept, revoked, free, waits } = compare(step)
  if (revoked.size > 0 && stillOwns(owned, revoked)) {
    return {
      ...withEpoch(member, memberEpoch),
      state: MemberState.UNREVOKED_PARTITIONS,
      assigned: kept,
      pendingRevocation: revoked,
    }
  }
  for (const [topicId, partitions] of free) {
    const epochs = new Map(kept.get(topicId))
    for (const partition of partitions) epochs.set(partition, targetEpoch)
    kept.set(topicId, epochs)
  }
  return {
    ...withEpoch(member, targetEpoch),
    state: waits ? MemberState.UNRELEASED_PARTITIONS : MemberState.STABLE,
    assigned: kept.size === 0 ? NO_PARTITIONS : kept,
    pendingRevocation: NO_PARTITIONS,
  }
}

/** The member's partitions and its target, held against each other. */
function compare(step: Reconciliation): {
  kept: Map<string, ReadonlyMap<number, number>>
  revoked: Map<string, ReadonlyMap<number, number>>
  /** In the target, and nobody has them. */
  free: Map<string, readonly number[]>
  /** Whether others have some of the target. */
  waits: boolean
} {
  const { member } = step
  const kept = new Map<string, ReadonlyMap<number, number>>()
  const revoked = new Map<string, ReadonlyMap<number, number>>()
  const free = new Map<string, readonly number[]>()
  let waits = false
  for (const topicId of new Set([...step.target.keys(), ...member.assigned.keys()])) {
    const target = step.isSubscribed(topicId) ? (step.target.get(topicId) ?? []) : []
    const assigned = member.assigned.get(topicId)
    const wanted = new Set(target)
    const staying = [...(assigned ?? [])].filter(([partition]) => wanted.has(partition))
    const going = [...(assigned ?? [])].filter(([partition]) => !wanted.has(partition))
    const missing = target.filter((partition) => !assigned?.has(partition))
    // What the member itself has yet to give up is nobody else's: it may have it back.
    const own = member.pendingRevocation.get(topicId)
    const available = missing.filter((one) => own?.has(one) || !step.isOwned(topicId, one))
    if (available.length < missing.length) waits = true
    if (staying.length > 0) kept.set(topicId, new Map(staying))
    if (going.length > 0) revoked.set(topicId, new Map(going))
    if (available.length > 0) free.set(topicId, available)
  }
  return { kept, revoked, free, waits }
}

/** The epoch before this step is the one that the member may still come with. */
function withEpoch(member: ConsumerMember, memberEpoch: number): ConsumerMember {
  return { ...member, memberEpoch, previousMemberEpoch: member.memberEpoch }
}

/**
 * A member of a consumer group comes, or says something new: what follows for the group's epoch,
 * for the target and for the member. Both protocols go through here. KIP-848.
 */
import { ErrorCode } from '../../protocol/errors.ts'
import type { CoordinatorRecord, Turn } from '../runtime.ts'
import type { Assignor } from './assign-spec.ts'
import { endRebalance, startRebalance } from './consumer-fence.ts'
import { type ConsumerGroup, topicNamesOf } from './consumer-group.ts'
import {
  type ConsumerMember,
  isReconciledTo,
  MemberState,
  sameAssignment,
  sameNames,
  sameSubscription,
} from './consumer-member.ts'
import { NO_TARGET, type PartitionList, type TopicPartitions } from './consumer-partitions.ts'
import {
  assignmentRecord,
  memberRecord,
  type ResolvedRegex,
  targetEpochRecord,
  targetRecord,
} from './consumer-records.ts'
import { isRefusal, type Refusal, refuse } from './consumer-refusal.ts'
import { nextEpoch, updateRegexes } from './consumer-subscription.ts'
import { topicIdsOf } from './consumer-topics.ts'
import type { GroupCoordinator } from './coordinator.ts'
import { reconcile } from './reconcile.ts'
import { assignors, changedTargets, computeTarget, mayComputeTarget, targetFor } from './target.ts'

/** A member that comes or changes. */
export interface MemberUpdate {
  readonly coordinator: GroupCoordinator
  readonly turn: Turn
  readonly group: ConsumerGroup
  /**
   * In whose place `next` comes; undefined: nobody's. Has another id if a static member returns.
   */
  readonly replaced: ConsumerMember | undefined
  /** The member before it said something new, with its id. */
  readonly before: ConsumerMember
  /** The member with what it says now. */
  readonly next: ConsumerMember
  readonly owned: PartitionList | null
  /** What is logged if nothing is refused; may hold records already. */
  readonly records: CoordinatorRecord[]
  /** Whether the present target is kept even if the group changes. */
  readonly keepTarget?: boolean
}

interface Target {
  readonly epoch: number
  readonly target: TopicPartitions
}

/** The member after one step towards its target, with the epoch of the group. */
export interface UpdatedMember {
  readonly member: ConsumerMember
  readonly groupEpoch: number
}

/** Adds to `records`, but logs nothing. */
export function updateMember(update: MemberUpdate): UpdatedMember | Refusal {
  const { coordinator, turn, group, before, next, replaced, records } = update
  if (isSettled(update)) return { member: next, groupEpoch: group.epoch }
  const { groupId } = group
  if (!sameSubscription(before, next)) records.push(memberRecord(groupId, next))
  const namesChanged = !sameNames(before.subscribedTopicNames, next.subscribedTopicNames)
  const topics = coordinator.parts.image
  const leaving = replaced === undefined ? [] : [replaced]
  const regexEngine = () => coordinator.parts.regexEngine()
  const { nowMs } = turn
  const change = { group, topics, regexEngine, nowMs, leaving, next, records }
  const outcome = updateRegexes(change)
  if (isRefusal(outcome)) return outcome
  const { regexes, changed: regexChanged } = outcome
  const groupEpoch = nextEpoch(change, regexes, namesChanged || regexChanged)
  const target =
    update.keepTarget === true || !mustAssign(update, groupEpoch)
      ? presentTarget(update)
      : assign(update, groupEpoch, regexes)
  const subscriptionChanged = namesChanged || regexChanged
  const member = approach(update, { ...target, regexes, subscriptionChanged })
  if (member === 'fenced') return UNKNOWN_STATE
  return { member, groupEpoch }
}

/** Whether nothing has changed and nothing is left to do, as at nearly all heartbeats. */
function isSettled({ coordinator, group, before, next }: MemberUpdate): boolean {
  return (
    before === next &&
    group.epoch === group.targetEpoch &&
    group.regexMembers.size === 0 &&
    group.topicsChecked === coordinator.parts.image.changeCount &&
    isReconciledTo(next, group.targetEpoch)
  )
}

const UNKNOWN_STATE = refuse(
  ErrorCode.FENCED_MEMBER_EPOCH,
  'The consumer group member is in a unknown state. The member must abandon all its partitions' +
    ' and rejoin.',
)

function mustAssign({ coordinator, turn, group }: MemberUpdate, groupEpoch: number): boolean {
  const config = coordinator.parts.groupConfig(group.groupId)
  return (
    groupEpoch > group.targetEpoch &&
    mayComputeTarget({
      lastMs: group.targetTimestampMs,
      intervalMs: config['consumer.assignment.interval.ms'],
      nowMs: turn.nowMs,
    })
  )
}

/** A static member that returns takes over what it had. */
function presentTarget({ group, next, replaced }: MemberUpdate): Target {
  const memberId = next.instanceId === null ? next.memberId : replaced?.memberId
  return { epoch: group.targetEpoch, target: targetFor(group.targets, memberId) }
}

function assign(
  update: MemberUpdate,
  epoch: number,
  regexes: ReadonlyMap<string, ResolvedRegex>,
): Target {
  const { coordinator, turn, group, next, replaced, records } = update
  const members = new Map(group.members)
  if (replaced !== undefined) members.delete(replaced.memberId)
  members.set(next.memberId, next)
  const { image } = coordinator.parts
  let lastNames: readonly string[] | undefined
  let lastIds: readonly string[] = []
  const targets = computeTarget({
    members: members.values(),
    assignor: preferredAssignor(update),
    targetOf: (member) => {
      const heir = member === next && replaced !== undefined
      return targetFor(group.targets, heir ? replaced.memberId : member.memberId)
    },
    topicIdsOf: (member) => {
      // Mostly all members read the same, and lists that are one object are compared quickly.
      const names = topicNamesOf(member, regexes)
      if (lastNames === undefined || !sameNames(names, lastNames)) {
        lastNames = names
        lastIds = topicIdsOf(names, image)
      }
      return lastIds
    },
    partitionCount: (topicId) => image.topicById(topicId)?.partitions.length ?? 0,
  })
  for (const [memberId, target] of changedTargets(group.targets, targets)) {
    records.push(targetRecord(group.groupId, memberId, target))
  }
  records.push(targetEpochRecord(group.groupId, epoch, turn.nowMs))
  return { epoch, target: targets.get(next.memberId) ?? NO_TARGET }
}

/** The assignor that most members ask for, the first of the configuration among equals. */
function preferredAssignor({ coordinator, group, next, replaced }: MemberUpdate): Assignor {
  const counts = new Map(group.assignorMembers)
  const count = (name: string | null | undefined, by: number) => {
    if (name) counts.set(name, (counts.get(name) ?? 0) + by)
  }
  count(replaced?.serverAssignor, -1)
  count(next.serverAssignor, 1)
  const names: readonly string[] = coordinator.config['group.consumer.assignors']
  let preferred = names[0] ?? 'uniform'
  let most = 0
  for (const name of names) {
    if ((counts.get(name) ?? 0) <= most) continue
    preferred = name
    most = counts.get(name)!
  }
  return assignors.get(preferred)!
}

/** The assignor that the group uses, as it is described. */
export function assignorName(coordinator: GroupCoordinator, group: ConsumerGroup): string {
  let preferred: string = coordinator.config['group.consumer.assignors'][0] ?? 'uniform'
  let most = 0
  for (const [name, count] of group.assignorMembers) {
    if (count <= most) continue
    preferred = name
    most = count
  }
  return preferred
}

/** One step of the member towards the target. */
function approach(
  update: MemberUpdate,
  to: Target & {
    regexes: ReadonlyMap<string, ResolvedRegex>
    subscriptionChanged: boolean
  },
): ConsumerMember | 'fenced' {
  const { coordinator, turn, group, next, owned, records } = update
  if (!to.subscriptionChanged && isReconciledTo(next, to.epoch)) return next
  const names = new Set(topicNamesOf(next, to.regexes))
  const { image } = coordinator.parts
  const member = reconcile({
    member: next,
    targetEpoch: to.epoch,
    target: to.target,
    owned,
    subscriptionChanged: to.subscriptionChanged,
    isSubscribed: (topicId) => names.has(image.topicById(topicId)?.name ?? ''),
    isOwned: (topicId, partition) => group.isOwned(topicId, partition),
  })
  if (member === 'fenced' || sameAssignment(member, next)) return member
  records.push(assignmentRecord(group.groupId, member))
  if (member.classic !== null) return member
  if (member.state === MemberState.UNREVOKED_PARTITIONS) {
    startRebalance(coordinator, turn, group.groupId, member)
  } else endRebalance(turn, { groupId: group.groupId, memberId: member.memberId })
  return member
}

/**
 * A member of a share group comes, or says something new: what follows for the group's epoch, for
 * the target and for the member. KIP-932.
 */
import type { CoordinatorRecord, Turn } from '../runtime.ts'
import { assignSimple } from './assign-simple.ts'
import type { CommandOf, GroupAnswers } from './commands.ts'
import { sameNames } from './consumer-member.ts'
import { listOfTarget, NO_TARGET, sameTarget, type TopicPartitions } from './consumer-partitions.ts'
import { topicIdsOf, topicsHash } from './consumer-topics.ts'
import type { GroupCoordinator } from './coordinator.ts'
import { namesWith, startShareSession } from './share-fence.ts'
import type { ShareGroup, ShareMember } from './share-group.ts'
import {
  shareAssignmentRecord,
  shareEpochRecord,
  shareMemberRecord,
  shareTargetEpochRecord,
  shareTargetRecord,
} from './share-records.ts'
import { changedTargets, mayComputeTarget } from './target.ts'

/** A member that comes or changes. */
export interface ShareUpdate {
  readonly coordinator: GroupCoordinator
  readonly turn: Turn
  readonly group: ShareGroup
  readonly before: ShareMember
  /** The member with what it says now. */
  readonly next: ShareMember
}

/** Logs what follows, and answers the heartbeat. */
export function updateShareMember(
  update: ShareUpdate,
  { request }: CommandOf<'share-group-heartbeat'>,
): GroupAnswers['share-group-heartbeat'] {
  const { coordinator, turn, group, before, next } = update
  const { groupId } = group
  const member = isSettled(update) ? next : settle(update)
  startShareSession(coordinator, turn, groupId, member.memberId)
  const told = request.memberEpoch === 0 || !sameTarget(before.assigned, member.assigned)
  return {
    memberId: member.memberId,
    memberEpoch: member.memberEpoch,
    heartbeatIntervalMs: coordinator.parts.groupConfig(groupId)['share.heartbeat.interval.ms'],
    assignment: told ? { topicPartitions: mutable(member.assigned) } : null,
  }
}

/** Whether nothing has changed and nothing is left to do, as at nearly all heartbeats. */
function isSettled({ coordinator, group, before, next }: ShareUpdate): boolean {
  return (
    before === next &&
    group.epoch === group.targetEpoch &&
    group.targetChecked === group.topics &&
    group.topicsChecked === coordinator.parts.image.changeCount &&
    next.memberEpoch === group.targetEpoch
  )
}

function settle(update: ShareUpdate): ShareMember {
  const { turn, group, before, next } = update
  const { groupId } = group
  const records: CoordinatorRecord[] = []
  if (before !== next) records.push(shareMemberRecord(groupId, next))
  const epoch = nextEpoch(update, records)
  const { target, targetEpoch } = mustAssign(update, epoch)
    ? assign(update, epoch, records)
    : {
        target: group.targets.get(next.memberId) ?? NO_TARGET,
        targetEpoch: group.targetEpoch,
      }
  let member = next
  if (next.memberEpoch !== targetEpoch) {
    const previousMemberEpoch = next.memberEpoch
    member = { ...next, memberEpoch: targetEpoch, previousMemberEpoch, assigned: target }
    records.push(shareAssignmentRecord(groupId, member))
  }
  for (const record of records) turn.change(record)
  return member
}

/** One more if what the group reads has changed, or if nobody reads some that have a state. */
function nextEpoch(
  { coordinator, group, before, next }: ShareUpdate,
  records: CoordinatorRecord[],
) {
  const { image } = coordinator.parts
  const names = namesWith(group, next.memberId, next)
  const hash = topicsHash(names, image)
  group.topicsChecked = image.changeCount
  const unread = hasUnread(group, topicIdsOf(names, image))
  if (!unread) group.targetChecked = group.topics
  const same =
    sameNames(before.subscribedTopicNames, next.subscribedTopicNames) &&
    hash === group.metadataHash &&
    !(unread && group.epoch === group.targetEpoch)
  if (same) return group.epoch
  records.push(shareEpochRecord(group.groupId, group.epoch + 1, hash))
  return group.epoch + 1
}

function hasUnread(group: ShareGroup, topicIds: readonly string[]): boolean {
  const read = new Set<string>()
  for (const target of group.targets.values()) {
    for (const [topicId, partitions] of target) {
      for (const partition of partitions) read.add(`${topicId}/${partition}`)
    }
  }
  return topicIds.some((topicId) => {
    const partitions = group.topics.initialized.get(topicId)?.partitions ?? []
    return partitions.some((partition) => !read.has(`${topicId}/${partition}`))
  })
}

function mustAssign({ coordinator, turn, group }: ShareUpdate, epoch: number): boolean {
  const config = coordinator.parts.groupConfig(group.groupId)
  return (
    epoch > group.targetEpoch &&
    mayComputeTarget({
      lastMs: group.targetTimestampMs,
      intervalMs: config['share.assignment.interval.ms'],
      nowMs: turn.nowMs,
    })
  )
}

function assign(
  { coordinator, turn, group, next }: ShareUpdate,
  epoch: number,
  records: CoordinatorRecord[],
): { target: TopicPartitions; targetEpoch: number } {
  const { image } = coordinator.parts
  const members = new Map(group.members).set(next.memberId, next)
  const targets = assignSimple(
    [...members.values()].map(({ memberId, subscribedTopicNames }) => ({
      memberId,
      instanceId: null,
      topicIds: topicIdsOf(subscribedTopicNames, image),
      partitions: group.targets.get(memberId) ?? NO_TARGET,
    })),
    (topicId) => {
      const count = image.topicById(topicId)?.partitions.length ?? 0
      const partitions = group.topics.initialized.get(topicId)?.partitions ?? []
      return partitions.filter((partition) => partition < count)
    },
  )
  for (const [memberId, target] of changedTargets(group.targets, targets)) {
    records.push(shareTargetRecord(group.groupId, memberId, target))
  }
  records.push(shareTargetEpochRecord(group.groupId, epoch, turn.nowMs))
  return { target: targets.get(next.memberId) ?? NO_TARGET, targetEpoch: epoch }
}

function mutable(target: TopicPartitions) {
  return listOfTarget(target).map(({ topicId, partitions }) => ({
    topicId,
    partitions: [...partitions],
  }))
}

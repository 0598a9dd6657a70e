/** How records change share groups. KIP-932; order and tolerance as in GroupMetadataManager. */
import type { ShareGroupCurrentMemberAssignmentValue } from '../../protocol/records/share-group-current-member-assignment.ts'
import type { ShareGroupMemberMetadataValue } from '../../protocol/records/share-group-member-metadata.ts'
import type { ShareGroupMetadataValue } from '../../protocol/records/share-group-metadata.ts'
import type { ShareGroupStatePartitionMetadataValue } from '../../protocol/records/share-group-state-partition-metadata.ts'
import type { ShareGroupTargetAssignmentMemberValue } from '../../protocol/records/share-group-target-assignment-member.ts'
import { topicNames } from './consumer-member.ts'
import { ascending, NO_TARGET, targetOf } from './consumer-partitions.ts'
import type { GroupCoordinator, Replay } from './coordinator.ts'
import { newShareMember, ShareGroup, shareGroup } from './share-group.ts'
import { NO_SHARE_TOPICS, type ShareTopic } from './share-topics.ts'
import {
  type GroupKey,
  type MemberKey,
  persisted,
  targetEpochReplay,
  typedReplay,
} from './typed-replay.ts'

function replayEpoch(
  coordinator: GroupCoordinator,
  { groupId }: GroupKey,
  value: ShareGroupMetadataValue | null,
): void {
  if (value === null) {
    if (shareGroup(coordinator.groups, groupId)) coordinator.groups.delete(groupId)
    return
  }
  const group = persisted(coordinator, groupId, ShareGroup)
  group.epoch = value.epoch
  group.metadataHash = value.metadataHash
}

function replayMember(
  coordinator: GroupCoordinator,
  { groupId, memberId }: MemberKey,
  value: ShareGroupMemberMetadataValue | null,
): void {
  if (value === null) {
    shareGroup(coordinator.groups, groupId)?.members.delete(memberId)
    return
  }
  const { members } = persisted(coordinator, groupId, ShareGroup)
  members.set(memberId, {
    ...(members.get(memberId) ?? newShareMember(memberId)),
    ...value,
    subscribedTopicNames: topicNames(value.subscribedTopicNames),
  })
}

function replayTarget(
  coordinator: GroupCoordinator,
  { groupId, memberId }: MemberKey,
  value: ShareGroupTargetAssignmentMemberValue | null,
): void {
  if (value === null) shareGroup(coordinator.groups, groupId)?.targets.delete(memberId)
  else
    persisted(coordinator, groupId, ShareGroup).targets.set(
      memberId,
      targetOf(value.topicPartitions),
    )
}

function replayAssignment(
  coordinator: GroupCoordinator,
  { groupId, memberId }: MemberKey,
  value: ShareGroupCurrentMemberAssignmentValue | null,
): void {
  if (value === null) {
    const members = shareGroup(coordinator.groups, groupId)?.members
    const member = members?.get(memberId)
    if (members === undefined || member === undefined) return
    const gone = { memberEpoch: -1, previousMemberEpoch: -1, assigned: NO_TARGET }
    members.set(memberId, { ...member, ...gone })
    return
  }
  const { members } = persisted(coordinator, groupId, ShareGroup)
  const { memberEpoch, previousMemberEpoch, assignedPartitions } = value
  members.set(memberId, {
    ...(members.get(memberId) ?? newShareMember(memberId)),
    memberEpoch,
    previousMemberEpoch,
    assigned: targetOf(assignedPartitions),
  })
}

function replayTopics(
  coordinator: GroupCoordinator,
  { groupId }: GroupKey,
  value: ShareGroupStatePartitionMetadataValue | null,
): void {
  if (value === null) {
    const group = shareGroup(coordinator.groups, groupId)
    if (group !== undefined) group.topics = NO_SHARE_TOPICS
    return
  }
  persisted(coordinator, groupId, ShareGroup).topics = {
    initializing: topicsOf(value.initializingTopics),
    initialized: topicsOf(value.initializedTopics),
    deleting: new Map(value.deletingTopics.map(({ topicId, topicName }) => [topicId, topicName])),
  }
}

function topicsOf(
  list: ShareGroupStatePartitionMetadataValue['initializedTopics'],
): ReadonlyMap<string, ShareTopic> {
  return new Map(
    list.map(({ topicId, topicName, partitions }) => [
      topicId,
      { name: topicName, partitions: ascending(new Set(partitions)) },
    ]),
  )
}

/** By record type. */
export const shareReplays: ReadonlyMap<number, Replay> = new Map([
  [10, typedReplay(replayMember)],
  [11, typedReplay(replayEpoch)],
  [12, targetEpochReplay(ShareGroup)],
  [13, typedReplay(replayTarget)],
  [14, typedReplay(replayAssignment)],
  [15, typedReplay(replayTopics)],
])

/** How records change consumer groups. KIP-848; order and tolerance as in GroupMetadataManager. */
import type { ConsumerGroupCurrentMemberAssignmentValue } from '../../protocol/records/consumer-group-current-member-assignment.ts'
import type { ConsumerGroupMemberMetadataValue } from '../../protocol/records/consumer-group-member-metadata.ts'
import type { ConsumerGroupMetadataValue } from '../../protocol/records/consumer-group-metadata.ts'
import type { ConsumerGroupRegularExpressionValue } from '../../protocol/records/consumer-group-regular-expression.ts'
import type { ConsumerGroupTargetAssignmentMemberValue } from '../../protocol/records/consumer-group-target-assignment-member.ts'
import { ConsumerGroup, consumerGroup } from './consumer-group.ts'
import { type ConsumerMember, newMember, topicNames } from './consumer-member.ts'
import { NO_PARTITIONS, type PartitionEpochs, targetOf } from './consumer-partitions.ts'
import type { GroupCoordinator, Replay } from './coordinator.ts'
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
  value: ConsumerGroupMetadataValue | null,
): void {
  if (value === null) {
    if (consumerGroup(coordinator.groups, groupId)) coordinator.groups.delete(groupId)
    return
  }
  const group = persisted(coordinator, groupId, ConsumerGroup)
  group.epoch = value.epoch
  group.metadataHash = value.metadataHash
}

function replayOlderMetadata(
  coordinator: GroupCoordinator,
  { groupId }: GroupKey,
  value: object | null,
): void {
  const group = consumerGroup(coordinator.groups, groupId)
  if (value !== null) persisted(coordinator, groupId, ConsumerGroup).hasOlderMetadata = true
  else if (group) group.hasOlderMetadata = false
}

function replayMember(
  coordinator: GroupCoordinator,
  { groupId, memberId }: MemberKey,
  value: ConsumerGroupMemberMetadataValue | null,
): void {
  if (value === null) {
    consumerGroup(coordinator.groups, groupId)?.removeMember(memberId)
    return
  }
  const group = persisted(coordinator, groupId, ConsumerGroup)
  const { classicMemberMetadata: classic, ...subscription } = value
  group.updateMember({
    ...(group.members.get(memberId) ?? newMember(memberId)),
    ...subscription,
    subscribedTopicNames: topicNames(value.subscribedTopicNames),
    subscribedTopicRegex: value.subscribedTopicRegex ?? '',
    classic: classic === null ? null : { ...classic, supportedProtocols: owned(classic) },
  })
}

/** The bytes of a record belong to a batch or a request. */
function owned({ supportedProtocols }: NonNullable<ConsumerMember['classic']>) {
  return supportedProtocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) }))
}

function replayTarget(
  coordinator: GroupCoordinator,
  { groupId, memberId }: MemberKey,
  value: ConsumerGroupTargetAssignmentMemberValue | null,
): void {
  if (value === null) consumerGroup(coordinator.groups, groupId)?.removeTarget(memberId)
  else
    persisted(coordinator, groupId, ConsumerGroup).updateTarget(
      memberId,
      targetOf(value.topicPartitions),
    )
}

function replayAssignment(
  coordinator: GroupCoordinator,
  { groupId, memberId }: MemberKey,
  value: ConsumerGroupCurrentMemberAssignmentValue | null,
): void {
  if (value === null) {
    const group = consumerGroup(coordinator.groups, groupId)
    const member = group?.members.get(memberId)
    if (group === undefined || member === undefined) return
    group.updateMember({
      ...member,
      memberEpoch: -1,
      previousMemberEpoch: -1,
      assigned: NO_PARTITIONS,
      pendingRevocation: NO_PARTITIONS,
    })
    return
  }
  const group = persisted(coordinator, groupId, ConsumerGroup)
  const { memberEpoch, previousMemberEpoch, state } = value
  group.updateMember({
    ...(group.members.get(memberId) ?? newMember(memberId)),
    memberEpoch,
    previousMemberEpoch,
    state,
    assigned: epochsOf(value.assignedPartitions, memberEpoch),
    pendingRevocation: epochsOf(value.partitionsPendingRevocation, memberEpoch),
  })
}

/** Brokers before 4.2 did not log when a partition was given: no later than the member's epoch. */
function epochsOf(
  list: ConsumerGroupCurrentMemberAssignmentValue['assignedPartitions'],
  memberEpoch: number,
): PartitionEpochs {
  if (list.length === 0) return NO_PARTITIONS
  const epochs = new Map<string, ReadonlyMap<number, number>>()
  for (const { topicId, partitions, assignmentEpochs } of list) {
    const known = assignmentEpochs?.length === partitions.length ? assignmentEpochs : undefined
    const otherwise = Math.max(memberEpoch, 0)
    epochs.set(topicId, new Map(partitions.map((one, i) => [one, known?.[i] ?? otherwise])))
  }
  return epochs
}

function replayRegex(
  coordinator: GroupCoordinator,
  { groupId, regularExpression }: { groupId: string; regularExpression: string },
  value: ConsumerGroupRegularExpressionValue | null,
): void {
  if (value === null) {
    consumerGroup(coordinator.groups, groupId)?.updateRegex(regularExpression, undefined)
    return
  }
  const { topics, version, timestamp: timestampMs } = value
  const resolved = { topics: topicNames(topics), version, timestampMs }
  persisted(coordinator, groupId, ConsumerGroup).updateRegex(regularExpression, resolved)
}

/** By record type. */
export const consumerReplays: ReadonlyMap<number, Replay> = new Map([
  [3, typedReplay(replayEpoch)],
  [4, typedReplay(replayOlderMetadata)],
  [5, typedReplay(replayMember)],
  [6, targetEpochReplay(ConsumerGroup)],
  [7, typedReplay(replayTarget)],
  [8, typedReplay(replayAssignment)],
  [16, typedReplay(replayRegex)],
])

/** The records of share groups: how they are made of a group's state. KIP-932. */
import { ShareGroupCurrentMemberAssignment } from '../../protocol/records/share-group-current-member-assignment.ts'
import { ShareGroupMemberMetadata } from '../../protocol/records/share-group-member-metadata.ts'
import { ShareGroupMetadata } from '../../protocol/records/share-group-metadata.ts'
import { ShareGroupStatePartitionMetadata } from '../../protocol/records/share-group-state-partition-metadata.ts'
import { ShareGroupTargetAssignmentMember } from '../../protocol/records/share-group-target-assignment-member.ts'
import { ShareGroupTargetAssignmentMetadata } from '../../protocol/records/share-group-target-assignment-metadata.ts'
import { type CoordinatorRecord, recordOf } from '../runtime.ts'
import { listOfTarget, type TopicPartitions } from './consumer-partitions.ts'
import type { ShareMember } from './share-group.ts'
import type { ShareTopic, ShareTopics } from './share-topics.ts'

/** The state in which members of share groups are logged: they have nothing to give up. */
const STABLE = 0

/** The epoch of a group. */
export function shareEpochRecord(groupId: string, epoch: number, metadataHash: number) {
  return recordOf(ShareGroupMetadata, { groupId }, { epoch, metadataHash })
}

/** What a member told about itself. */
export function shareMemberRecord(groupId: string, member: ShareMember): CoordinatorRecord {
  const { memberId, rackId, clientId, clientHost, subscribedTopicNames } = member
  return recordOf(
    ShareGroupMemberMetadata,
    { groupId, memberId },
    { rackId, clientId, clientHost, subscribedTopicNames },
  )
}

/** The epoch of the target, with the time at which it was made. */
export function shareTargetEpochRecord(groupId: string, epoch: number, timestampMs: number) {
  return recordOf(
    ShareGroupTargetAssignmentMetadata,
    { groupId },
    { assignmentEpoch: epoch, assignmentTimestamp: timestampMs },
  )
}

/** What the target gives to a member. */
export function shareTargetRecord(groupId: string, memberId: string, target: TopicPartitions) {
  return recordOf(
    ShareGroupTargetAssignmentMember,
    { groupId, memberId },
    { topicPartitions: listOfTarget(target) },
  )
}

/** What a member has. */
export function shareAssignmentRecord(groupId: string, member: ShareMember): CoordinatorRecord {
  const { memberId, memberEpoch, previousMemberEpoch, assigned } = member
  return recordOf(
    ShareGroupCurrentMemberAssignment,
    { groupId, memberId },
    { memberEpoch, previousMemberEpoch, state: STABLE, assignedPartitions: listOfTarget(assigned) },
  )
}

/** Which partitions have a state with the share coordinator. */
export function shareTopicsRecord(groupId: string, topics: ShareTopics): CoordinatorRecord {
  return recordOf(
    ShareGroupStatePartitionMetadata,
    { groupId },
    {
      initializingTopics: listOf(topics.initializing),
      initializedTopics: listOf(topics.initialized),
      deletingTopics: [...topics.deleting].map(([topicId, topicName]) => ({ topicId, topicName })),
    },
  )
}

/** Takes a member away, in the order that replay relies on. */
export function shareMemberTombstones(groupId: string, memberId: string): CoordinatorRecord[] {
  const key = { groupId, memberId }
  return [
    recordOf(ShareGroupCurrentMemberAssignment, key, null),
    recordOf(ShareGroupTargetAssignmentMember, key, null),
    recordOf(ShareGroupMemberMetadata, key, null),
  ]
}

/** Takes a whole group away. */
export function shareGroupTombstones(
  groupId: string,
  memberIds: Iterable<string>,
): CoordinatorRecord[] {
  const records: CoordinatorRecord[] = []
  for (const memberId of memberIds) records.push(...shareMemberTombstones(groupId, memberId))
  records.push(recordOf(ShareGroupTargetAssignmentMetadata, { groupId }, null))
  records.push(recordOf(ShareGroupStatePartitionMetadata, { groupId }, null))
  records.push(recordOf(ShareGroupMetadata, { groupId }, null))
  return records
}

function listOf(topics: ReadonlyMap<string, ShareTopic>) {
  return [...topics].map(([topicId, { name, partitions }]) => {
    return { topicId, topicName: name, partitions }
  })
}

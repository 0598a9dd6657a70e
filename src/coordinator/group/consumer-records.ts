/** The records of consumer groups: how they are made of a group's state. KIP-848. */
import { ConsumerGroupCurrentMemberAssignment } from '../../protocol/records/consumer-group-current-member-assignment.ts'
import { ConsumerGroupMemberMetadata } from '../../protocol/records/consumer-group-member-metadata.ts'
import { ConsumerGroupMetadata } from '../../protocol/records/consumer-group-metadata.ts'
import { ConsumerGroupPartitionMetadata } from '../../protocol/records/consumer-group-partition-metadata.ts'
import { ConsumerGroupRegularExpression } from '../../protocol/records/consumer-group-regular-expression.ts'
import { ConsumerGroupTargetAssignmentMember } from '../../protocol/records/consumer-group-target-assignment-member.ts'
import { ConsumerGroupTargetAssignmentMetadata } from '../../protocol/records/consumer-group-target-assignment-metadata.ts'
import { type CoordinatorRecord, recordOf } from '../runtime.ts'
import type { ConsumerMember } from './consumer-member.ts'
import {
  ascending,
  listOfTarget,
  type PartitionEpochs,
  type TopicPartitions,
} from './consumer-partitions.ts'

/** The topics that fit a regular expression, as they were when it was resolved. */
export interface ResolvedRegex {
  /** Sorted. */
  readonly topics: readonly string[]
  /** Of the metadata that was looked at. */
  readonly version: number
  /** Wall milliseconds of that look. */
  readonly timestampMs: number
}

/** The epoch of a group. */
export function epochRecord(groupId: string, epoch: number, metadataHash: number) {
  return recordOf(ConsumerGroupMetadata, { groupId }, { epoch, metadataHash })
}

/** What a member told about itself. */
export function memberRecord(groupId: string, member: ConsumerMember): CoordinatorRecord {
  const { memberId, classic } = member
  return recordOf(
    ConsumerGroupMemberMetadata,
    { groupId, memberId },
    {
      instanceId: member.instanceId,
      rackId: member.rackId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: member.subscribedTopicNames,
      subscribedTopicRegex: member.subscribedTopicRegex,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      serverAssignor: member.serverAssignor,
      classicMemberMetadata: classic,
    },
  )
}

/** The epoch of the target, with the time at which it was made. */
export function targetEpochRecord(groupId: string, assignmentEpoch: number, timestampMs: number) {
  return recordOf(
    ConsumerGroupTargetAssignmentMetadata,
    { groupId },
    { assignmentEpoch, assignmentTimestamp: timestampMs },
  )
}

/** What the target gives to a member. */
export function targetRecord(groupId: string, memberId: string, target: TopicPartitions) {
  return recordOf(
    ConsumerGroupTargetAssignmentMember,
    { groupId, memberId },
    { topicPartitions: listOfTarget(target) },
  )
}

/** What a member has, and what it has to give up. */
export function assignmentRecord(groupId: string, member: ConsumerMember): CoordinatorRecord {
  return recordOf(
    ConsumerGroupCurrentMemberAssignment,
    { groupId, memberId: member.memberId },
    {
      memberEpoch: member.memberEpoch,
      previousMemberEpoch: member.previousMemberEpoch,
      state: member.state,
      assignedPartitions: withAssignmentEpochs(member.assigned),
      partitionsPendingRevocation: withAssignmentEpochs(member.pendingRevocation),
    },
  )
}

/** The topics of a regular expression. */
export function regexRecord(groupId: string, regex: string, resolved: ResolvedRegex) {
  const { topics, version, timestampMs: timestamp } = resolved
  return recordOf(
    ConsumerGroupRegularExpression,
    { groupId, regularExpression: regex },
    { topics, version, timestamp },
  )
}

/** Takes a regular expression away. */
export function regexTombstone(groupId: string, regex: string): CoordinatorRecord {
  return recordOf(ConsumerGroupRegularExpression, { groupId, regularExpression: regex }, null)
}

/** Takes a member away, in the order that replay relies on. */
export function memberTombstones(groupId: string, memberId: string): CoordinatorRecord[] {
  const key = { groupId, memberId }
  return [
    recordOf(ConsumerGroupCurrentMemberAssignment, key, null),
    recordOf(ConsumerGroupTargetAssignmentMember, key, null),
    recordOf(ConsumerGroupMemberMetadata, key, null),
  ]
}

/** Takes a whole group away. `olderMetadata`: whether an older broker's type 4 is in the log. */
export function groupTombstones(parts: {
  groupId: string
  memberIds: Iterable<string>
  regexes: Iterable<string>
  olderMetadata: boolean
}): CoordinatorRecord[] {
  const { groupId, olderMetadata } = parts
  const records: CoordinatorRecord[] = []
  for (const memberId of parts.memberIds) records.push(...memberTombstones(groupId, memberId))
  records.push(recordOf(ConsumerGroupTargetAssignmentMetadata, { groupId }, null))
  for (const regex of parts.regexes) records.push(regexTombstone(groupId, regex))
  if (olderMetadata) records.push(olderMetadataTombstone(groupId))
  records.push(recordOf(ConsumerGroupMetadata, { groupId }, null))
  return records
}

/** Takes away the partition metadata that brokers before 4.1 wrote. */
export function olderMetadataTombstone(groupId: string): CoordinatorRecord {
  return recordOf(ConsumerGroupPartitionMetadata, { groupId }, null)
}

function withAssignmentEpochs(epochs: PartitionEpochs) {
  return [...epochs].map(([topicId, byPartition]) => {
    const partitions = ascending(byPartition.keys())
    return {
      topicId,
      partitions,
      assignmentEpochs: partitions.map((partition) => byPartition.get(partition)!),
    }
  })
}

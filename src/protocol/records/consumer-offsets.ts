// The records of __consumer_offsets, by the type with which their keys begin.

import { ConsumerGroupCurrentMemberAssignment } from './consumer-group-current-member-assignment.ts'
import { ConsumerGroupMemberMetadata } from './consumer-group-member-metadata.ts'
import { ConsumerGroupMetadata } from './consumer-group-metadata.ts'
import { ConsumerGroupPartitionMetadata } from './consumer-group-partition-metadata.ts'
import { ConsumerGroupRegularExpression } from './consumer-group-regular-expression.ts'
import { ConsumerGroupTargetAssignmentMember } from './consumer-group-target-assignment-member.ts'
import { ConsumerGroupTargetAssignmentMetadata } from './consumer-group-target-assignment-metadata.ts'
import { GroupMetadata } from './group-metadata.ts'
import { LegacyOffsetCommit } from './legacy-offset-commit.ts'
import { OffsetCommit } from './offset-commit.ts'
import { type RecordSchema, recordsByType } from './record.ts'
import { ShareGroupCurrentMemberAssignment } from './share-group-current-member-assignment.ts'
import { ShareGroupMemberMetadata } from './share-group-member-metadata.ts'
import { ShareGroupMetadata } from './share-group-metadata.ts'
import { ShareGroupStatePartitionMetadata } from './share-group-state-partition-metadata.ts'
import { ShareGroupTargetAssignmentMember } from './share-group-target-assignment-member.ts'
import { ShareGroupTargetAssignmentMetadata } from './share-group-target-assignment-metadata.ts'
import { StreamsGroupCurrentMemberAssignment } from './streams-group-current-member-assignment.ts'
import { StreamsGroupMemberMetadata } from './streams-group-member-metadata.ts'
import { StreamsGroupMetadata } from './streams-group-metadata.ts'
import { StreamsGroupTargetAssignmentMember } from './streams-group-target-assignment-member.ts'
import { StreamsGroupTargetAssignmentMetadata } from './streams-group-target-assignment-metadata.ts'
import { StreamsGroupTopology } from './streams-group-topology.ts'

/** Every record of __consumer_offsets by type. */
export const consumerOffsetsRecords: ReadonlyMap<number, RecordSchema> = recordsByType([
  LegacyOffsetCommit,
  OffsetCommit,
  GroupMetadata,
  ConsumerGroupMetadata,
  ConsumerGroupPartitionMetadata,
  ConsumerGroupMemberMetadata,
  ConsumerGroupTargetAssignmentMetadata,
  ConsumerGroupTargetAssignmentMember,
  ConsumerGroupCurrentMemberAssignment,
  ShareGroupMemberMetadata,
  ShareGroupMetadata,
  ShareGroupTargetAssignmentMetadata,
  ShareGroupTargetAssignmentMember,
  ShareGroupCurrentMemberAssignment,
  ShareGroupStatePartitionMetadata,
  ConsumerGroupRegularExpression,
  StreamsGroupMetadata,
  StreamsGroupMemberMetadata,
  StreamsGroupTargetAssignmentMetadata,
  StreamsGroupTargetAssignmentMember,
  StreamsGroupCurrentMemberAssignment,
  StreamsGroupTopology,
])

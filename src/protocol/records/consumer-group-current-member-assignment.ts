import {
  array,
  defineMessage,
  int8,
  int32,
  type MessageOf,
  nullable,
  string,
  struct,
  uuid,
} from '../schema.ts'
import { defineRecord } from './record.ts'

const topicPartitions = struct({
  topicId: uuid(),
  partitions: array(int32()),
  assignmentEpochs: nullable(array(int32())).tag(0).default([]),
})

/** Key of ConsumerGroupCurrentMemberAssignment. */
export const ConsumerGroupCurrentMemberAssignmentKey = defineMessage({
  name: 'ConsumerGroupCurrentMemberAssignmentKey',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    groupId: string(),
    memberId: string(),
  },
})

/** Value of ConsumerGroupCurrentMemberAssignment. */
export const ConsumerGroupCurrentMemberAssignmentValue = defineMessage({
  name: 'ConsumerGroupCurrentMemberAssignmentValue',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    memberEpoch: int32(),
    previousMemberEpoch: int32(),
    state: int8(),
    assignedPartitions: array(topicPartitions),
    partitionsPendingRevocation: array(topicPartitions),
  },
})

/** What a member has now, and what it still has to give up. KIP-848. */
export const ConsumerGroupCurrentMemberAssignment = defineRecord({
  type: 8,
  key: ConsumerGroupCurrentMemberAssignmentKey,
  value: ConsumerGroupCurrentMemberAssignmentValue,
})
/** Decoded. */
export type ConsumerGroupCurrentMemberAssignmentKey = MessageOf<
  typeof ConsumerGroupCurrentMemberAssignmentKey
>
/** Decoded. */
export type ConsumerGroupCurrentMemberAssignmentValue = MessageOf<
  typeof ConsumerGroupCurrentMemberAssignmentValue
>

import {
  array,
  defineMessage,
  int8,
  int32,
  type MessageOf,
  string,
  struct,
  uuid,
} from '../schema.ts'
import { defineRecord } from './record.ts'

/** Key of ShareGroupCurrentMemberAssignment. */
export const ShareGroupCurrentMemberAssignmentKey = defineMessage({
  name: 'ShareGroupCurrentMemberAssignmentKey',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    groupId: string(),
    memberId: string(),
  },
})

/** Value of ShareGroupCurrentMemberAssignment. */
export const ShareGroupCurrentMemberAssignmentValue = defineMessage({
  name: 'ShareGroupCurrentMemberAssignmentValue',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    memberEpoch: int32(),
    previousMemberEpoch: int32(),
    state: int8(),
    assignedPartitions: array(
      struct({
        topicId: uuid(),
        partitions: array(int32()),
      }),
    ),
  },
})

/** What a member of a share group has now. KIP-932. */
export const ShareGroupCurrentMemberAssignment = defineRecord({
  type: 14,
  key: ShareGroupCurrentMemberAssignmentKey,
  value: ShareGroupCurrentMemberAssignmentValue,
})
/** Decoded. */
export type ShareGroupCurrentMemberAssignmentKey = MessageOf<
  typeof ShareGroupCurrentMemberAssignmentKey
>
/** Decoded. */
export type ShareGroupCurrentMemberAssignmentValue = MessageOf<
  typeof ShareGroupCurrentMemberAssignmentValue
>

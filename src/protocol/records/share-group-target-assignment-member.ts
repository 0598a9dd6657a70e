import { array, defineMessage, int32, type MessageOf, string, struct, uuid } from '../schema.ts'
import { defineRecord } from './record.ts'

/** Key of ShareGroupTargetAssignmentMember. */
export const ShareGroupTargetAssignmentMemberKey = defineMessage({
  name: 'ShareGroupTargetAssignmentMemberKey',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    groupId: string(),
    memberId: string(),
  },
})

/** Value of ShareGroupTargetAssignmentMember. */
export const ShareGroupTargetAssignmentMemberValue = defineMessage({
  name: 'ShareGroupTargetAssignmentMemberValue',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    topicPartitions: array(
      struct({
        topicId: uuid(),
        partitions: array(int32()),
      }),
    ),
  },
})

/** What the target assignment gives to a member. KIP-932. */
export const ShareGroupTargetAssignmentMember = defineRecord({
  type: 13,
  key: ShareGroupTargetAssignmentMemberKey,
  value: ShareGroupTargetAssignmentMemberValue,
})
/** Decoded. */
export type ShareGroupTargetAssignmentMemberKey = MessageOf<
  typeof ShareGroupTargetAssignmentMemberKey
>
/** Decoded. */
export type ShareGroupTargetAssignmentMemberValue = MessageOf<
  typeof ShareGroupTargetAssignmentMemberValue
>

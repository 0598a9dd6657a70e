import { array, defineMessage, int32, type MessageOf, string, struct, uuid } from '../schema.ts'
import { defineRecord } from './record.ts'

/** Key of ConsumerGroupTargetAssignmentMember. */
export const ConsumerGroupTargetAssignmentMemberKey = defineMessage({
  name: 'ConsumerGroupTargetAssignmentMemberKey',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    groupId: string(),
    memberId: string(),
  },
})

/** Value of ConsumerGroupTargetAssignmentMember. */
export const ConsumerGroupTargetAssignmentMemberValue = defineMessage({
  name: 'ConsumerGroupTargetAssignmentMemberValue',
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

/** What the target assignment gives to a member. KIP-848. */
export const ConsumerGroupTargetAssignmentMember = defineRecord({
  type: 7,
  key: ConsumerGroupTargetAssignmentMemberKey,
  value: ConsumerGroupTargetAssignmentMemberValue,
})
/** Decoded. */
export type ConsumerGroupTargetAssignmentMemberKey = MessageOf<
  typeof ConsumerGroupTargetAssignmentMemberKey
>
/** Decoded. */
export type ConsumerGroupTargetAssignmentMemberValue = MessageOf<
  typeof ConsumerGroupTargetAssignmentMemberValue
>

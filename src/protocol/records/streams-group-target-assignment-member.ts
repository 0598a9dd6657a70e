import { array, defineMessage, int32, type MessageOf, string, struct } from '../schema.ts'
import { defineRecord } from './record.ts'

const taskIds = struct({
  subtopologyId: string(),
  partitions: array(int32()),
})

/** Key of StreamsGroupTargetAssignmentMember. */
export const StreamsGroupTargetAssignmentMemberKey = defineMessage({
  name: 'StreamsGroupTargetAssignmentMemberKey',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    groupId: string(),
    memberId: string(),
  },
})

/** Value of StreamsGroupTargetAssignmentMember. */
export const StreamsGroupTargetAssignmentMemberValue = defineMessage({
  name: 'StreamsGroupTargetAssignmentMemberValue',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    activeTasks: array(taskIds),
    standbyTasks: array(taskIds),
    warmupTasks: array(taskIds),
  },
})

/** The tasks that the target assignment gives to a member. KIP-1071. */
export const StreamsGroupTargetAssignmentMember = defineRecord({
  type: 21,
  key: StreamsGroupTargetAssignmentMemberKey,
  value: StreamsGroupTargetAssignmentMemberValue,
})
/** Decoded. */
export type StreamsGroupTargetAssignmentMemberKey = MessageOf<
  typeof StreamsGroupTargetAssignmentMemberKey
>
/** Decoded. */
export type StreamsGroupTargetAssignmentMemberValue = MessageOf<
  typeof StreamsGroupTargetAssignmentMemberValue
>

import {
  array,
  defineMessage,
  int8,
  int32,
  type MessageOf,
  nullable,
  string,
  struct,
} from '../schema.ts'
import { defineRecord } from './record.ts'

const taskIds = struct({
  subtopologyId: string(),
  partitions: array(int32()),
  assignmentEpochs: nullable(array(int32())).tag(0).default([]),
})

/** Key of StreamsGroupCurrentMemberAssignment. */
export const StreamsGroupCurrentMemberAssignmentKey = defineMessage({
  name: 'StreamsGroupCurrentMemberAssignmentKey',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    groupId: string(),
    memberId: string(),
  },
})

/** Value of StreamsGroupCurrentMemberAssignment. */
export const StreamsGroupCurrentMemberAssignmentValue = defineMessage({
  name: 'StreamsGroupCurrentMemberAssignmentValue',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    memberEpoch: int32(),
    previousMemberEpoch: int32(),
    state: int8(),
    activeTasks: array(taskIds),
    standbyTasks: array(taskIds),
    warmupTasks: array(taskIds),
    activeTasksPendingRevocation: array(taskIds),
    standbyTasksPendingRevocation: array(taskIds),
    warmupTasksPendingRevocation: array(taskIds),
  },
})

/** The tasks that a member of a streams group has now. KIP-1071. */
export const StreamsGroupCurrentMemberAssignment = defineRecord({
  type: 22,
  key: StreamsGroupCurrentMemberAssignmentKey,
  value: StreamsGroupCurrentMemberAssignmentValue,
})
/** Decoded. */
export type StreamsGroupCurrentMemberAssignmentKey = MessageOf<
  typeof StreamsGroupCurrentMemberAssignmentKey
>
/** Decoded. */
export type StreamsGroupCurrentMemberAssignmentValue = MessageOf<
  typeof StreamsGroupCurrentMemberAssignmentValue
>

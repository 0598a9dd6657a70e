import { defineMessage, int32, int64, type MessageOf, string } from '../schema.ts'
import { defineRecord } from './record.ts'

/** Key of StreamsGroupTargetAssignmentMetadata. */
export const StreamsGroupTargetAssignmentMetadataKey = defineMessage({
  name: 'StreamsGroupTargetAssignmentMetadataKey',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    groupId: string(),
  },
})

/** Value of StreamsGroupTargetAssignmentMetadata. */
export const StreamsGroupTargetAssignmentMetadataValue = defineMessage({
  name: 'StreamsGroupTargetAssignmentMetadataValue',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    assignmentEpoch: int32(),
    assignmentTimestamp: int64().tag(0),
  },
})

/** The epoch of the target assignment of a streams group. KIP-1071. */
export const StreamsGroupTargetAssignmentMetadata = defineRecord({
  type: 20,
  key: StreamsGroupTargetAssignmentMetadataKey,
  value: StreamsGroupTargetAssignmentMetadataValue,
})
/** Decoded. */
export type StreamsGroupTargetAssignmentMetadataKey = MessageOf<
  typeof StreamsGroupTargetAssignmentMetadataKey
>
/** Decoded. */
export type StreamsGroupTargetAssignmentMetadataValue = MessageOf<
  typeof StreamsGroupTargetAssignmentMetadataValue
>

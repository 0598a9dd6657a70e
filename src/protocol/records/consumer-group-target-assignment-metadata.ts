import { defineMessage, int32, int64, type MessageOf, string } from '../schema.ts'
import { defineRecord } from './record.ts'

/** Key of ConsumerGroupTargetAssignmentMetadata. */
export const ConsumerGroupTargetAssignmentMetadataKey = defineMessage({
  name: 'ConsumerGroupTargetAssignmentMetadataKey',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    groupId: string(),
  },
})

/** Value of ConsumerGroupTargetAssignmentMetadata. */
export const ConsumerGroupTargetAssignmentMetadataValue = defineMessage({
  name: 'ConsumerGroupTargetAssignmentMetadataValue',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    assignmentEpoch: int32(),
    assignmentTimestamp: int64().tag(0),
  },
})

/** The epoch of the target assignment of a consumer group. KIP-848. */
export const ConsumerGroupTargetAssignmentMetadata = defineRecord({
  type: 6,
  key: ConsumerGroupTargetAssignmentMetadataKey,
  value: ConsumerGroupTargetAssignmentMetadataValue,
})
/** Decoded. */
export type ConsumerGroupTargetAssignmentMetadataKey = MessageOf<
  typeof ConsumerGroupTargetAssignmentMetadataKey
>
/** Decoded. */
export type ConsumerGroupTargetAssignmentMetadataValue = MessageOf<
  typeof ConsumerGroupTargetAssignmentMetadataValue
>

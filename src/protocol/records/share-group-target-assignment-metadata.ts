import { defineMessage, int32, int64, type MessageOf, string } from '../schema.ts'
import { defineRecord } from './record.ts'

/** Key of ShareGroupTargetAssignmentMetadata. */
export const ShareGroupTargetAssignmentMetadataKey = defineMessage({
  name: 'ShareGroupTargetAssignmentMetadataKey',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    groupId: string(),
  },
})

/** Value of ShareGroupTargetAssignmentMetadata. */
export const ShareGroupTargetAssignmentMetadataValue = defineMessage({
  name: 'ShareGroupTargetAssignmentMetadataValue',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    assignmentEpoch: int32(),
    assignmentTimestamp: int64().tag(0),
  },
})

/** The epoch of the target assignment of a share group. KIP-932. */
export const ShareGroupTargetAssignmentMetadata = defineRecord({
  type: 12,
  key: ShareGroupTargetAssignmentMetadataKey,
  value: ShareGroupTargetAssignmentMetadataValue,
})
/** Decoded. */
export type ShareGroupTargetAssignmentMetadataKey = MessageOf<
  typeof ShareGroupTargetAssignmentMetadataKey
>
/** Decoded. */
export type ShareGroupTargetAssignmentMetadataValue = MessageOf<
  typeof ShareGroupTargetAssignmentMetadataValue
>

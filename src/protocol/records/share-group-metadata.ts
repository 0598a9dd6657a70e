import { defineMessage, int32, int64, type MessageOf, string } from '../schema.ts'
import { defineRecord } from './record.ts'

/** Key of ShareGroupMetadata. */
export const ShareGroupMetadataKey = defineMessage({
  name: 'ShareGroupMetadataKey',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    groupId: string(),
  },
})

/** Value of ShareGroupMetadata. */
export const ShareGroupMetadataValue = defineMessage({
  name: 'ShareGroupMetadataValue',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    epoch: int32(),
    metadataHash: int64(),
  },
})

/** The epoch of a share group. KIP-932. */
export const ShareGroupMetadata = defineRecord({
  type: 11,
  key: ShareGroupMetadataKey,
  value: ShareGroupMetadataValue,
})
/** Decoded. */
export type ShareGroupMetadataKey = MessageOf<typeof ShareGroupMetadataKey>
/** Decoded. */
export type ShareGroupMetadataValue = MessageOf<typeof ShareGroupMetadataValue>

import { defineMessage, int32, int64, type MessageOf, string } from '../schema.ts'
import { defineRecord } from './record.ts'

/** Key of ConsumerGroupMetadata. */
export const ConsumerGroupMetadataKey = defineMessage({
  name: 'ConsumerGroupMetadataKey',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    groupId: string(),
  },
})

/** Value of ConsumerGroupMetadata. */
export const ConsumerGroupMetadataValue = defineMessage({
  name: 'ConsumerGroupMetadataValue',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    epoch: int32(),
    metadataHash: int64().tag(0),
  },
})

/** The epoch of a consumer group. KIP-848. */
export const ConsumerGroupMetadata = defineRecord({
  type: 3,
  key: ConsumerGroupMetadataKey,
  value: ConsumerGroupMetadataValue,
})
/** Decoded. */
export type ConsumerGroupMetadataKey = MessageOf<typeof ConsumerGroupMetadataKey>
/** Decoded. */
export type ConsumerGroupMetadataValue = MessageOf<typeof ConsumerGroupMetadataValue>

import { array, defineMessage, int32, type MessageOf, string, struct, uuid } from '../schema.ts'
import { defineRecord } from './record.ts'

const topicPartitionsInfo = struct({
  topicId: uuid(),
  topicName: string(),
  partitions: array(int32()),
})

/** Key of ShareGroupStatePartitionMetadata. */
export const ShareGroupStatePartitionMetadataKey = defineMessage({
  name: 'ShareGroupStatePartitionMetadataKey',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    groupId: string(),
  },
})

/** Value of ShareGroupStatePartitionMetadata. */
export const ShareGroupStatePartitionMetadataValue = defineMessage({
  name: 'ShareGroupStatePartitionMetadataValue',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    initializingTopics: array(topicPartitionsInfo),
    initializedTopics: array(topicPartitionsInfo),
    deletingTopics: array(
      struct({
        topicId: uuid(),
        topicName: string(),
      }),
    ),
  },
})

/** Which share partitions of a group are initialized or being deleted. KIP-932. */
export const ShareGroupStatePartitionMetadata = defineRecord({
  type: 15,
  key: ShareGroupStatePartitionMetadataKey,
  value: ShareGroupStatePartitionMetadataValue,
})
/** Decoded. */
export type ShareGroupStatePartitionMetadataKey = MessageOf<
  typeof ShareGroupStatePartitionMetadataKey
>
/** Decoded. */
export type ShareGroupStatePartitionMetadataValue = MessageOf<
  typeof ShareGroupStatePartitionMetadataValue
>

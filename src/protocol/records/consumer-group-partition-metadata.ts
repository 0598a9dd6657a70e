import { array, defineMessage, int32, type MessageOf, string, struct, uuid } from '../schema.ts'
import { defineRecord } from './record.ts'

/** Key of ConsumerGroupPartitionMetadata. */
export const ConsumerGroupPartitionMetadataKey = defineMessage({
  name: 'ConsumerGroupPartitionMetadataKey',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    groupId: string(),
  },
})

/** Value of ConsumerGroupPartitionMetadata. */
export const ConsumerGroupPartitionMetadataValue = defineMessage({
  name: 'ConsumerGroupPartitionMetadataValue',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    topics: array(
      struct({
        topicId: uuid(),
        topicName: string(),
        numPartitions: int32(),
        partitionMetadata: array(
          struct({
            partition: int32(),
            racks: array(string()),
          }),
        ),
      }),
    ),
  },
})

/** The partitions to which a consumer group subscribed, as older brokers wrote them. KIP-848. */
export const ConsumerGroupPartitionMetadata = defineRecord({
  type: 4,
  key: ConsumerGroupPartitionMetadataKey,
  value: ConsumerGroupPartitionMetadataValue,
})
/** Decoded. */
export type ConsumerGroupPartitionMetadataKey = MessageOf<typeof ConsumerGroupPartitionMetadataKey>
/** Decoded. */
export type ConsumerGroupPartitionMetadataValue = MessageOf<
  typeof ConsumerGroupPartitionMetadataValue
>

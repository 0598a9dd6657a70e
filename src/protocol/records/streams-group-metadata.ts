import {
  array,
  defineMessage,
  int32,
  int64,
  type MessageOf,
  nullable,
  string,
  struct,
} from '../schema.ts'
import { defineRecord } from './record.ts'

/** Key of StreamsGroupMetadata. */
export const StreamsGroupMetadataKey = defineMessage({
  name: 'StreamsGroupMetadataKey',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    groupId: string(),
  },
})

/** Value of StreamsGroupMetadata. */
export const StreamsGroupMetadataValue = defineMessage({
  name: 'StreamsGroupMetadataValue',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    epoch: int32(),
    metadataHash: int64(),
    validatedTopologyEpoch: int32().tag(0).default(-1),
    lastAssignmentConfigs: nullable(
      array(
        struct({
          key: string(),
          value: string(),
        }),
      ),
    )
      .tag(1)
      .default([]),
  },
})

/** The epoch of a streams group. KIP-1071. */
export const StreamsGroupMetadata = defineRecord({
  type: 17,
  key: StreamsGroupMetadataKey,
  value: StreamsGroupMetadataValue,
})
/** Decoded. */
export type StreamsGroupMetadataKey = MessageOf<typeof StreamsGroupMetadataKey>
/** Decoded. */
export type StreamsGroupMetadataValue = MessageOf<typeof StreamsGroupMetadataValue>

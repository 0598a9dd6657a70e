import {
  array,
  defineMessage,
  int32,
  type MessageOf,
  nullable,
  string,
  struct,
  uint16,
} from '../schema.ts'
import { defineRecord } from './record.ts'

/** Key of StreamsGroupMemberMetadata. */
export const StreamsGroupMemberMetadataKey = defineMessage({
  name: 'StreamsGroupMemberMetadataKey',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    groupId: string(),
    memberId: string(),
  },
})

/** Value of StreamsGroupMemberMetadata. */
export const StreamsGroupMemberMetadataValue = defineMessage({
  name: 'StreamsGroupMemberMetadataValue',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    instanceId: nullable(string()).default(''),
    rackId: nullable(string()).default(''),
    clientId: string(),
    clientHost: string(),
    rebalanceTimeoutMs: int32().default(-1),
    topologyEpoch: int32(),
    processId: string(),
    userEndpoint: nullable(
      struct({
        host: string(),
        port: uint16(),
      }),
    ),
    clientTags: array(
      struct({
        key: string(),
        value: string(),
      }),
    ),
  },
})

/** What a member of a streams group told about itself. KIP-1071. */
export const StreamsGroupMemberMetadata = defineRecord({
  type: 19,
  key: StreamsGroupMemberMetadataKey,
  value: StreamsGroupMemberMetadataValue,
})
/** Decoded. */
export type StreamsGroupMemberMetadataKey = MessageOf<typeof StreamsGroupMemberMetadataKey>
/** Decoded. */
export type StreamsGroupMemberMetadataValue = MessageOf<typeof StreamsGroupMemberMetadataValue>

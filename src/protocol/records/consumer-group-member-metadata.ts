import {
  array,
  bytes,
  defineMessage,
  int32,
  type MessageOf,
  nullable,
  string,
  struct,
} from '../schema.ts'
import { defineRecord } from './record.ts'

/** Key of ConsumerGroupMemberMetadata. */
export const ConsumerGroupMemberMetadataKey = defineMessage({
  name: 'ConsumerGroupMemberMetadataKey',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    groupId: string(),
    memberId: string(),
  },
})

/** Value of ConsumerGroupMemberMetadata. */
export const ConsumerGroupMemberMetadataValue = defineMessage({
  name: 'ConsumerGroupMemberMetadataValue',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    instanceId: nullable(string()).default(''),
    rackId: nullable(string()).default(''),
    clientId: string(),
    clientHost: string(),
    subscribedTopicNames: array(string()),
    subscribedTopicRegex: nullable(string()).default(''),
    rebalanceTimeoutMs: int32().default(-1),
    serverAssignor: nullable(string()).default(''),
    classicMemberMetadata: nullable(
      struct({
        sessionTimeoutMs: int32(),
        supportedProtocols: array(
          struct({
            name: string(),
            metadata: bytes(),
          }),
        ),
      }),
    )
      .tag(0)
      .default({}),
  },
})

/** What a member of a consumer group told about itself. KIP-848. */
export const ConsumerGroupMemberMetadata = defineRecord({
  type: 5,
  key: ConsumerGroupMemberMetadataKey,
  value: ConsumerGroupMemberMetadataValue,
})
/** Decoded. */
export type ConsumerGroupMemberMetadataKey = MessageOf<typeof ConsumerGroupMemberMetadataKey>
/** Decoded. */
export type ConsumerGroupMemberMetadataValue = MessageOf<typeof ConsumerGroupMemberMetadataValue>

import { array, defineMessage, type MessageOf, nullable, string } from '../schema.ts'
import { defineRecord } from './record.ts'

/** Key of ShareGroupMemberMetadata. */
export const ShareGroupMemberMetadataKey = defineMessage({
  name: 'ShareGroupMemberMetadataKey',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    groupId: string(),
    memberId: string(),
  },
})

/** Value of ShareGroupMemberMetadata. */
export const ShareGroupMemberMetadataValue = defineMessage({
  name: 'ShareGroupMemberMetadataValue',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    rackId: nullable(string()).default(''),
    clientId: string(),
    clientHost: string(),
    subscribedTopicNames: array(string()),
  },
})

/** What a member of a share group told about itself. KIP-932. */
export const ShareGroupMemberMetadata = defineRecord({
  type: 10,
  key: ShareGroupMemberMetadataKey,
  value: ShareGroupMemberMetadataValue,
})
/** Decoded. */
export type ShareGroupMemberMetadataKey = MessageOf<typeof ShareGroupMemberMetadataKey>
/** Decoded. */
export type ShareGroupMemberMetadataValue = MessageOf<typeof ShareGroupMemberMetadataValue>

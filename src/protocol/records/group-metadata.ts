import {
  array,
  bytes,
  defineMessage,
  int32,
  int64,
  type MessageOf,
  nullable,
  string,
  struct,
} from '../schema.ts'
import { defineRecord } from './record.ts'

/** Key of GroupMetadata. */
export const GroupMetadataKey = defineMessage({
  name: 'GroupMetadataKey',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    group: string(),
  },
})

/** Value of GroupMetadata. */
export const GroupMetadataValue = defineMessage({
  name: 'GroupMetadataValue',
  versions: [0, 4],
  flexibleFrom: 4,
  fields: {
    protocolType: string(),
    generation: int32(),
    protocol: nullable(string()).default(''),
    leader: nullable(string()).default(''),
    currentStateTimestamp: int64().since(2).default(-1).ignorable(),
    members: array(
      struct({
        memberId: string(),
        groupInstanceId: nullable(string()).since(3).ignorable(),
        clientId: string(),
        clientHost: string(),
        rebalanceTimeout: int32().since(1).default(-1).ignorable(),
        sessionTimeout: int32(),
        subscription: bytes(),
        assignment: bytes(),
      }),
    ),
  },
})

/** A classic group: protocol, generation and members. */
export const GroupMetadata = defineRecord({
  type: 2,
  key: GroupMetadataKey,
  value: GroupMetadataValue,
})
/** Decoded. */
export type GroupMetadataKey = MessageOf<typeof GroupMetadataKey>
/** Decoded. */
export type GroupMetadataValue = MessageOf<typeof GroupMetadataValue>

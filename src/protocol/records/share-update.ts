import {
  array,
  defineMessage,
  int8,
  int16,
  int32,
  int64,
  type MessageOf,
  string,
  struct,
  uuid,
} from '../schema.ts'
import { defineRecord } from './record.ts'

/** Key of ShareUpdate. */
export const ShareUpdateKey = defineMessage({
  name: 'ShareUpdateKey',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    groupId: string(),
    topicId: uuid(),
    partition: int32(),
  },
})

/** Value of ShareUpdate. */
export const ShareUpdateValue = defineMessage({
  name: 'ShareUpdateValue',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    snapshotEpoch: int32(),
    leaderEpoch: int32(),
    startOffset: int64(),
    deliveryCompleteCount: int32().tag(0).default(-1),
    stateBatches: array(
      struct({
        firstOffset: int64(),
        lastOffset: int64(),
        deliveryState: int8(),
        deliveryCount: int16(),
      }),
    ),
  },
})

/** What changed in a share partition since its snapshot. KIP-932. */
export const ShareUpdate = defineRecord({ type: 1, key: ShareUpdateKey, value: ShareUpdateValue })
/** Decoded. */
export type ShareUpdateKey = MessageOf<typeof ShareUpdateKey>
/** Decoded. */
export type ShareUpdateValue = MessageOf<typeof ShareUpdateValue>

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

/** Key of ShareSnapshot. */
export const ShareSnapshotKey = defineMessage({
  name: 'ShareSnapshotKey',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    groupId: string(),
    topicId: uuid(),
    partition: int32(),
  },
})

/** Value of ShareSnapshot. */
export const ShareSnapshotValue = defineMessage({
  name: 'ShareSnapshotValue',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    snapshotEpoch: int32(),
    stateEpoch: int32(),
    leaderEpoch: int32(),
    startOffset: int64(),
    deliveryCompleteCount: int32().tag(0).default(-1),
    createTimestamp: int64(),
    writeTimestamp: int64(),
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

/** The whole state of a share partition. KIP-932. */
export const ShareSnapshot = defineRecord({
  type: 0,
  key: ShareSnapshotKey,
  value: ShareSnapshotValue,
})
/** Decoded. */
export type ShareSnapshotKey = MessageOf<typeof ShareSnapshotKey>
/** Decoded. */
export type ShareSnapshotValue = MessageOf<typeof ShareSnapshotValue>

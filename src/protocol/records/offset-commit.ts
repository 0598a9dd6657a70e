import { defineMessage, int32, int64, type MessageOf, string, uuid } from '../schema.ts'
import { defineRecord } from './record.ts'

/** Key of OffsetCommit. */
export const OffsetCommitKey = defineMessage({
  name: 'OffsetCommitKey',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    group: string(),
    topic: string(),
    partition: int32(),
  },
})

/** Value of OffsetCommit. */
export const OffsetCommitValue = defineMessage({
  name: 'OffsetCommitValue',
  versions: [0, 4],
  flexibleFrom: 4,
  fields: {
    offset: int64(),
    leaderEpoch: int32().since(3).default(-1).ignorable(),
    metadata: string(),
    commitTimestamp: int64(),
    expireTimestamp: int64().since(1).until(1).default(-1).ignorable(),
    topicId: uuid().tag(0, 4).ignorable(),
  },
})

/** The committed offset of a group for a partition; a null value deletes it. */
export const OffsetCommit = defineRecord({
  type: 1,
  key: OffsetCommitKey,
  value: OffsetCommitValue,
})
/** Decoded. */
export type OffsetCommitKey = MessageOf<typeof OffsetCommitKey>
/** Decoded. */
export type OffsetCommitValue = MessageOf<typeof OffsetCommitValue>

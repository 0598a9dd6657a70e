import { defineMessage, int32, int64, type MessageOf, string } from '../schema.ts'
import { defineRecord } from './record.ts'

/** Key of LegacyOffsetCommit. */
export const LegacyOffsetCommitKey = defineMessage({
  name: 'LegacyOffsetCommitKey',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    group: string(),
    topic: string(),
    partition: int32(),
  },
})

/** Value of LegacyOffsetCommit. */
export const LegacyOffsetCommitValue = defineMessage({
  name: 'LegacyOffsetCommitValue',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    offset: int64(),
    metadata: string(),
    commitTimestamp: int64(),
  },
})

/** A committed offset as Kafka 0.8 and 0.9 wrote it. Only for reading old topics. */
export const LegacyOffsetCommit = defineRecord({
  type: 0,
  key: LegacyOffsetCommitKey,
  value: LegacyOffsetCommitValue,
})
/** Decoded. */
export type LegacyOffsetCommitKey = MessageOf<typeof LegacyOffsetCommitKey>
/** Decoded. */
export type LegacyOffsetCommitValue = MessageOf<typeof LegacyOffsetCommitValue>

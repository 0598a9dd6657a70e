import {
  array,
  defineApi,
  int16,
  int32,
  int64,
  nullable,
  type RequestOf,
  type ResponseOf,
  string,
  struct,
  uuid,
} from '../schema.ts'

/** OffsetCommit. */
export const OffsetCommit = defineApi({
  key: 8,
  name: 'OffsetCommit',
  versions: [2, 10],
  flexibleFrom: 8,
  request: {
    groupId: string(),
    generationIdOrMemberEpoch: int32().default(-1),
    memberId: string(),
    groupInstanceId: nullable(string()).since(7),
    retentionTimeMs: int64().until(4).default(-1).ignorable(),
    topics: array(
      struct({
        name: string().until(9).ignorable(),
        topicId: uuid().since(10).ignorable(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            committedOffset: int64(),
            committedLeaderEpoch: int32().since(6).default(-1).ignorable(),
            committedMetadata: nullable(string()).default(''),
          }),
        ),
      }),
    ),
  },
  response: {
    throttleTimeMs: int32().since(3).ignorable(),
    topics: array(
      struct({
        name: string().until(9).ignorable(),
        topicId: uuid().since(10).ignorable(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
          }),
        ),
      }),
    ),
  },
})
/** A decoded request. */
export type OffsetCommitRequest = RequestOf<typeof OffsetCommit>
/** A decoded response. */
export type OffsetCommitResponse = ResponseOf<typeof OffsetCommit>

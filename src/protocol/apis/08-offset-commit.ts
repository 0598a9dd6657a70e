import { array, defineApi, int16, int32, int64, nullable, string, struct, uuid } from '../schema.ts'

/** OffsetCommit: stores the offsets of a group. v6 KIP-320 (leader epochs); v7 KIP-345 (static
 *  members); v9 KIP-848 (member epochs); v10 topic ids. */
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
            // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
            // ILLEGAL_GENERATION · UNKNOWN_MEMBER_ID · REBALANCE_IN_PROGRESS ·
            // FENCED_INSTANCE_ID · STALE_MEMBER_EPOCH · GROUP_ID_NOT_FOUND ·
            // INVALID_GROUP_ID · OFFSET_METADATA_TOO_LARGE · INVALID_COMMIT_OFFSET_SIZE ·
            // UNKNOWN_TOPIC_OR_PARTITION · UNKNOWN_TOPIC_ID · GROUP_AUTHORIZATION_FAILED ·
            // TOPIC_AUTHORIZATION_FAILED
            errorCode: int16(),
          }),
        ),
      }),
    ),
  },
})

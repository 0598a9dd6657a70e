import {
  array,
  bool,
  defineApi,
  int16,
  int32,
  int64,
  nullable,
  string,
  struct,
  uuid,
} from '../schema.ts'

/** OffsetFetch: the committed offsets of groups. v2 all topics by null; v5 KIP-320 (leader
 *  epochs); v7 KIP-447 (stable offsets only); v8 KIP-709 (several groups); v9 KIP-848 (member
 *  epochs); v10 topic ids. */
export const OffsetFetch = defineApi({
  key: 9,
  name: 'OffsetFetch',
  versions: [1, 10],
  flexibleFrom: 6,
  request: {
    groupId: string().until(7),
    topics: nullable(
      array(
        struct({
          name: string(),
          partitionIndexes: array(int32()),
        }),
      ),
      2,
    )
      .until(7)
      .default([]),
    groups: array(
      struct({
        groupId: string(),
        memberId: nullable(string()).since(9).ignorable(),
        memberEpoch: int32().since(9).default(-1).ignorable(),
        topics: nullable(
          array(
            struct({
              name: string().until(9).ignorable(),
              topicId: uuid().since(10).ignorable(),
              partitionIndexes: array(int32()),
            }),
          ),
        ).default([]),
      }),
    ).since(8),
    requireStable: bool().since(7),
  },
  response: {
    throttleTimeMs: int32().since(3).ignorable(),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            committedOffset: int64(),
            committedLeaderEpoch: int32().since(5).default(-1).ignorable(),
            metadata: nullable(string()).default(''),
            // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
            // UNKNOWN_MEMBER_ID · STALE_MEMBER_EPOCH · GROUP_ID_NOT_FOUND ·
            // INVALID_GROUP_ID · UNSTABLE_OFFSET_COMMIT · UNKNOWN_TOPIC_OR_PARTITION ·
            // UNKNOWN_TOPIC_ID · GROUP_AUTHORIZATION_FAILED · TOPIC_AUTHORIZATION_FAILED
            errorCode: int16(),
          }),
        ),
      }),
    ).until(7),
    // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
    // UNKNOWN_MEMBER_ID · STALE_MEMBER_EPOCH · GROUP_ID_NOT_FOUND ·
    // INVALID_GROUP_ID · UNSTABLE_OFFSET_COMMIT · UNKNOWN_TOPIC_OR_PARTITION ·
    // UNKNOWN_TOPIC_ID · GROUP_AUTHORIZATION_FAILED · TOPIC_AUTHORIZATION_FAILED
    errorCode: int16().since(2).until(7).ignorable(),
    groups: array(
      struct({
        groupId: string(),
        topics: array(
          struct({
            name: string().until(9).ignorable(),
            topicId: uuid().since(10).ignorable(),
            partitions: array(
              struct({
                partitionIndex: int32(),
                committedOffset: int64(),
                committedLeaderEpoch: int32().default(-1).ignorable(),
                metadata: nullable(string()).default(''),
                // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
                // UNKNOWN_MEMBER_ID · STALE_MEMBER_EPOCH · GROUP_ID_NOT_FOUND ·
                // INVALID_GROUP_ID · UNSTABLE_OFFSET_COMMIT · UNKNOWN_TOPIC_OR_PARTITION ·
                // UNKNOWN_TOPIC_ID · GROUP_AUTHORIZATION_FAILED · TOPIC_AUTHORIZATION_FAILED
                errorCode: int16(),
              }),
            ),
          }),
        ),
        // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
        // UNKNOWN_MEMBER_ID · STALE_MEMBER_EPOCH · GROUP_ID_NOT_FOUND ·
        // INVALID_GROUP_ID · UNSTABLE_OFFSET_COMMIT · UNKNOWN_TOPIC_OR_PARTITION ·
        // UNKNOWN_TOPIC_ID · GROUP_AUTHORIZATION_FAILED · TOPIC_AUTHORIZATION_FAILED
        errorCode: int16(),
      }),
    ).since(8),
  },
})

import { array, defineApi, int16, int32, int64, nullable, string, struct, uuid } from '../schema.ts'

/** DescribeShareGroupOffsets: where the share partitions of groups start. KIP-932; v1 lag. */
export const DescribeShareGroupOffsets = defineApi({
  key: 90,
  name: 'DescribeShareGroupOffsets',
  versions: [0, 1],
  flexibleFrom: 0,
  request: {
    groups: array(
      struct({
        groupId: string(),
        topics: nullable(
          array(
            struct({
              topicName: string(),
              partitions: array(int32()),
            }),
          ),
        ).default([]),
      }),
    ),
  },
  response: {
    throttleTimeMs: int32(),
    groups: array(
      struct({
        groupId: string(),
        topics: array(
          struct({
            topicName: string(),
            topicId: uuid(),
            partitions: array(
              struct({
                partitionIndex: int32(),
                startOffset: int64(),
                leaderEpoch: int32(),
                lag: int64().since(1).default(-1).ignorable(),
                // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
                // GROUP_ID_NOT_FOUND · INVALID_GROUP_ID · GROUP_AUTHORIZATION_FAILED ·
                // TOPIC_AUTHORIZATION_FAILED
                errorCode: int16(),
                errorMessage: nullable(string()),
              }),
            ),
          }),
        ),
        // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
        // GROUP_ID_NOT_FOUND · INVALID_GROUP_ID · GROUP_AUTHORIZATION_FAILED ·
        // TOPIC_AUTHORIZATION_FAILED
        errorCode: int16(),
        errorMessage: nullable(string()),
      }),
    ),
  },
})

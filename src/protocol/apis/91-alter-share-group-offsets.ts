import { array, defineApi, int16, int32, int64, nullable, string, struct, uuid } from '../schema.ts'

/** AlterShareGroupOffsets: moves the start of share partitions of an empty group. KIP-932. */
export const AlterShareGroupOffsets = defineApi({
  key: 91,
  name: 'AlterShareGroupOffsets',
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    groupId: string(),
    topics: array(
      struct({
        topicName: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            startOffset: int64(),
          }),
        ),
      }),
    ),
  },
  response: {
    throttleTimeMs: int32(),
    // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
    // GROUP_ID_NOT_FOUND · NON_EMPTY_GROUP · UNKNOWN_TOPIC_OR_PARTITION ·
    // GROUP_AUTHORIZATION_FAILED · TOPIC_AUTHORIZATION_FAILED
    errorCode: int16(),
    errorMessage: nullable(string()),
    responses: array(
      struct({
        topicName: string(),
        topicId: uuid(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
            // GROUP_ID_NOT_FOUND · NON_EMPTY_GROUP · UNKNOWN_TOPIC_OR_PARTITION ·
            // GROUP_AUTHORIZATION_FAILED · TOPIC_AUTHORIZATION_FAILED
            errorCode: int16(),
            errorMessage: nullable(string()),
          }),
        ),
      }),
    ),
  },
})

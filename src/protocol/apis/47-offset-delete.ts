import { array, defineApi, int16, int32, string, struct } from '../schema.ts'

/** OffsetDelete: deletes committed offsets of a group. KIP-496. */
export const OffsetDelete = defineApi({
  key: 47,
  name: 'OffsetDelete',
  versions: [0, 0],
  flexibleFrom: null,
  request: {
    groupId: string(),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
          }),
        ),
      }),
    ),
  },
  response: {
    // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
    // NON_EMPTY_GROUP · GROUP_ID_NOT_FOUND · INVALID_GROUP_ID ·
    // GROUP_SUBSCRIBED_TO_TOPIC · UNKNOWN_TOPIC_OR_PARTITION ·
    // GROUP_AUTHORIZATION_FAILED · TOPIC_AUTHORIZATION_FAILED
    errorCode: int16(),
    throttleTimeMs: int32(),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
            // NON_EMPTY_GROUP · GROUP_ID_NOT_FOUND · INVALID_GROUP_ID ·
            // GROUP_SUBSCRIBED_TO_TOPIC · UNKNOWN_TOPIC_OR_PARTITION ·
            // GROUP_AUTHORIZATION_FAILED · TOPIC_AUTHORIZATION_FAILED
            errorCode: int16(),
          }),
        ),
      }),
    ),
  },
})

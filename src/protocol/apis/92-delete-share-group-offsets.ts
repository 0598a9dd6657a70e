import { array, defineApi, int16, int32, nullable, string, struct, uuid } from '../schema.ts'

/** DeleteShareGroupOffsets: forgets the share partitions of topics of an empty group. KIP-932. */
export const DeleteShareGroupOffsets = defineApi({
  key: 92,
  name: 'DeleteShareGroupOffsets',
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    groupId: string(),
    topics: array(
      struct({
        topicName: string(),
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
        // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
        // GROUP_ID_NOT_FOUND · NON_EMPTY_GROUP · UNKNOWN_TOPIC_OR_PARTITION ·
        // GROUP_AUTHORIZATION_FAILED · TOPIC_AUTHORIZATION_FAILED
        errorCode: int16(),
        errorMessage: nullable(string()),
      }),
    ),
  },
})

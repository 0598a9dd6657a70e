import { array, defineApi, int16, int32, nullable, string, struct, uuid } from '../schema.ts'

/** DeleteShareGroupState: forgets the state of share partitions. Between brokers. KIP-932. */
export const DeleteShareGroupState = defineApi({
  key: 86,
  name: 'DeleteShareGroupState',
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    groupId: string(),
    topics: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partition: int32(),
          }),
        ),
      }),
    ),
  },
  response: {
    results: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partition: int32(),
            // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
            // INVALID_REQUEST · CLUSTER_AUTHORIZATION_FAILED
            errorCode: int16(),
            errorMessage: nullable(string()),
          }),
        ),
      }),
    ),
  },
})

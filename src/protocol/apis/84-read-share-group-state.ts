import {
  array,
  defineApi,
  int8,
  int16,
  int32,
  int64,
  nullable,
  string,
  struct,
  uuid,
} from '../schema.ts'

/** ReadShareGroupState: the stored state of share partitions. Between brokers. KIP-932. */
export const ReadShareGroupState = defineApi({
  key: 84,
  name: 'ReadShareGroupState',
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
            leaderEpoch: int32(),
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
            // INVALID_REQUEST · FENCED_LEADER_EPOCH · CLUSTER_AUTHORIZATION_FAILED
            errorCode: int16(),
            errorMessage: nullable(string()),
            stateEpoch: int32(),
            startOffset: int64(),
            stateBatches: array(
              struct({
                firstOffset: int64(),
                lastOffset: int64(),
                deliveryState: int8(),
                deliveryCount: int16(),
              }),
            ),
          }),
        ),
      }),
    ),
  },
})

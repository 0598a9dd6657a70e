import { array, defineApi, int16, int32, int64, nullable, string, struct, uuid } from '../schema.ts'

/** ReadShareGroupStateSummary: the start offsets of share partitions. Between brokers. KIP-932. */
export const ReadShareGroupStateSummary = defineApi({
  key: 87,
  name: 'ReadShareGroupStateSummary',
  versions: [0, 1],
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
            leaderEpoch: int32(),
            startOffset: int64(),
            deliveryCompleteCount: int32().since(1).default(-1).ignorable(),
          }),
        ),
      }),
    ),
  },
})

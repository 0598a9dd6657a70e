import { array, defineApi, int16, int32, int64, nullable, string, struct } from '../schema.ts'

/** DescribeProducers: the active producers of partitions. KIP-664. */
export const DescribeProducers = defineApi({
  key: 61,
  name: 'DescribeProducers',
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    topics: array(
      struct({
        name: string(),
        partitionIndexes: array(int32()),
      }),
    ),
  },
  response: {
    throttleTimeMs: int32(),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            // UNKNOWN_TOPIC_OR_PARTITION · NOT_LEADER_OR_FOLLOWER · INVALID_TOPIC_EXCEPTION ·
            // TOPIC_AUTHORIZATION_FAILED
            errorCode: int16(),
            errorMessage: nullable(string()),
            activeProducers: array(
              struct({
                producerId: int64(),
                producerEpoch: int32(),
                lastSequence: int32().default(-1),
                lastTimestamp: int64().default(-1),
                coordinatorEpoch: int32(),
                currentTxnStartOffset: int64().default(-1),
              }),
            ),
          }),
        ),
      }),
    ),
  },
})

import { array, bool, defineApi, int8, int16, int32, int64, string, struct } from '../schema.ts'

/** WriteTxnMarkers: the transaction coordinator has markers appended. Between brokers. KIP-98. */
export const WriteTxnMarkers = defineApi({
  key: 27,
  name: 'WriteTxnMarkers',
  versions: [1, 2],
  flexibleFrom: 1,
  request: {
    markers: array(
      struct({
        producerId: int64(),
        producerEpoch: int16(),
        transactionResult: bool(),
        topics: array(
          struct({
            name: string(),
            partitionIndexes: array(int32()),
          }),
        ),
        coordinatorEpoch: int32(),
        transactionVersion: int8().since(2).ignorable(),
      }),
    ),
  },
  response: {
    markers: array(
      struct({
        producerId: int64(),
        topics: array(
          struct({
            name: string(),
            partitions: array(
              struct({
                partitionIndex: int32(),
                // UNKNOWN_TOPIC_OR_PARTITION · NOT_LEADER_OR_FOLLOWER · INVALID_PRODUCER_EPOCH ·
                // TRANSACTION_COORDINATOR_FENCED · CLUSTER_AUTHORIZATION_FAILED ·
                // KAFKA_STORAGE_ERROR
                errorCode: int16(),
              }),
            ),
          }),
        ),
      }),
    ),
  },
})

import { array, defineApi, int16, int32, int64, string, struct } from '../schema.ts'

/** DeleteRecords: deletes records before an offset. KIP-107. */
export const DeleteRecords = defineApi({
  key: 21,
  name: 'DeleteRecords',
  versions: [0, 2],
  flexibleFrom: 2,
  request: {
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            offset: int64(),
          }),
        ),
      }),
    ),
    timeoutMs: int32(),
  },
  response: {
    throttleTimeMs: int32(),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            lowWatermark: int64(),
            // OFFSET_OUT_OF_RANGE · UNKNOWN_TOPIC_OR_PARTITION · NOT_LEADER_OR_FOLLOWER ·
            // POLICY_VIOLATION · TOPIC_AUTHORIZATION_FAILED · KAFKA_STORAGE_ERROR
            errorCode: int16(),
          }),
        ),
      }),
    ),
  },
})

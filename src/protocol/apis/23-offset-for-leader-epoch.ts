import { array, defineApi, int16, int32, int64, string, struct } from '../schema.ts'

/** OffsetForLeaderEpoch: where the log of a leader epoch ends. KIP-101; v2 KIP-320 (current
 *  leader epoch); v3 replica id. */
export const OffsetForLeaderEpoch = defineApi({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: [2, 4],
  flexibleFrom: 4,
  request: {
    replicaId: int32().since(3).default(-2).ignorable(),
    topics: array(
      struct({
        topic: string(),
        partitions: array(
          struct({
            partition: int32(),
            currentLeaderEpoch: int32().default(-1),
            leaderEpoch: int32(),
          }),
        ),
      }),
    ),
  },
  response: {
    throttleTimeMs: int32(),
    topics: array(
      struct({
        topic: string(),
        partitions: array(
          struct({
            // UNKNOWN_TOPIC_OR_PARTITION · NOT_LEADER_OR_FOLLOWER · FENCED_LEADER_EPOCH ·
            // UNKNOWN_LEADER_EPOCH · TOPIC_AUTHORIZATION_FAILED · KAFKA_STORAGE_ERROR
            errorCode: int16(),
            partition: int32(),
            leaderEpoch: int32().default(-1),
            endOffset: int64().default(-1),
          }),
        ),
      }),
    ),
  },
})

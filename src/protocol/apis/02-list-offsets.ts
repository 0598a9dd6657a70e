import { array, defineApi, int8, int16, int32, int64, string, struct } from '../schema.ts'

/** ListOffsets: the offset of a time, or of a named place in the log. KIP-79; v2 KIP-98
 *  (isolation level); v4 KIP-320 (leader epochs); v7 KIP-734 (max timestamp); v8 KIP-405
 *  (earliest local); v9 KIP-1005 (latest tiered); v10 KIP-1075 (timeout); v11 KIP-1023
 *  (earliest pending upload). */
export const ListOffsets = defineApi({
  key: 2,
  name: 'ListOffsets',
  versions: [1, 11],
  flexibleFrom: 6,
  request: {
    replicaId: int32(),
    isolationLevel: int8().since(2),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            currentLeaderEpoch: int32().since(4).default(-1).ignorable(),
            timestamp: int64(),
          }),
        ),
      }),
    ),
    timeoutMs: int32().since(10).ignorable(),
  },
  response: {
    throttleTimeMs: int32().since(2).ignorable(),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            // UNKNOWN_TOPIC_OR_PARTITION · NOT_LEADER_OR_FOLLOWER ·
            // TOPIC_AUTHORIZATION_FAILED · FENCED_LEADER_EPOCH · UNKNOWN_LEADER_EPOCH ·
            // OFFSET_NOT_AVAILABLE · UNSUPPORTED_FOR_MESSAGE_FORMAT · UNSUPPORTED_VERSION ·
            // INVALID_REQUEST · KAFKA_STORAGE_ERROR
            errorCode: int16(),
            timestamp: int64().default(-1),
            offset: int64().default(-1),
            leaderEpoch: int32().since(4).default(-1),
          }),
        ),
      }),
    ),
  },
})

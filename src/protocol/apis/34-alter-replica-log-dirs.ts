import { array, defineApi, int16, int32, string, struct } from '../schema.ts'

/** AlterReplicaLogDirs: moves replicas between log directories. KIP-113. */
export const AlterReplicaLogDirs = defineApi({
  key: 34,
  name: 'AlterReplicaLogDirs',
  versions: [1, 2],
  flexibleFrom: 2,
  request: {
    dirs: array(
      struct({
        path: string(),
        topics: array(
          struct({
            name: string(),
            partitions: array(int32()),
          }),
        ),
      }),
    ),
  },
  response: {
    throttleTimeMs: int32(),
    results: array(
      struct({
        topicName: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            // LOG_DIR_NOT_FOUND · UNKNOWN_TOPIC_OR_PARTITION · CLUSTER_AUTHORIZATION_FAILED ·
            // KAFKA_STORAGE_ERROR
            errorCode: int16(),
          }),
        ),
      }),
    ),
  },
})

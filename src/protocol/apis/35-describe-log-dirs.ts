import { array, bool, defineApi, int16, int32, int64, nullable, string, struct } from '../schema.ts'

/** DescribeLogDirs: sizes of replicas by log directory. KIP-113; v4 KIP-827 (total and usable
 *  bytes). */
export const DescribeLogDirs = defineApi({
  key: 35,
  name: 'DescribeLogDirs',
  versions: [1, 5],
  flexibleFrom: 2,
  request: {
    topics: nullable(
      array(
        struct({
          topic: string(),
          partitions: array(int32()),
        }),
      ),
    ).default([]),
  },
  response: {
    throttleTimeMs: int32(),
    // CLUSTER_AUTHORIZATION_FAILED · KAFKA_STORAGE_ERROR
    errorCode: int16().since(3).ignorable(),
    results: array(
      struct({
        // CLUSTER_AUTHORIZATION_FAILED · KAFKA_STORAGE_ERROR
        errorCode: int16(),
        logDir: string(),
        topics: array(
          struct({
            name: string(),
            partitions: array(
              struct({
                partitionIndex: int32(),
                partitionSize: int64(),
                offsetLag: int64(),
                isFutureKey: bool(),
              }),
            ),
          }),
        ),
        totalBytes: int64().since(4).default(-1).ignorable(),
        usableBytes: int64().since(4).default(-1).ignorable(),
        isCordoned: bool().since(5).ignorable(),
      }),
    ),
  },
})

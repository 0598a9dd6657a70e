import { array, bool, defineApi, int16, int32, nullable, string, struct } from '../schema.ts'

/** AlterPartitionReassignments: starts and cancels reassignments. KIP-455; v1 KIP-860
 *  (replication factor). */
export const AlterPartitionReassignments = defineApi({
  key: 45,
  name: 'AlterPartitionReassignments',
  versions: [0, 1],
  flexibleFrom: 0,
  request: {
    timeoutMs: int32().default(60000),
    allowReplicationFactorChange: bool().since(1).default(true),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            replicas: nullable(array(int32())),
          }),
        ),
      }),
    ),
  },
  response: {
    throttleTimeMs: int32(),
    allowReplicationFactorChange: bool().since(1).default(true).ignorable(),
    // NO_REASSIGNMENT_IN_PROGRESS · INVALID_REPLICA_ASSIGNMENT ·
    // INVALID_REPLICATION_FACTOR · UNKNOWN_TOPIC_OR_PARTITION ·
    // CLUSTER_AUTHORIZATION_FAILED
    errorCode: int16(),
    errorMessage: nullable(string()).default(''),
    responses: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            // NO_REASSIGNMENT_IN_PROGRESS · INVALID_REPLICA_ASSIGNMENT ·
            // INVALID_REPLICATION_FACTOR · UNKNOWN_TOPIC_OR_PARTITION ·
            // CLUSTER_AUTHORIZATION_FAILED
            errorCode: int16(),
            errorMessage: nullable(string()).default(''),
          }),
        ),
      }),
    ),
  },
})

import { array, defineApi, int16, int32, nullable, string, struct } from '../schema.ts'

/** ListPartitionReassignments: the reassignments under way. KIP-455. */
export const ListPartitionReassignments = defineApi({
  key: 46,
  name: 'ListPartitionReassignments',
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    timeoutMs: int32().default(60000),
    topics: nullable(
      array(
        struct({
          name: string(),
          partitionIndexes: array(int32()),
        }),
      ),
    ),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(), // CLUSTER_AUTHORIZATION_FAILED
    errorMessage: nullable(string()).default(''),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            replicas: array(int32()),
            addingReplicas: array(int32()),
            removingReplicas: array(int32()),
          }),
        ),
      }),
    ),
  },
})

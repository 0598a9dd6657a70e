import { array, bool, defineApi, int16, int32, nullable, string, struct, uuid } from '../schema.ts'

/** Metadata: brokers, topics, partitions and their leaders. v4 a switch for automatic creation;
 *  v8 KIP-430 (authorized operations); v10 KIP-516 (topic ids); v11 KIP-700 (cluster operations
 *  moved to DescribeCluster); v13 KIP-1102 (rebootstrap). */
export const Metadata = defineApi({
  key: 3,
  name: 'Metadata',
  versions: [0, 13],
  flexibleFrom: 9,
  request: {
    topics: nullable(
      array(
        struct({
          topicId: uuid().since(10).ignorable(),
          name: nullable(string(), 10).default(''),
        }),
      ),
      1,
    ).default([]),
    allowAutoTopicCreation: bool().since(4).default(true),
    includeClusterAuthorizedOperations: bool().since(8).until(10),
    includeTopicAuthorizedOperations: bool().since(8),
  },
  response: {
    throttleTimeMs: int32().since(3).ignorable(),
    brokers: array(
      struct({
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: nullable(string()).since(1).ignorable(),
      }),
    ),
    clusterId: nullable(string()).since(2).ignorable(),
    controllerId: int32().since(1).default(-1).ignorable(),
    topics: array(
      struct({
        // UNKNOWN_TOPIC_OR_PARTITION · LEADER_NOT_AVAILABLE · INVALID_TOPIC_EXCEPTION ·
        // TOPIC_AUTHORIZATION_FAILED · UNKNOWN_TOPIC_ID · INVALID_REPLICATION_FACTOR
        errorCode: int16(),
        name: nullable(string(), 12).default(''),
        topicId: uuid().since(10).ignorable(),
        isInternal: bool().since(1).ignorable(),
        partitions: array(
          struct({
            // LEADER_NOT_AVAILABLE · REPLICA_NOT_AVAILABLE · LISTENER_NOT_FOUND
            errorCode: int16(),
            partitionIndex: int32(),
            leaderId: int32(),
            leaderEpoch: int32().since(7).default(-1).ignorable(),
            replicaNodes: array(int32()),
            isrNodes: array(int32()),
            offlineReplicas: array(int32()).since(5).ignorable(),
          }),
        ),
        topicAuthorizedOperations: int32().since(8).default(-2147483648),
      }),
    ),
    clusterAuthorizedOperations: int32().since(8).until(10).default(-2147483648),
    errorCode: int16().since(13).ignorable(), // REBOOTSTRAP_REQUIRED
  },
})

import {
  array,
  defineApi,
  int16,
  int32,
  int64,
  nullable,
  string,
  struct,
  uint16,
  uuid,
} from '../schema.ts'

const replicaState = struct({
  replicaId: int32(),
  replicaDirectoryId: uuid().since(2),
  logEndOffset: int64(),
  lastFetchTimestamp: int64().since(1).default(-1).ignorable(),
  lastCaughtUpTimestamp: int64().since(1).default(-1).ignorable(),
})

/** DescribeQuorum: the state of the metadata quorum. KIP-595; v1 KIP-836 (times of fetches); v2
 *  KIP-853 (directory ids and listeners). */
export const DescribeQuorum = defineApi({
  key: 55,
  name: 'DescribeQuorum',
  versions: [0, 2],
  flexibleFrom: 0,
  request: {
    topics: array(
      struct({
        topicName: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
          }),
        ),
      }),
    ),
  },
  response: {
    // UNKNOWN_TOPIC_OR_PARTITION · CLUSTER_AUTHORIZATION_FAILED
    errorCode: int16(),
    errorMessage: nullable(string()).since(2).default('').ignorable(),
    topics: array(
      struct({
        topicName: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            // UNKNOWN_TOPIC_OR_PARTITION · CLUSTER_AUTHORIZATION_FAILED
            errorCode: int16(),
            errorMessage: nullable(string()).since(2).default('').ignorable(),
            leaderId: int32(),
            leaderEpoch: int32(),
            highWatermark: int64(),
            currentVoters: array(replicaState),
            observers: array(replicaState),
          }),
        ),
      }),
    ),
    nodes: array(
      struct({
        nodeId: int32(),
        listeners: array(
          struct({
            name: string(),
            host: string(),
            port: uint16(),
          }),
        ),
      }),
    ).since(2),
  },
})

import {
  array,
  bool,
  defineApi,
  int16,
  int32,
  nullable,
  type ResponseOf,
  string,
  struct,
  uuid,
} from '../schema.ts'

/** DescribeTopicPartitions: topics and partitions, page by page. KIP-966. */
export const DescribeTopicPartitions = defineApi({
  key: 75,
  name: 'DescribeTopicPartitions',
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    topics: array(
      struct({
        name: string(),
      }),
    ),
    responsePartitionLimit: int32().default(2000),
    cursor: nullable(
      struct({
        topicName: string(),
        partitionIndex: int32(),
      }),
    ),
  },
  response: {
    throttleTimeMs: int32(),
    topics: array(
      struct({
        // UNKNOWN_TOPIC_OR_PARTITION · INVALID_TOPIC_EXCEPTION ·
        // TOPIC_AUTHORIZATION_FAILED
        errorCode: int16(),
        name: nullable(string()).default(''),
        topicId: uuid(),
        isInternal: bool(),
        partitions: array(
          struct({
            errorCode: int16(), // LEADER_NOT_AVAILABLE · LISTENER_NOT_FOUND
            partitionIndex: int32(),
            leaderId: int32(),
            leaderEpoch: int32().default(-1),
            replicaNodes: array(int32()),
            isrNodes: array(int32()),
            eligibleLeaderReplicas: nullable(array(int32())),
            lastKnownElr: nullable(array(int32())),
            offlineReplicas: array(int32()),
          }),
        ),
        topicAuthorizedOperations: int32().default(-2147483648),
      }),
    ),
    nextCursor: nullable(
      struct({
        topicName: string(),
        partitionIndex: int32(),
      }),
    ),
  },
})

export type DescribeTopicPartitionsResponse = ResponseOf<typeof DescribeTopicPartitions>

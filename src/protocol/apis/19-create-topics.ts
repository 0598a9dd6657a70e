import {
  array,
  bool,
  defineApi,
  int8,
  int16,
  int32,
  nullable,
  string,
  struct,
  uuid,
} from '../schema.ts'

/** CreateTopics: creates topics with partitions and settings. KIP-4; v4 KIP-464 (broker
 *  defaults); v5 KIP-525 (settings in the response); v7 KIP-516 (topic ids). */
export const CreateTopics = defineApi({
  key: 19,
  name: 'CreateTopics',
  versions: [2, 7],
  flexibleFrom: 5,
  request: {
    topics: array(
      struct({
        name: string(),
        numPartitions: int32(),
        replicationFactor: int16(),
        assignments: array(
          struct({
            partitionIndex: int32(),
            brokerIds: array(int32()),
          }),
        ),
        configs: array(
          struct({
            name: string(),
            value: nullable(string()).default(''),
          }),
        ),
      }),
    ),
    timeoutMs: int32().default(60000),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    topics: array(
      struct({
        name: string(),
        topicId: uuid().since(7).ignorable(),
        // TOPIC_ALREADY_EXISTS · INVALID_TOPIC_EXCEPTION · INVALID_PARTITIONS ·
        // INVALID_REPLICATION_FACTOR · INVALID_REPLICA_ASSIGNMENT · INVALID_CONFIG ·
        // INVALID_REQUEST · POLICY_VIOLATION · TOPIC_AUTHORIZATION_FAILED ·
        // CLUSTER_AUTHORIZATION_FAILED · THROTTLING_QUOTA_EXCEEDED · REQUEST_TIMED_OUT
        errorCode: int16(),
        errorMessage: nullable(string()).default(''),
        topicConfigErrorCode: int16().tag(0, 5).ignorable(), // TOPIC_AUTHORIZATION_FAILED
        numPartitions: int32().since(5).default(-1).ignorable(),
        replicationFactor: int16().since(5).default(-1).ignorable(),
        configs: nullable(
          array(
            struct({
              name: string(),
              value: nullable(string()).default(''),
              readOnly: bool(),
              configSource: int8().default(-1).ignorable(),
              isSensitive: bool(),
            }),
          ),
        )
          .since(5)
          .default([])
          .ignorable(),
      }),
    ),
  },
})

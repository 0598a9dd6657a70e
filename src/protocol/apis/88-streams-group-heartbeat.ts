import {
  array,
  bool,
  defineApi,
  int8,
  int16,
  int32,
  int64,
  nullable,
  string,
  struct,
  uint16,
} from '../schema.ts'

const keyValue = struct({
  key: string(),
  value: string(),
})

const topicInfo = struct({
  name: string(),
  partitions: int32(),
  replicationFactor: int16(),
  topicConfigs: array(keyValue),
})

const taskIds = struct({
  subtopologyId: string(),
  partitions: array(int32()),
})

const taskOffset = struct({
  subtopologyId: string(),
  partition: int32(),
  offset: int64(),
})

const topicPartition = struct({
  topic: string(),
  partitions: array(int32()),
})

/** StreamsGroupHeartbeat: a member of a streams group joins, stays and leaves. KIP-1071. */
export const StreamsGroupHeartbeat = defineApi({
  key: 88,
  name: 'StreamsGroupHeartbeat',
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    endpointInformationEpoch: int32(),
    instanceId: nullable(string()),
    rackId: nullable(string()),
    rebalanceTimeoutMs: int32().default(-1),
    topology: nullable(
      struct({
        epoch: int32(),
        subtopologies: array(
          struct({
            subtopologyId: string(),
            sourceTopics: array(string()),
            sourceTopicRegex: array(string()),
            stateChangelogTopics: array(topicInfo),
            repartitionSinkTopics: array(string()),
            repartitionSourceTopics: array(topicInfo),
            copartitionGroups: array(
              struct({
                sourceTopics: array(int16()),
                sourceTopicRegex: array(int16()),
                repartitionSourceTopics: array(int16()),
              }),
            ),
          }),
        ),
      }),
    ),
    activeTasks: nullable(array(taskIds)),
    standbyTasks: nullable(array(taskIds)),
    warmupTasks: nullable(array(taskIds)),
    processId: nullable(string()),
    userEndpoint: nullable(
      struct({
        host: string(),
        port: uint16(),
      }),
    ),
    clientTags: nullable(array(keyValue)),
    taskOffsets: nullable(array(taskOffset)),
    taskEndOffsets: nullable(array(taskOffset)),
    shutdownApplication: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
    // INVALID_REQUEST · UNKNOWN_MEMBER_ID · FENCED_MEMBER_EPOCH ·
    // GROUP_MAX_SIZE_REACHED · STREAMS_INVALID_TOPOLOGY ·
    // STREAMS_INVALID_TOPOLOGY_EPOCH · STREAMS_TOPOLOGY_FENCED ·
    // GROUP_AUTHORIZATION_FAILED · TOPIC_AUTHORIZATION_FAILED
    errorCode: int16(),
    errorMessage: nullable(string()),
    memberId: string(),
    memberEpoch: int32(),
    heartbeatIntervalMs: int32(),
    acceptableRecoveryLag: int32(),
    taskOffsetIntervalMs: int32(),
    status: nullable(
      array(
        struct({
          statusCode: int8(),
          statusDetail: string(),
        }),
      ),
    ).default([]),
    activeTasks: nullable(array(taskIds)),
    standbyTasks: nullable(array(taskIds)),
    warmupTasks: nullable(array(taskIds)),
    endpointInformationEpoch: int32(),
    partitionsByUserEndpoint: nullable(
      array(
        struct({
          userEndpoint: struct({
            host: string(),
            port: uint16(),
          }),
          activePartitions: array(topicPartition),
          standbyPartitions: array(topicPartition),
        }),
      ),
    ),
  },
})

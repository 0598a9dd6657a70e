import { array, defineApi, int16, int32, nullable, string, struct, uuid } from '../schema.ts'

/** ConsumerGroupHeartbeat: a member of a consumer group joins, stays and leaves. KIP-848; v1
 *  client-made member ids and regular expressions. */
export const ConsumerGroupHeartbeat = defineApi({
  key: 68,
  name: 'ConsumerGroupHeartbeat',
  versions: [0, 1],
  flexibleFrom: 0,
  request: {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    instanceId: nullable(string()),
    rackId: nullable(string()),
    rebalanceTimeoutMs: int32().default(-1),
    subscribedTopicNames: nullable(array(string())),
    subscribedTopicRegex: nullable(string()).since(1),
    serverAssignor: nullable(string()),
    topicPartitions: nullable(
      array(
        struct({
          topicId: uuid(),
          partitions: array(int32()),
        }),
      ),
    ),
  },
  response: {
    throttleTimeMs: int32(),
    // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
    // INVALID_REQUEST · UNKNOWN_MEMBER_ID · FENCED_MEMBER_EPOCH ·
    // UNSUPPORTED_ASSIGNOR · UNRELEASED_INSTANCE_ID · GROUP_MAX_SIZE_REACHED ·
    // INVALID_REGULAR_EXPRESSION · GROUP_AUTHORIZATION_FAILED ·
    // TOPIC_AUTHORIZATION_FAILED
    errorCode: int16(),
    errorMessage: nullable(string()),
    memberId: nullable(string()),
    memberEpoch: int32(),
    heartbeatIntervalMs: int32(),
    assignment: nullable(
      struct({
        topicPartitions: array(
          struct({
            topicId: uuid(),
            partitions: array(int32()),
          }),
        ),
      }),
    ),
  },
})

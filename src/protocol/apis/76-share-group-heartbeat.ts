import { array, defineApi, int16, int32, nullable, string, struct, uuid } from '../schema.ts'

/** ShareGroupHeartbeat: a member of a share group joins, stays and leaves. KIP-932. */
export const ShareGroupHeartbeat = defineApi({
  key: 76,
  name: 'ShareGroupHeartbeat',
  versions: [1, 1],
  flexibleFrom: 0,
  request: {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    rackId: nullable(string()),
    subscribedTopicNames: nullable(array(string())),
  },
  response: {
    throttleTimeMs: int32(),
    // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
    // INVALID_REQUEST · UNKNOWN_MEMBER_ID · FENCED_MEMBER_EPOCH ·
    // GROUP_MAX_SIZE_REACHED · GROUP_AUTHORIZATION_FAILED ·
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

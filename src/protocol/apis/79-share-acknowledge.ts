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
  uuid,
} from '../schema.ts'

/** ShareAcknowledge: acknowledges records of share partitions. KIP-932. */
export const ShareAcknowledge = defineApi({
  key: 79,
  name: 'ShareAcknowledge',
  versions: [1, 2],
  flexibleFrom: 0,
  request: {
    groupId: nullable(string()),
    memberId: nullable(string()).default(''),
    shareSessionEpoch: int32(),
    isRenewAck: bool().since(2),
    topics: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            acknowledgementBatches: array(
              struct({
                firstOffset: int64(),
                lastOffset: int64(),
                acknowledgeTypes: array(int8()),
              }),
            ),
          }),
        ),
      }),
    ),
  },
  response: {
    throttleTimeMs: int32(),
    // SHARE_SESSION_NOT_FOUND · INVALID_SHARE_SESSION_EPOCH · INVALID_REQUEST ·
    // GROUP_AUTHORIZATION_FAILED
    errorCode: int16(),
    errorMessage: nullable(string()),
    acquisitionLockTimeoutMs: int32().since(2).ignorable(),
    responses: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            // INVALID_RECORD_STATE · INVALID_REQUEST · UNKNOWN_TOPIC_OR_PARTITION ·
            // NOT_LEADER_OR_FOLLOWER · TOPIC_AUTHORIZATION_FAILED
            errorCode: int16(),
            errorMessage: nullable(string()),
            currentLeader: struct({
              leaderId: int32(),
              leaderEpoch: int32(),
            }),
          }),
        ),
      }),
    ),
    nodeEndpoints: array(
      struct({
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: nullable(string()),
      }),
    ),
  },
})

import {
  array,
  bool,
  defineApi,
  int8,
  int16,
  int32,
  int64,
  nullable,
  records,
  string,
  struct,
  uuid,
} from '../schema.ts'

/** ShareFetch: acquires records of share partitions and acknowledges others. KIP-932. */
export const ShareFetch = defineApi({
  key: 78,
  name: 'ShareFetch',
  versions: [1, 2],
  flexibleFrom: 0,
  request: {
    groupId: nullable(string()),
    memberId: nullable(string()).default(''),
    shareSessionEpoch: int32(),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32().default(0x7fffffff),
    maxRecords: int32(),
    batchSize: int32(),
    shareAcquireMode: int8().since(2).ignorable(),
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
    forgottenTopicsData: array(
      struct({
        topicId: uuid(),
        partitions: array(int32()),
      }),
    ),
  },
  response: {
    throttleTimeMs: int32(),
    // SHARE_SESSION_NOT_FOUND · INVALID_SHARE_SESSION_EPOCH ·
    // SHARE_SESSION_LIMIT_REACHED · INVALID_REQUEST · UNKNOWN_MEMBER_ID ·
    // GROUP_AUTHORIZATION_FAILED
    errorCode: int16(),
    errorMessage: nullable(string()),
    acquisitionLockTimeoutMs: int32(),
    responses: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            // UNKNOWN_TOPIC_OR_PARTITION · UNKNOWN_TOPIC_ID · NOT_LEADER_OR_FOLLOWER ·
            // TOPIC_AUTHORIZATION_FAILED · KAFKA_STORAGE_ERROR
            errorCode: int16(),
            errorMessage: nullable(string()),
            acknowledgeErrorCode: int16(), // INVALID_RECORD_STATE · INVALID_REQUEST
            acknowledgeErrorMessage: nullable(string()),
            currentLeader: struct({
              leaderId: int32(),
              leaderEpoch: int32(),
            }),
            records: records(),
            acquiredRecords: array(
              struct({
                firstOffset: int64(),
                lastOffset: int64(),
                deliveryCount: int16(),
              }),
            ),
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

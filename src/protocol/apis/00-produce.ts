import {
  array,
  defineApi,
  int16,
  int32,
  int64,
  nullable,
  records,
  string,
  struct,
  uuid,
} from '../schema.ts'

/** Produce: appends record batches to partitions. KIP-98 (v3: batches v2, transactions); v5
 *  log start offset; v7 KIP-110 (zstd); v8 KIP-467 (errors per record); v10 KIP-951
 *  (new leaders); v12 KIP-890 (implicit AddPartitionsToTxn); v13 KIP-516 (topic ids). */
export const Produce = defineApi({
  key: 0,
  name: 'Produce',
  versions: [3, 13],
  advertisedFrom: 0,
  flexibleFrom: 9,
  request: {
    transactionalId: nullable(string()),
    acks: int16(),
    timeoutMs: int32(),
    topicData: array(
      struct({
        name: string().until(12).ignorable(),
        topicId: uuid().since(13).ignorable(),
        partitionData: array(
          struct({
            index: int32(),
            records: nullable(records()),
          }),
        ),
      }),
    ),
  },
  response: {
    responses: array(
      struct({
        name: string().until(12).ignorable(),
        topicId: uuid().since(13).ignorable(),
        partitionResponses: array(
          struct({
            index: int32(),
            // CORRUPT_MESSAGE · UNKNOWN_TOPIC_OR_PARTITION · NOT_LEADER_OR_FOLLOWER ·
            // MESSAGE_TOO_LARGE · INVALID_TOPIC_EXCEPTION · RECORD_LIST_TOO_LARGE ·
            // NOT_ENOUGH_REPLICAS · NOT_ENOUGH_REPLICAS_AFTER_APPEND ·
            // INVALID_REQUIRED_ACKS · TOPIC_AUTHORIZATION_FAILED ·
            // CLUSTER_AUTHORIZATION_FAILED · TRANSACTIONAL_ID_AUTHORIZATION_FAILED ·
            // INVALID_TIMESTAMP · UNSUPPORTED_COMPRESSION_TYPE · INVALID_RECORD ·
            // OUT_OF_ORDER_SEQUENCE_NUMBER · DUPLICATE_SEQUENCE_NUMBER ·
            // INVALID_PRODUCER_EPOCH · UNKNOWN_PRODUCER_ID · INVALID_TXN_STATE ·
            // KAFKA_STORAGE_ERROR · UNKNOWN_TOPIC_ID
            errorCode: int16(),
            baseOffset: int64(),
            logAppendTimeMs: int64().default(-1),
            logStartOffset: int64().since(5).default(-1).ignorable(),
            recordErrors: array(
              struct({
                batchIndex: int32(),
                batchIndexErrorMessage: nullable(string()),
              }),
            )
              .since(8)
              .ignorable(),
            errorMessage: nullable(string()).since(8).ignorable(),
            currentLeader: struct({
              leaderId: int32().default(-1),
              leaderEpoch: int32().default(-1),
            }).tag(0, 10),
          }),
        ),
      }),
    ),
    throttleTimeMs: int32(),
    nodeEndpoints: array(
      struct({
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: nullable(string()),
      }),
    ).tag(0, 10),
  },
})

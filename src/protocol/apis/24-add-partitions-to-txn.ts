import { array, bool, defineApi, int16, int32, int64, string, struct } from '../schema.ts'

const addPartitionsToTxnTopic = struct({
  name: string(),
  partitions: array(int32()),
})

const addPartitionsToTxnTopicResult = struct({
  name: string(),
  resultsByPartition: array(
    struct({
      partitionIndex: int32(),
      // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
      // TRANSACTIONAL_ID_AUTHORIZATION_FAILED · INVALID_PRODUCER_ID_MAPPING ·
      // INVALID_TXN_STATE · PRODUCER_FENCED · CONCURRENT_TRANSACTIONS ·
      // TRANSACTION_ABORTABLE · UNKNOWN_TOPIC_OR_PARTITION ·
      // TOPIC_AUTHORIZATION_FAILED · OPERATION_NOT_ATTEMPTED · INVALID_PRODUCER_EPOCH
      partitionErrorCode: int16(),
    }),
  ),
})

/** AddPartitionsToTxn: partitions join a transaction. KIP-98; v4 KIP-890 (several transactions,
 *  verification between brokers). */
export const AddPartitionsToTxn = defineApi({
  key: 24,
  name: 'AddPartitionsToTxn',
  versions: [0, 5],
  flexibleFrom: 3,
  request: {
    transactions: array(
      struct({
        transactionalId: string(),
        producerId: int64(),
        producerEpoch: int16(),
        verifyOnly: bool(),
        topics: array(addPartitionsToTxnTopic),
      }),
    ).since(4),
    v3AndBelowTransactionalId: string().until(3),
    v3AndBelowProducerId: int64().until(3),
    v3AndBelowProducerEpoch: int16().until(3),
    v3AndBelowTopics: array(addPartitionsToTxnTopic).until(3),
  },
  response: {
    throttleTimeMs: int32(),
    // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
    // TRANSACTIONAL_ID_AUTHORIZATION_FAILED · INVALID_PRODUCER_ID_MAPPING ·
    // INVALID_TXN_STATE · PRODUCER_FENCED · CONCURRENT_TRANSACTIONS ·
    // TRANSACTION_ABORTABLE · UNKNOWN_TOPIC_OR_PARTITION ·
    // TOPIC_AUTHORIZATION_FAILED · OPERATION_NOT_ATTEMPTED · INVALID_PRODUCER_EPOCH
    errorCode: int16().since(4).ignorable(),
    resultsByTransaction: array(
      struct({
        transactionalId: string(),
        topicResults: array(addPartitionsToTxnTopicResult),
      }),
    ).since(4),
    resultsByTopicV3AndBelow: array(addPartitionsToTxnTopicResult).until(3),
  },
})

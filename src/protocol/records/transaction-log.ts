import {
  array,
  defineMessage,
  int8,
  int16,
  int32,
  int64,
  type MessageOf,
  nullable,
  string,
  struct,
} from '../schema.ts'
import { defineRecord } from './record.ts'

/** Key of TransactionLog. */
export const TransactionLogKey = defineMessage({
  name: 'TransactionLogKey',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    transactionalId: string(),
  },
})

/** Value of TransactionLog. */
export const TransactionLogValue = defineMessage({
  name: 'TransactionLogValue',
  versions: [0, 1],
  flexibleFrom: 1,
  fields: {
    producerId: int64(),
    previousProducerId: int64().tag(0, 1).default(-1),
    nextProducerId: int64().tag(1, 1).default(-1),
    producerEpoch: int16(),
    nextProducerEpoch: int16().tag(3, 1).default(-1),
    transactionTimeoutMs: int32(),
    transactionStatus: int8(),
    transactionPartitions: nullable(
      array(
        struct({
          topic: string(),
          partitionIds: array(int32()),
        }),
      ),
    ).default([]),
    transactionLastUpdateTimestampMs: int64(),
    transactionStartTimestampMs: int64(),
    clientTransactionVersion: int16().tag(2, 1),
  },
})

/** The state of a transactional id. KIP-98; v1 KIP-890. */
export const TransactionLog = defineRecord({
  type: 0,
  key: TransactionLogKey,
  value: TransactionLogValue,
})
/** Decoded. */
export type TransactionLogKey = MessageOf<typeof TransactionLogKey>
/** Decoded. */
export type TransactionLogValue = MessageOf<typeof TransactionLogValue>

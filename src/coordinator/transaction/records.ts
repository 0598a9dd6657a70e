/** Transactions as `__transaction_state` keeps them, in the form of Kafka 4.3. */
import { MalformedRequest } from '../../protocol/reader.ts'
import {
  TransactionLog,
  type TransactionLogKey,
  type TransactionLogValue,
} from '../../protocol/records/transaction-log.ts'
import { type CoordinatorRecord, recordOf } from '../runtime.ts'
import { NO_EPOCH, type Transaction, transactionStates } from './transaction.ts'

/** A record that brings with it what the log does not keep. */
interface LiveRecord extends CoordinatorRecord {
  readonly transaction?: Transaction
}

/** The record with which `transaction` takes the place of what was known of its id. */
export function transactionRecord(transaction: Transaction): CoordinatorRecord {
  const partitions = [...transaction.partitions].map(([topic, indexes]) => ({
    topic,
    partitionIds: [...indexes],
  }))
  const value: TransactionLogValue = {
    producerId: transaction.producerId,
    previousProducerId: transaction.previousProducerId,
    nextProducerId: transaction.nextProducerId,
    producerEpoch: transaction.producerEpoch,
    nextProducerEpoch: NO_EPOCH,
    transactionTimeoutMs: transaction.timeoutMs,
    transactionStatus: transactionStates.indexOf(transaction.state),
    transactionPartitions: transaction.state === 'Empty' ? null : partitions,
    transactionLastUpdateTimestampMs: transaction.updateMs,
    transactionStartTimestampMs: transaction.startMs,
    clientTransactionVersion: transaction.clientVersion,
  }
  const key = { transactionalId: transaction.transactionalId }
  const record: LiveRecord = { ...recordOf(TransactionLog, key, value), transaction }
  return record
}

/** The record with which a transactional id is forgotten. */
export function transactionTombstone(transactionalId: string): CoordinatorRecord {
  return recordOf(TransactionLog, { transactionalId }, null)
}

/**
 * What a record says of its id; null: it is forgotten. Throws MalformedRequest for a state that
 * nobody writes.
 */
export function readTransaction(record: CoordinatorRecord): {
  transactionalId: string
  transaction: Transaction | null
} {
  const { transactionalId } = record.key as TransactionLogKey
  const value = record.value as TransactionLogValue | null
  const { transaction } = record as LiveRecord
  if (value === null) return { transactionalId, transaction: null }
  if (transaction !== undefined) return { transactionalId, transaction }
  const state = transactionStates[value.transactionStatus]
  if (state === undefined) {
    throw new MalformedRequest(`a transaction in state ${value.transactionStatus}`)
  }
  const partitions = new Map(
    value.transactionPartitions?.map(({ topic, partitionIds }) => [topic, new Set(partitionIds)]),
  )
  return {
    transactionalId,
    transaction: {
      transactionalId,
      producerId: value.producerId,
      previousProducerId: value.previousProducerId,
      nextProducerId: value.nextProducerId,
      producerEpoch: value.producerEpoch,
      lastProducerEpoch: NO_EPOCH,
      timeoutMs: value.transactionTimeoutMs,
      state,
      partitions,
      startMs: value.transactionStartTimestampMs,
      updateMs: value.transactionLastUpdateTimestampMs,
      clientVersion: value.clientTransactionVersion,
    },
  }
}

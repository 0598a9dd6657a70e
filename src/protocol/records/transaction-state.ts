// The records of __transaction_state, by the type with which their keys begin.

import { type RecordSchema, recordsByType } from './record.ts'
import { TransactionLog } from './transaction-log.ts'

/** Every record of __transaction_state by type. */
export const transactionStateRecords: ReadonlyMap<number, RecordSchema> = recordsByType([
  TransactionLog,
])

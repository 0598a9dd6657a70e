/**
 * AddOffsetsToTxn 0-4 (KIP-98; v2 PRODUCER_FENCED, KIP-588).
 * Kept: the partition of the group's committed offsets joins the transaction; the group need not
 *   exist.
 */
import { AddOffsetsToTxn } from '../../protocol/apis/25-add-offsets-to-txn.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { defineHandler } from './handler.ts'
import { beforeFenced } from './transactions.ts'

export const addOffsetsToTxn = defineHandler(AddOffsetsToTxn, [0, 4], (request, exchange) => {
  exchange.context.callCoordinator({ kind: 'add-offsets-to-txn', ...request }, (answer) => {
    const errorCode = answer?.errorCode ?? ErrorCode.NOT_COORDINATOR
    exchange.reply({ errorCode: beforeFenced(errorCode, exchange.apiVersion >= 2) })
  })
})

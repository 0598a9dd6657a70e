/**
 * ListTransactions 0-2 (KIP-664; v1 duration, KIP-994; v2 pattern, KIP-1152).
 * Kept: states that nobody knows come back and match nothing; a pattern has RE2's syntax and has to
 *   fit the whole id.
 */
import { ListTransactions } from '../../protocol/apis/66-list-transactions.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { defineHandler } from './handler.ts'

export const listTransactions = defineHandler(ListTransactions, [0, 2], (request, exchange) => {
  exchange.context.callCoordinator({ kind: 'list-transactions', request }, (answer) => {
    exchange.reply(answer ?? { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE })
  })
})

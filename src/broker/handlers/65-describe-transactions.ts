/**
 * DescribeTransactions 0 (KIP-664).
 * Kept: the partitions of a transaction that is ending are told until all have their markers.
 */
import { DescribeTransactions } from '../../protocol/apis/65-describe-transactions.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { defineHandler } from './handler.ts'

export const describeTransactions = defineHandler(
  DescribeTransactions,
  [0, 0],
  (request, exchange) => {
    exchange.context.callCoordinator({ kind: 'describe-transactions', request }, (answer) => {
      const errorCode = ErrorCode.NOT_COORDINATOR
      const lost = () =>
        request.transactionalIds.map((transactionalId) => ({ transactionalId, errorCode }))
      exchange.reply(answer ?? { transactionStates: lost() })
    })
  },
)

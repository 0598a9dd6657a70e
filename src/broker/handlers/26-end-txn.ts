/**
 * EndTxn 0-5 (KIP-98; v2 PRODUCER_FENCED, KIP-588; v5 the producer's next epoch, KIP-890).
 * Kept: the answer leaves when the decision is logged, whatever becomes of the markers; a retry of
 *   the same end is answered in the same way, of the opposite INVALID_TXN_STATE. From version 5 on
 *   each end raises the epoch, and an abort may come before anything was added.
 */
import { EndTxn } from '../../protocol/apis/26-end-txn.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { defineHandler } from './handler.ts'
import { beforeFenced } from './transactions.ts'

/** From this version on each end raises the epoch. */
const EPOCH_BUMP_FROM = 5

export const endTxn = defineHandler(EndTxn, [0, 5], (request, exchange) => {
  const { apiVersion, context } = exchange
  const { transactionalId, producerId, producerEpoch, committed: commit } = request
  const clientVersion = apiVersion >= EPOCH_BUMP_FROM ? 2 : 0
  context.callCoordinator(
    { kind: 'end-txn', transactionalId, producerId, producerEpoch, commit, clientVersion },
    (answer) => {
      if (answer === undefined) exchange.reply({ errorCode: ErrorCode.NOT_COORDINATOR })
      else exchange.reply({ ...answer, errorCode: beforeFenced(answer.errorCode, apiVersion >= 2) })
    },
  )
})

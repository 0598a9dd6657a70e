/**
 * InitProducerId 0-5 (KIP-98; v3 KIP-360; v4 PRODUCER_FENCED, KIP-588).
 * Kept: without a transactional id a fresh producer id with epoch 0, never given out before, not
 *   even by an earlier run: each thread takes blocks of 1000 from the controller, and a restart
 *   skips what is left of a block. An empty transactional id, or only one of producer id and
 *   epoch, is INVALID_REQUEST; a transaction timeout outside its bounds
 *   INVALID_TRANSACTION_TIMEOUT. With a transactional id the epoch rises, and a transaction that is
 *   open is aborted first: CONCURRENT_TRANSACTIONS, until that is done.
 */
import { ProducerIds } from '../../actors/producer-ids.ts'
import { InitProducerId } from '../../protocol/apis/22-init-producer-id.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { BrokerContext } from '../context.ts'
import { defineHandler } from './handler.ts'
import { beforeFenced } from './transactions.ts'

export const initProducerId = defineHandler(InitProducerId, [0, 5], (request, exchange) => {
  const refuse = (errorCode: ErrorCode) => {
    exchange.reply({ errorCode, producerId: -1, producerEpoch: -1 })
  }
  const { transactionalId, transactionTimeoutMs, producerId, producerEpoch } = request
  if (transactionalId === '' || producerId < 0 !== producerEpoch < 0) {
    refuse(ErrorCode.INVALID_REQUEST)
    return
  }
  if (transactionalId === null) {
    producerIdsOf(exchange.context).take((taken) => {
      if (taken === undefined) refuse(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
      else exchange.reply({ producerId: taken, producerEpoch: 0 })
    })
    return
  }
  const timeoutMax = exchange.context.config['transaction.max.timeout.ms']
  if (transactionTimeoutMs <= 0 || transactionTimeoutMs > timeoutMax) {
    refuse(ErrorCode.INVALID_TRANSACTION_TIMEOUT)
    return
  }
  const of = { transactionalId, transactionTimeoutMs, producerId, producerEpoch }
  exchange.context.callCoordinator({ kind: 'init-transactional-id', ...of }, (answer) => {
    if (answer === undefined) refuse(ErrorCode.NOT_COORDINATOR)
    else {
      const errorCode = beforeFenced(answer.errorCode, exchange.apiVersion >= 4)
      exchange.reply({ ...answer, errorCode })
    }
  })
})

const byContext = new WeakMap<BrokerContext, ProducerIds>()

function producerIdsOf(context: BrokerContext): ProducerIds {
  let ids = byContext.get(context)
  if (!ids) {
    ids = new ProducerIds((command, answer) => context.callController(command, answer))
    byContext.set(context, ids)
  }
  return ids
}

/**
 * InitProducerId 0-5 (KIP-98; v3 KIP-360).
 * Kept: without a transactional id a fresh producer id with epoch 0, never given out before, not
 *   even by an earlier run: each thread takes blocks of 1000 from the controller, and a restart
 *   skips what is left of a block. An empty transactional id, or only one of producer id and
 *   epoch, is INVALID_REQUEST; a transaction timeout outside its bounds
 *   INVALID_TRANSACTION_TIMEOUT.
 * Differs: there is no transaction coordinator yet, so a transactional id is answered with
 *   COORDINATOR_NOT_AVAILABLE.
 */
import { InitProducerId } from '../../protocol/apis/22-init-producer-id.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { BrokerContext } from '../context.ts'
import { defineHandler } from './handler.ts'

export const initProducerId = defineHandler(InitProducerId, [0, 5], (request, exchange) => {
  const refuse = (errorCode: ErrorCode) => {
    exchange.reply({ errorCode, producerId: -1, producerEpoch: -1 })
  }
  if (request.transactionalId === '') {
    refuse(ErrorCode.INVALID_REQUEST)
    return
  }
  if (request.producerId < 0 !== request.producerEpoch < 0) {
    refuse(ErrorCode.INVALID_REQUEST)
    return
  }
  if (request.transactionalId !== null) {
    const timeoutMax = exchange.context.config['transaction.max.timeout.ms']
    const { transactionTimeoutMs } = request
    const timeoutFits = transactionTimeoutMs > 0 && transactionTimeoutMs <= timeoutMax
    refuse(
      timeoutFits ? ErrorCode.COORDINATOR_NOT_AVAILABLE : ErrorCode.INVALID_TRANSACTION_TIMEOUT,
    )
    return
  }
  producerIdsOf(exchange.context).take((producerId) => {
    if (producerId === undefined) refuse(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    else exchange.reply({ producerId, producerEpoch: 0 })
  })
})

const byContext = new WeakMap<BrokerContext, ProducerIds>()

function producerIdsOf(context: BrokerContext): ProducerIds {
  let ids = byContext.get(context)
  if (!ids) {
    ids = new ProducerIds(context)
    byContext.set(context, ids)
  }
  return ids
}

/**
 * The producer ids of one thread: a block at a time. `#waiting` is bounded by the connections, of
 * which each has one InitProducerId under way.
 */
class ProducerIds {
  readonly #context: BrokerContext
  #next = 0
  #end = 0
  #waiting: ((producerId: number | undefined) => void)[] = []

  constructor(context: BrokerContext) {
    this.#context = context
  }

  /** Hands an id that nobody else has to `answer`; undefined: no block could be had. */
  take(answer: (producerId: number | undefined) => void): void {
    if (this.#next < this.#end) {
      answer(this.#next++)
      return
    }
    this.#waiting.push(answer)
    if (this.#waiting.length === 1) this.#fetchBlock()
  }

  #fetchBlock(): void {
    this.#context.callController({ kind: 'allocate-producer-ids' }, (block) => {
      const waiting = this.#waiting
      this.#waiting = []
      if (block && block.count > 0) {
        this.#next = block.first
        this.#end = block.first + block.count
      }
      // Who finds the block used up already waits for the next one.
      for (const answer of waiting) {
        if (block && block.count > 0) this.take(answer)
        else answer(undefined)
      }
    })
  }
}

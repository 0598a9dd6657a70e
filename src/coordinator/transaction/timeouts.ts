/** Transactions that take too long, and transactional ids that nobody uses any more. */
import type { BrokerConfig } from '../../config/broker.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Turn } from '../runtime.ts'
import type { TransactionCoordinator } from './coordinator.ts'
import { transactionTombstone } from './records.ts'
import { isPrepared, type Transaction } from './transaction.ts'

/** A turn with this many records ends and another one goes on: a batch has to fit. */
const RECORDS_PER_TURN = 1000

/** Transactions of the turn's partition that are open for longer than their producers wanted. */
export function timedOut(coordinator: TransactionCoordinator, turn: Turn): Transaction[] {
  return [...coordinator.of(turn.partition)].filter(({ state, startMs, timeoutMs }) => {
    return state === 'Ongoing' && startMs + timeoutMs < turn.nowMs
  })
}

/** Whether a look for transactions that take too long may find one, now or later. */
export function hasOngoing(coordinator: TransactionCoordinator, partition: number): boolean {
  for (const { state } of coordinator.of(partition)) if (state === 'Ongoing') return true
  return false
}

/** Forgets the ids of the turn's partition that nobody used for long. */
export function expireIds(
  coordinator: TransactionCoordinator,
  turn: Turn,
  config: BrokerConfig,
): void {
  const expirationMs = config['transactional.id.expiration.ms']
  for (const one of coordinator.of(turn.partition)) {
    if (one.state === 'Ongoing' || isPrepared(one)) continue
    if (one.updateMs + expirationMs > turn.nowMs) continue
    turn.change(transactionTombstone(one.transactionalId))
    if (turn.records.length < RECORDS_PER_TURN) continue
    turn.followedBy((later, errorCode) => {
      if (errorCode === ErrorCode.NONE) expireIds(coordinator, later, config)
    })
    return
  }
}

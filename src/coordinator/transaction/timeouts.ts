/** Transactions that take too long, and transactional ids that nobody uses any more. */
import type { BrokerConfig } from '../../config/broker.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Turn } from '../runtime.ts'
import type { TransactionCoordinator } from './coordinator.ts'
import { transactionTombstone } from './records.ts'
import { isPrepared, type Transaction } from './transaction.ts'

/** A turn with this many records ends and another one goes on: a batch has to fit. */
const RECORDS_PER_TURN = 1000

interface Deadline {
  readonly partition: number
  readonly startMs: number
  /** Monotonic milliseconds. */
  readonly atMs: number
}

/**
 * When the time of ongoing transactions is over. The log has their start by the wall clock, which
 * is set, and jumps when a machine wakes up: it counts only for what began in an earlier life of
 * the coordinator.
 */
export class TransactionDeadlines {
  readonly #byId = new Map<string, Deadline>()

  /** Of a transaction that is ongoing; its time runs from the first call, or from before. */
  of({ transactionalId, startMs, timeoutMs }: Transaction, turn: Turn): number {
    const known = this.#byId.get(transactionalId)
    if (known?.startMs === startMs) return known.atMs
    const leftMs = Math.min(timeoutMs, Math.max(0, startMs + timeoutMs - turn.nowMs))
    const atMs = turn.monotonicMs + leftMs
    this.#byId.set(transactionalId, { partition: turn.partition, startMs, atMs })
    return atMs
  }

  /** The transaction has ended. */
  delete(transactionalId: string): void {
    this.#byId.delete(transactionalId)
  }

  /** A partition of the coordinator is gone. */
  forget(partition: number): void {
    for (const [id, deadline] of this.#byId) {
      if (deadline.partition === partition) this.#byId.delete(id)
    }
  }
}

/** Transactions of the turn's partition that are open for longer than their producers wanted. */
export function timedOut(
  coordinator: TransactionCoordinator,
  deadlines: TransactionDeadlines,
  turn: Turn,
): Transaction[] {
  return [...coordinator.of(turn.partition)].filter((one) => {
    return one.state === 'Ongoing' && deadlines.of(one, turn) < turn.monotonicMs
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

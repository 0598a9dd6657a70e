/**
 * Transactions as a pass over a log comes by them, in order of offsets: which data was aborted, and
 * which markers have no data left. Source: Kafka's CleanedTransactionMetadata.
 */

import { isTransactional, lastOffset, producerId, recordsCount } from '../protocol/record-batch.ts'
import { readMarker } from './marker.ts'
import type { AbortedTransaction } from './producer-state.ts'

/** Where a pass stands between two segments; crosses threads. */
export interface TransactionsState {
  /** Producers with data of a transaction that was not aborted and whose marker is to come. */
  readonly committed: readonly number[]
  /** Aborted transactions that were begun and whose marker is to come. */
  readonly aborted: readonly { readonly transaction: AbortedTransaction; readonly seen: boolean }[]
}

/** Before the first segment. */
export const NO_TRANSACTIONS: TransactionsState = { committed: [], aborted: [] }

export class CleanedTransactions {
  /** Last offsets of aborted transactions of which no data was left: nobody has to know them. */
  readonly gone: number[] = []
  readonly #committed: Set<number>
  readonly #aborted: Map<number, { transaction: AbortedTransaction; seen: boolean }>
  /** To come, by first offset. */
  readonly #ahead: readonly AbortedTransaction[]
  #next = 0

  /** `aborted`: those that overlap what is passed over, by their first offset. */
  constructor(state: TransactionsState, aborted: readonly AbortedTransaction[]) {
    this.#committed = new Set(state.committed)
    this.#aborted = new Map(
      state.aborted.map((one) => [one.transaction.producerId, { ...one }] as const),
    )
    this.#ahead = aborted
  }

  state(): TransactionsState {
    return { committed: [...this.#committed], aborted: [...this.#aborted.values()] }
  }

  // hot
  /** A data batch: true if it belongs to an aborted transaction. */
  onBatch(bytes: Buffer, at: number): boolean {
    this.#begin(lastOffset(bytes, at))
    if (!isTransactional(bytes, at)) return false
    const id = producerId(bytes, at)
    const aborted = this.#aborted.get(id)
    // An index that lags may name a transaction whose marker is gone: later ones are not meant.
    if (aborted === undefined || lastOffset(bytes, at) > aborted.transaction.lastOffset) {
      this.#aborted.delete(id)
      this.#committed.add(id)
      return false
    }
    aborted.seen = true
    return true
  }

  /** A control batch: true if it is a marker of a transaction of which no data came by. */
  onControlBatch(bytes: Buffer, at: number): boolean {
    this.#begin(lastOffset(bytes, at))
    // Emptied by an earlier round.
    if (recordsCount(bytes, at) === 0) return true
    const marker = readMarker(bytes, at)
    if (marker === undefined) return false
    const id = producerId(bytes, at)
    if (marker.commit) return !this.#committed.delete(id)
    const aborted = this.#aborted.get(id)
    this.#aborted.delete(id)
    if (aborted?.seen) return false
    if (aborted !== undefined) this.gone.push(aborted.transaction.lastOffset)
    return true
  }

  #begin(offset: number): void {
    for (;;) {
      const transaction = this.#ahead[this.#next]
      if (transaction === undefined || transaction.firstOffset > offset) return
      this.#next++
      const before = this.#aborted.get(transaction.producerId)
      if (before !== undefined && before.transaction.lastOffset > transaction.firstOffset) continue
      this.#aborted.set(transaction.producerId, { transaction, seen: false })
    }
  }
}

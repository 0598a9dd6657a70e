/** The state of the transaction coordinator: all transactional ids, by partition of its topic. */
import { partitionOfGroup } from '../group/registry.ts'
import type { CoordinatorMachine, CoordinatorRecord, ReplayOrigin, Turn } from '../runtime.ts'
import { readTransaction } from './records.ts'
import type { Transaction } from './transaction.ts'

/** Lives on the coordinator's thread; bounded by what is in the topic. */
export class TransactionCoordinator implements CoordinatorMachine {
  /** Partitions of `__transaction_state`; 0 while there is no such topic. */
  partitionCount = 0
  readonly #byPartition: Map<string, Transaction>[] = []
  readonly #onLoaded: (turn: Turn) => void
  readonly #onUnloaded: (partition: number) => void

  /** `onUnloaded`: who waits for something in the partition waits in vain. */
  constructor(onLoaded: (turn: Turn) => void, onUnloaded: (partition: number) => void) {
    this.#onLoaded = onLoaded
    this.#onUnloaded = onUnloaded
  }

  partitionOf(transactionalId: string): number {
    return partitionOfGroup(transactionalId, this.partitionCount)
  }

  get(transactionalId: string): Transaction | undefined {
    return this.#byPartition[this.partitionOf(transactionalId)]?.get(transactionalId)
  }

  /** Those that are kept in a partition; they may be changed while this is walked. */
  *of(partition: number): IterableIterator<Transaction> {
    yield* this.#byPartition[partition]?.values() ?? []
  }

  countOf(partition: number): number {
    return this.#byPartition[partition]?.size ?? 0
  }

  replay(record: CoordinatorRecord, { partition }: ReplayOrigin): void {
    const { transactionalId, transaction } = readTransaction(record)
    let ids = this.#byPartition[partition]
    if (ids === undefined) {
      ids = new Map()
      this.#byPartition[partition] = ids
    }
    if (transaction === null) ids.delete(transactionalId)
    else ids.set(transactionalId, transaction)
  }

  onTransactionEnd(): void {
    // Nobody writes here within transactions.
  }

  onLoaded(turn: Turn): void {
    this.#onLoaded(turn)
  }

  onUnloaded(partition: number): void {
    this.#byPartition[partition]?.clear()
    this.#onUnloaded(partition)
  }
}

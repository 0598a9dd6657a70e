/** Who waits until a transaction has ended, so that the next one may begin. */

interface Waiter {
  readonly partition: number
  readonly runs: (() => void)[]
}

/** Lives on the coordinator's thread; bounded by the connections: each has one request open. */
export class TransactionWaiters {
  readonly #byId = new Map<string, Waiter>()

  /** `run` is called once; true: nobody waited for this id before. */
  add(transactionalId: string, partition: number, run: () => void): boolean {
    const known = this.#byId.get(transactionalId)
    if (known !== undefined) {
      known.runs.push(run)
      return false
    }
    this.#byId.set(transactionalId, { partition, runs: [run] })
    return true
  }

  /** Runs all who wait for an id, in the order in which they came. */
  resume(transactionalId: string): void {
    const waiter = this.#byId.get(transactionalId)
    this.#byId.delete(transactionalId)
    for (const run of waiter?.runs ?? []) run()
  }

  /** Runs all who wait for ids of a partition. */
  resumeAll(partition: number): void {
    for (const [id, waiter] of [...this.#byId]) {
      if (waiter.partition === partition) this.resume(id)
    }
  }
}

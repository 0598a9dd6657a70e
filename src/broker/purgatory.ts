/**
 * Fetches that wait for partitions to advance. Pure: the shell wakes and times out. A waiter is
 * woken once for any number of partitions, then it looks again and may wait again.
 */

/** Somebody who waits. */
export interface Waiter {
  /** Durable numbers of the partitions waited for. */
  readonly slots: readonly number[]
  /** One of them advanced, or is gone. */
  wake(): void
}

/** All waiters of one thread by partition. */
export class Purgatory {
  readonly #bySlot = new Map<number, Set<Waiter>>()
  #count = 0

  /** Waiters that wait now. */
  get count(): number {
    return this.#count
  }

  add(waiter: Waiter): void {
    this.#count++
    for (const slot of waiter.slots) {
      const waiters = this.#bySlot.get(slot)
      if (waiters === undefined) this.#bySlot.set(slot, new Set([waiter]))
      else waiters.add(waiter)
    }
  }

  remove(waiter: Waiter): void {
    this.#count--
    for (const slot of waiter.slots) {
      const waiters = this.#bySlot.get(slot)
      waiters?.delete(waiter)
      if (waiters?.size === 0) this.#bySlot.delete(slot)
    }
  }

  /** Removes and wakes all who wait for `slot`. */
  wake(slot: number): void {
    const waiters = this.#bySlot.get(slot)
    if (waiters === undefined) return
    for (const waiter of [...waiters]) {
      this.remove(waiter)
      waiter.wake()
    }
  }
}

/** Timers of a coordinator by name: setting one again replaces it. Time comes in. */
import { TimerWheel, type WheelTimer } from '../base/timer-wheel.ts'
import type { Turn } from './runtime.ts'

/** What is to be done when a time has come, in a turn of its own. */
export interface TimedOperation {
  readonly key: string
  readonly partition: number
  run: (turn: Turn) => void
}

/** A timer that was set; whoever keeps it need not look for it. */
export type CoordinatorTimer = WheelTimer<TimedOperation>

export class CoordinatorTimers {
  readonly #wheel: TimerWheel<TimedOperation>
  readonly #byKey = new Map<string, CoordinatorTimer>()
  #earliestMs = Infinity

  /** `nowMs`: of a monotonic clock, as all times here. */
  constructor(nowMs: number) {
    this.#wheel = new TimerWheel(nowMs)
  }

  get size(): number {
    return this.#wheel.size
  }

  /** A time before which nothing is due; Infinity without timers. */
  get nextMs(): number {
    return this.#earliestMs
  }

  /** The timer `key` that is set; undefined: there is none. */
  get(key: string): CoordinatorTimer | undefined {
    return this.#byKey.get(key)
  }

  /** Sets or replaces the timer `key`. */
  set(
    key: string,
    partition: number,
    deadlineMs: number,
    run: (turn: Turn) => void,
  ): CoordinatorTimer {
    const known = this.#byKey.get(key)
    if (known !== undefined) {
      known.value.run = run
      this.move(known, deadlineMs)
      return known
    }
    this.#earliestMs = Math.min(this.#earliestMs, deadlineMs)
    const timer = this.#wheel.schedule(deadlineMs, { key, partition, run })
    this.#byKey.set(key, timer)
    return timer
  }

  /** Puts a timer off, or brings it forward; false: it has fired or was cancelled. */
  // hot
  move(timer: CoordinatorTimer, deadlineMs: number): boolean {
    if (!timer.isSet) return false
    this.#earliestMs = Math.min(this.#earliestMs, deadlineMs)
    this.#wheel.move(timer, deadlineMs)
    return true
  }

  /** Does nothing when there is no such timer. */
  cancel(key: string): void {
    const known = this.#byKey.get(key)
    if (known === undefined) return
    this.#byKey.delete(key)
    this.#wheel.cancel(known)
  }

  /** Cancels all timers of a partition. */
  cancelAll(partition: number): void {
    for (const [key, timer] of this.#byKey) {
      if (timer.value.partition === partition) this.cancel(key)
    }
  }

  /** Hands what is due to `fire`. */
  advance(nowMs: number, fire: (operation: TimedOperation) => void): void {
    this.#wheel.advance(nowMs, (operation) => {
      this.#byKey.delete(operation.key)
      fire(operation)
    })
    this.#earliestMs = this.#wheel.nextMs() ?? Infinity
  }
}

/** Timers of a coordinator by name: setting one again replaces it. Time comes in. */
import { TimerWheel, type WheelTimer } from '../base/timer-wheel.ts'
import type { Turn } from './runtime.ts'

/** What is to be done when a time has come, in a turn of its own. */
export interface TimedOperation {
  readonly key: string
  readonly partition: number
  run: (turn: Turn) => void
}

export class CoordinatorTimers {
  readonly #wheel: TimerWheel<TimedOperation>
  readonly #byKey = new Map<string, WheelTimer<TimedOperation>>()
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

  has(key: string): boolean {
    return this.#byKey.has(key)
  }

  /** Sets or replaces the timer `key`. */
  set(key: string, partition: number, deadlineMs: number, run: (turn: Turn) => void): void {
    this.#earliestMs = Math.min(this.#earliestMs, deadlineMs)
    const known = this.#byKey.get(key)
    if (known !== undefined) {
      known.value.run = run
      this.#wheel.move(known, deadlineMs)
      return
    }
    this.#byKey.set(key, this.#wheel.schedule(deadlineMs, { key, partition, run }))
  }

  /** Puts the timer `key` off, or brings it forward; false: there is none. */
  // hot
  move(key: string, deadlineMs: number): boolean {
    const known = this.#byKey.get(key)
    if (known === undefined) return false
    this.#earliestMs = Math.min(this.#earliestMs, deadlineMs)
    this.#wheel.move(known, deadlineMs)
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

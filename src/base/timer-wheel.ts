/**
 * A hierarchical timing wheel: setting, moving and cancelling a timer takes constant time, however
 * many there are. Time comes in; nothing here runs by itself. Source: Varghese and Lauck 1987.
 */

const TICK_MS = 10
const SLOTS = 256
const LEVELS = 4
const SPAN_TICKS = SLOTS ** LEVELS

/** A timer of a wheel; belongs to the wheel until it fires or is cancelled. */
export class WheelTimer<T> {
  readonly value: T
  /** Milliseconds of the wheel's clock. Moved by `TimerWheel.move` only. */
  deadlineMs: number
  /** The tick in whose slot the timer lies: of its deadline, or earlier when that was moved. */
  tick = 0
  /** Neighbours in the slot; undefined when the timer lies in none. */
  previous: Link<T> | undefined
  next: Link<T> | undefined

  constructor(value: T, deadlineMs: number) {
    this.value = value
    this.deadlineMs = deadlineMs
  }

  /** Whether it has neither fired nor been cancelled. */
  get isSet(): boolean {
    return this.next !== undefined
  }
}

interface Link<T> {
  previous: Link<T> | undefined
  next: Link<T> | undefined
}

/**
 * Timers carry a `value` each. A timer never fires before its deadline, and a tick late at most.
 */
export class TimerWheel<T> {
  /** Slots of all levels, as rings with a head that is no timer. */
  readonly #slots: Link<T>[] = []
  #tick: number
  #size = 0

  constructor(nowMs: number) {
    this.#tick = Math.floor(nowMs / TICK_MS)
    for (let i = 0; i < SLOTS * LEVELS; i++) {
      const head: Link<T> = { previous: undefined, next: undefined }
      head.previous = head
      head.next = head
      this.#slots.push(head)
    }
  }

  /** Timers that have neither fired nor been cancelled. */
  get size(): number {
    return this.#size
  }

  schedule(deadlineMs: number, value: T): WheelTimer<T> {
    const timer = new WheelTimer(value, deadlineMs)
    this.#size++
    this.#place(timer, this.#tick + 1)
    return timer
  }

  /** Gives a timer that has not fired a new deadline. A later one costs nothing. */
  move(timer: WheelTimer<T>, deadlineMs: number): void {
    const earlier = deadlineMs < timer.deadlineMs
    timer.deadlineMs = deadlineMs
    // A timer that lies too early finds its place again when its old tick comes.
    if (!earlier || timer.next === undefined) return
    unlink(timer)
    this.#place(timer, this.#tick + 1)
  }

  /** Does nothing to a timer that fired or was cancelled. */
  cancel(timer: WheelTimer<T>): void {
    if (timer.next === undefined) return
    unlink(timer)
    this.#size--
  }

  /** Fires what is due at `nowMs`, in the order of ticks. `fire` may set and cancel timers. */
  advance(nowMs: number, fire: (value: T) => void): void {
    const target = Math.floor(nowMs / TICK_MS)
    while (this.#tick < target) {
      if (this.#size === 0) {
        this.#tick = target
        return
      }
      this.#tick++
      this.#cascade()
      this.#expire(nowMs, fire)
    }
  }

  /** A time before which nothing is due; undefined without timers. */
  nextMs(): number | undefined {
    if (this.#size === 0) return undefined
    let next = Infinity
    for (let level = 0, unit = 1; level < LEVELS; level++, unit *= SLOTS) {
      const position = Math.floor(this.#tick / unit)
      for (let ahead = 1; ahead <= SLOTS; ahead++) {
        const head = this.#slots[level * SLOTS + ((position + ahead) % SLOTS)] as Link<T>
        if (head.next === head) continue
        next = Math.min(next, (position + ahead) * unit)
        break
      }
    }
    return next * TICK_MS
  }

  #place(timer: WheelTimer<T>, earliestTick: number): void {
    const wanted = Math.max(earliestTick, Math.ceil(timer.deadlineMs / TICK_MS))
    timer.tick = Math.min(wanted, this.#tick + SPAN_TICKS - 1)
    const ahead = timer.tick - this.#tick
    let level = 0
    let unit = 1
    while (ahead >= unit * SLOTS) {
      level++
      unit *= SLOTS
    }
    const slot = Math.floor(timer.tick / unit) % SLOTS
    link(this.#slots[level * SLOTS + slot] as Link<T>, timer)
  }

  /** Hands down what a coarser level holds for the ticks that begin now. */
  #cascade(): void {
    let unit = SLOTS
    for (let level = 1; level < LEVELS && this.#tick % unit === 0; level++, unit *= SLOTS) {
      const head = this.#slots[level * SLOTS + (Math.floor(this.#tick / unit) % SLOTS)] as Link<T>
      for (const timer of drain(head)) this.#place(timer, this.#tick)
    }
  }

  #expire(nowMs: number, fire: (value: T) => void): void {
    const head = this.#slots[this.#tick % SLOTS] as Link<T>
    // One at a time: what fires may cancel its neighbour.
    while (head.next !== head) {
      const timer = head.next as WheelTimer<T>
      unlink(timer)
      if (timer.deadlineMs > nowMs) {
        this.#place(timer, this.#tick + 1)
        continue
      }
      this.#size--
      fire(timer.value)
    }
  }
}

function link<T>(head: Link<T>, timer: Link<T>): void {
  const last = head.previous as Link<T>
  timer.previous = last
  timer.next = head
  last.next = timer
  head.previous = timer
}

function unlink<T>(timer: Link<T>): void {
  const { previous, next } = timer as { previous: Link<T>; next: Link<T> }
  previous.next = next
  next.previous = previous
  timer.previous = undefined
  timer.next = undefined
}

function drain<T>(head: Link<T>): WheelTimer<T>[] {
  const timers: WheelTimer<T>[] = []
  while (head.next !== head) {
    const timer = head.next as WheelTimer<T>
    unlink(timer)
    timers.push(timer)
  }
  return timers
}

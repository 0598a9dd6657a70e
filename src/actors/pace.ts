/** When work on segment files leaves the processor to those who serve clients. */

/**
 * A stretch of work, and the break behind it. Priorities alone do not bring a shard to the
 * processor at once: Linux lets whoever runs end a slice of some 3 ms first. Breaks as short as the
 * stretches were measured to be too short.
 */
const STRETCH_MS = 0.1
const BREAK_MS = 0.2
/** Where nobody touched a partition for so long, there is nobody to make room for. */
const QUIET_MS = 1000

/** Tells a task how long to pause, whenever it may. */
export interface Pace {
  // hot
  /** Milliseconds to sleep now; 0: work on. */
  pauseMs(): number
}

/** For work that nobody runs beside. */
export const WITHOUT_PAUSES: Pace = { pauseMs: () => 0 }

/** Pauses while clients read and write. Outlives tasks: it knows how it was before them. */
export class ConsideratePace implements Pace {
  readonly #monotonicMs: () => number
  readonly #accesses: () => number
  #pauseAtMs: number
  #quietAtMs: number
  #seen: number

  /** `accesses`: how often partitions were read and appended to so far, on any thread. */
  constructor(monotonicMs: () => number, accesses: () => number) {
    this.#monotonicMs = monotonicMs
    this.#accesses = accesses
    this.#seen = accesses()
    this.#pauseAtMs = this.#quietAtMs = monotonicMs()
  }

  // hot
  pauseMs(): number {
    const nowMs = this.#monotonicMs()
    if (nowMs < this.#pauseAtMs) return 0
    const accesses = this.#accesses()
    // Those who came while nobody asked may be gone: if not, they come again at once.
    const isNews = nowMs - this.#pauseAtMs < QUIET_MS
    if (isNews && accesses !== this.#seen) this.#quietAtMs = nowMs + QUIET_MS
    this.#seen = accesses
    const pauseMs = nowMs < this.#quietAtMs ? BREAK_MS : 0
    this.#pauseAtMs = nowMs + pauseMs + STRETCH_MS
    return pauseMs
  }
}

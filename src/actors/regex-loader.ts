/** Loads the engine of regular expressions with the first one: its tables take 15 ms to build. */
import type { RegexEngine } from '../coordinator/group/regex.ts'

export class RegexLoader {
  #engine: RegexEngine | undefined
  #waiting: (() => void)[] = []
  #loads = false

  /** undefined: not yet, but it is being loaded now. */
  engine(): RegexEngine | undefined {
    if (this.#engine === undefined) this.#load()
    return this.#engine
  }

  /** Runs `then` when the engine is there: now, or later and in order. */
  whenLoaded(then: () => void): void {
    if (this.#engine !== undefined) {
      then()
      return
    }
    this.#waiting.push(then)
    this.#load()
  }

  /** Runs `then` behind those that wait: now, where nobody does. */
  afterWaiting(then: () => void): void {
    if (this.#waiting.length === 0) then()
    else this.#waiting.push(then)
  }

  #load(): void {
    if (this.#loads) return
    this.#loads = true
    void import('./regex-engine.ts').then(({ regexEngine }) => {
      this.#engine = regexEngine
      const waiting = this.#waiting
      this.#waiting = []
      for (const then of waiting) then()
    })
  }
}

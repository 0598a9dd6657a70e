/**
 * Files whose bytes go after a while, when open reads are done. What is left when the storage is
 * closed goes at the next start, as after a crash: by then the files may be another broker's.
 */
import fs from 'node:fs'

/** The longest that a timer waits, in ms. */
const DELAY_MS_MAX = 0x7fffffff

/** Lives on the thread of its storage. */
export class Removals {
  readonly #timers = new Map<string, NodeJS.Timeout>()
  #closed = false

  /** Removes `file` after `delayMs`, counted from the last call. */
  later(file: string, delayMs: number): void {
    if (this.#closed) return
    clearTimeout(this.#timers.get(file))
    const timer = setTimeout(
      () => {
        this.#timers.delete(file)
        fs.rm(file, { force: true }, () => {})
      },
      Math.min(delayMs, DELAY_MS_MAX),
    )
    this.#timers.set(file, timer.unref())
  }

  /** Removes nothing more. */
  close(): void {
    this.#closed = true
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
  }
}

/**
 * Files whose bytes go after a while, when open reads are done, and directories whose bytes go in
 * the background. What is left when the storage is closed goes at the next start, as after a crash:
 * by then the files may be another broker's.
 */
import fs from 'node:fs'
import type { Log } from '../base/log.ts'

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

/**
 * Directories go one after the other. Many at once hold their parent locked, and whoever makes or
 * renames others there waits: a reset of 50 topics took 5 to 10 ms while the topics of the last one
 * were being removed, and takes 3 to 4.
 */
export class DirectoryRemovals {
  readonly #log: Log
  readonly #waiting: string[] = []
  #isRemoving = false
  #closed = false

  constructor(log: Log) {
    this.#log = log
  }

  add(directory: string): void {
    this.#waiting.push(directory)
    if (!this.#isRemoving) this.#next()
  }

  /** Begins with no other one. */
  close(): void {
    this.#closed = true
  }

  #next(): void {
    const directory = this.#closed ? undefined : this.#waiting.shift()
    this.#isRemoving = directory !== undefined
    if (directory === undefined) return
    fs.rm(directory, { recursive: true, force: true }, (error) => {
      if (error) {
        const fields = { directory, error: error.message }
        this.#log.warn('a deleted partition cannot be removed', fields)
      }
      this.#next()
    })
  }
}

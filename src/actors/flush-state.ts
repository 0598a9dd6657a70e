/**
 * What of one log is on the disk for sure, and how the rest gets there. Everything that was written
 * outlives the process; what was flushed outlives a loss of power.
 */
import { assert } from '../base/assert.ts'
import type { LogSegment } from './log-segment.ts'

/** What has to be known of the log whose segments are flushed. */
export interface FlushedLog {
  readonly activeSegment: LogSegment | undefined
  readonly logEndOffset: number
}

export class FlushState {
  readonly #log: FlushedLog
  /** Everything below was forced to the disk. */
  recoveryPoint = 0
  /**
   * Records appended since the last flush of the active segment, and when the first of them came.
   */
  unflushedMessages = 0
  unflushedSinceMs = 0
  /** Hears that the flush of a rolled segment failed: some records may be lost. */
  onRollFlushFailed: (error: Error) => void = () => {}
  /** Rolled segments that are not on the disk yet as far as we know, oldest first. */
  readonly #rolled = new Set<LogSegment>()

  constructor(log: FlushedLog) {
    this.#log = log
  }

  /**
   * The log was opened. What the process before this one wrote may not be on the disk yet, though
   * it was read back. `rolled`: all segments but the active one.
   */
  opened(rolled: readonly LogSegment[], logStartOffset: number, nowMs: number): void {
    const flushedTo = Math.max(this.recoveryPoint, logStartOffset)
    for (const segment of rolled) {
      if (segment.nextOffset > flushedTo) this.#rolled.add(segment)
    }
    this.unflushedMessages = Math.max(0, this.#log.logEndOffset - flushedTo)
    this.unflushedSinceMs = nowMs
  }

  // hot
  appended(messages: number, nowMs: number): void {
    if (this.unflushedMessages === 0) this.unflushedSinceMs = nowMs
    this.unflushedMessages += messages
  }

  /** A segment was closed: its bytes go to the disk behind the back, as do those that failed to. */
  rolled(segment: LogSegment): void {
    this.#rolled.add(segment)
    for (const one of this.#rolled) this.#flushRolled(one)
  }

  /** A segment is not of the log any more. */
  forget(segment: LogSegment): void {
    this.#rolled.delete(segment)
  }

  /** Forces everything to the disk before it returns. Throws StorageError. */
  flushNow(): void {
    for (const segment of this.#rolled) segment.file.syncNow()
    this.#rolled.clear()
    if (this.unflushedMessages > 0) this.#log.activeSegment?.file.syncNow()
    this.#flushed(this.#log.logEndOffset)
  }

  /**
   * Forces what was appended until now to the disk; `done` hears when it is there, or the error.
   */
  flush(done: (error: Error | undefined) => void): void {
    const end = this.#log.logEndOffset
    const active = this.#log.activeSegment
    assert(active !== undefined, 'what is flushed was appended')
    let waiting = 1 + this.#rolled.size
    let failure: Error | undefined
    const one = (error: Error | undefined) => {
      failure ??= error
      waiting--
      if (waiting > 0) return
      if (failure === undefined) this.#flushed(end)
      done(failure)
    }
    // An older segment may still be on its way: records are only safe when all before them are.
    for (const segment of this.#rolled) segment.file.sync(one)
    active.file.sync(one)
  }

  #flushed(offset: number): void {
    this.recoveryPoint = Math.max(this.recoveryPoint, offset)
    this.unflushedMessages = Math.min(this.unflushedMessages, this.#log.logEndOffset - offset)
  }

  #flushRolled(segment: LogSegment): void {
    segment.file.sync((error) => {
      if (error !== undefined) {
        this.onRollFlushFailed(error)
        return
      }
      this.#rolled.delete(segment)
      const [oldest = this.#log.activeSegment] = this.#rolled
      this.recoveryPoint = Math.max(this.recoveryPoint, oldest?.baseOffset ?? 0)
    })
  }
}

/**
 * Appends whose answers wait for the disk: one flush at a time, and whoever comes meanwhile shares
 * the next one. Lives with its partition, on that partition's thread.
 */
import type { PartitionLog } from './partition-log.ts'
import type { AppendResult, AppendSink } from './partition-requests.ts'

interface Waiting {
  readonly sink: AppendSink
  readonly tag: number
  readonly result: AppendResult
  /** Log end offset that has to be on the disk. */
  readonly end: number
}

/** Bounded by the requests that are under way. */
export class FlushQueue {
  readonly #log: PartitionLog
  readonly #failed: (error: Error) => void
  readonly #waiting: Waiting[] = []
  #flushing = false

  /** `failed`: a flush failed; nobody knows what reached the disk. */
  constructor(log: PartitionLog, failed: (error: Error) => void) {
    this.#log = log
    this.#failed = failed
  }

  /** Answers with `result` when all that is in the log now is on the disk. */
  add(sink: AppendSink, tag: number, result: AppendResult): void {
    this.#waiting.push({ sink, tag, result, end: this.#log.logEndOffset })
    this.flush()
  }

  /** Begins a flush, unless one is under way. */
  flush(): void {
    if (this.#flushing) return
    const end = this.#log.logEndOffset
    this.#flushing = true
    this.#log.flushState.flush((error) => {
      this.#flushing = false
      if (error !== undefined) this.#failed(error)
      else this.#answer(end)
      if (this.#waiting.length > 0) this.flush()
    })
  }

  /** Answers all who wait with a failure. */
  failAll(failure: AppendResult): void {
    for (const { sink, tag } of this.#waiting.splice(0)) sink.onAppended(tag, failure)
  }

  #answer(end: number): void {
    for (;;) {
      const first = this.#waiting[0]
      if (first === undefined || first.end > end) return
      this.#waiting.shift()
      first.sink.onAppended(first.tag, first.result)
    }
  }
}

/** Reads the batches of segments for a task, no faster than the task may. */
import { plausibleLength } from '../log/recovery.ts'
import type { Stretch } from '../log/stretches.ts'
import {
  baseOffset,
  CRC_FROM,
  type Crc32c,
  crc as crcOf,
  lastOffset,
  RECORD_BATCH_OVERHEAD,
} from '../protocol/record-batch.ts'
import type { CleaningFiles } from '../storage/storage.ts'
import type { Task, TaskSegment } from './mailbox/task.ts'
import type { Pace } from './pace.ts'

/** What a reader works with. */
export interface ReaderTools {
  readonly crc32c: Crc32c
  readonly monotonicMs: () => number
  readonly pace: Pace
}

/** The task is not wanted any more. */
export class Aborted extends Error {}

/** The bytes of a segment are not whole batches. */
export class Damaged extends Error {}

const NOTHING: Buffer = Buffer.alloc(0)

export class SegmentReader {
  /** Where the last batch begins in its segment. */
  position = 0
  readonly #task: Task
  readonly #files: CleaningFiles
  readonly #crc32c: Crc32c
  readonly #monotonicMs: () => number
  readonly #pace: Pace
  readonly #abort: Int32Array
  readonly #startedMs: number
  readonly #checkedFrom: number
  #bytes = 0
  #segment: TaskSegment = { baseOffset: 0, size: 0 }
  /** Stretches that are left out, and the next of them. */
  #dead: readonly Stretch[] = []
  #nextDead = 0
  /** No batch to come begins below it. */
  #minOffset = 0
  #buffer: Buffer
  /** What was read last, where it stands in the segment, and how far it was shown. */
  #window = NOTHING
  #windowAt = 0
  #at = 0
  /** No read goes beyond it. */
  #end = 0

  constructor(task: Task, files: CleaningFiles, tools: ReaderTools) {
    this.#task = task
    this.#files = files
    this.#crc32c = tools.crc32c
    this.#monotonicMs = tools.monotonicMs
    this.#pace = tools.pace
    this.#abort = new Int32Array(task.abort)
    this.#startedMs = tools.monotonicMs()
    this.#checkedFrom = task.checkedFrom
    this.#buffer = Buffer.allocUnsafe(Math.max(task.bufferBytes, RECORD_BATCH_OVERHEAD))
  }

  /** Begins with the batch at `from` of `segment`; leaves out what is `dead`, in its order. */
  open(segment: TaskSegment, from: number, dead: readonly Stretch[] = []): void {
    this.#segment = segment
    this.#dead = dead
    this.#nextDead = 0
    this.#minOffset = segment.baseOffset
    this.#window = NOTHING
    this.#windowAt = from
    this.#at = 0
  }

  // hot
  /**
   * The next batch, valid until the next call, or `undefined` at the end of the segment. Throws
   * Damaged and Aborted.
   */
  next(): Buffer | undefined {
    for (;;) {
      const batch = this.#inWindow()
      if (batch !== undefined) return batch
      if (!this.#advance()) return undefined
    }
  }

  /** Bytes that count for the limit; waits when it is exceeded. Throws Aborted. */
  account(bytes: number): void {
    this.#bytes += bytes
    const dueMs = this.#startedMs + (this.#bytes / this.#task.bytesPerSecondMax) * 1000
    const aheadMs = dueMs - this.#monotonicMs()
    if (aheadMs > 1) Atomics.wait(this.#abort, 0, 0, aheadMs)
    if (Atomics.load(this.#abort, 0) !== 0) throw new Aborted()
  }

  // hot
  /** The next batch, if it is in memory as a whole. */
  #inWindow(): Buffer | undefined {
    const window = this.#window
    const at = this.#at
    const here = window.length - at
    const left = this.#end - this.#windowAt - at
    if (here === 0 || (here < RECORD_BATCH_OVERHEAD && here < left)) return undefined
    const length = plausibleLength(window, at, left, this.#minOffset)
    if (length < 0) throw this.#damaged(at)
    if (length > here) return undefined
    const pauseMs = this.#pace.pauseMs()
    if (pauseMs > 0) Atomics.wait(this.#abort, 0, 0, pauseMs)
    const isChecked = baseOffset(window, at) >= this.#checkedFrom
    if (!isChecked && this.#crcAt(at, length) !== crcOf(window, at)) throw this.#damaged(at)
    this.#minOffset = lastOffset(window, at) + 1
    this.position = this.#windowAt + at
    this.#at = at + length
    return window.subarray(at, at + length)
  }

  #crcAt(at: number, length: number): number {
    return this.#crc32c(this.#window.subarray(at + CRC_FROM, at + length))
  }

  /** Reads on; false: there is nothing more. */
  #advance(): boolean {
    if (this.#at === 0 && this.#window.length > 0) this.#enlarge()
    this.#windowAt += this.#at
    this.#at = 0
    let dead = this.#dead[this.#nextDead]
    for (; dead?.position === this.#windowAt; dead = this.#dead[++this.#nextDead]) {
      this.#windowAt = dead.end
      this.#minOffset = dead.lastOffset + 1
    }
    this.#window = NOTHING
    if (this.#windowAt >= this.#segment.size) return false
    this.#end = dead?.position ?? this.#segment.size
    const wanted = Math.min(this.#buffer.length, this.#end - this.#windowAt)
    const n = this.#files.read(this.#segment.baseOffset, this.#buffer, wanted, this.#windowAt)
    if (n < wanted) throw this.#damaged(n)
    this.account(n)
    this.#window = this.#buffer.subarray(0, n)
    return true
  }

  /** One batch is larger than the buffer. */
  #enlarge(): void {
    const left = this.#end - this.#windowAt
    const length = plausibleLength(this.#window, 0, left, this.#minOffset)
    if (length < this.#window.length) throw this.#damaged(0)
    this.#buffer = Buffer.allocUnsafe(length)
  }

  #damaged(at: number): Damaged {
    const { baseOffset: base } = this.#segment
    return new Damaged(`segment ${base} holds no whole batch at position ${this.#windowAt + at}`)
  }
}

/**
 * Index entries of one partition that are not in the index yet: they are written in one transaction
 * every second or so, off the way of the append, and looked up here until that transaction holds.
 */
import type { AbortedTransaction } from '../log/producer-state.ts'
import type { IndexEntry, IndexUpdate, SegmentRewrite, SegmentSummary } from '../storage/storage.ts'

/** What a journal gives to one index transaction. */
type Taken = Pick<
  IndexUpdate,
  'clear' | 'rewrites' | 'entries' | 'summaries' | 'aborted' | 'abortedRemoved' | 'segmentsRemoved'
>

export class IndexJournal {
  /** Ascending by offset: first those being written, then those that wait. */
  entries: IndexEntry[] = []
  #writing = 0
  summaries: SegmentSummary[] = []
  aborted: AbortedTransaction[] = []
  abortedRemoved: number[] = []
  segmentsRemoved: number[] = []
  /** Segments that compaction wrote. */
  rewrites: SegmentRewrite[] = []
  clear = false
  #abortedWriting: AbortedTransaction[] = []

  /** Whether anything waits to be written. */
  get isEmpty(): boolean {
    return (
      this.entries.length === this.#writing &&
      this.summaries.length === 0 &&
      this.aborted.length === 0 &&
      this.abortedRemoved.length === 0 &&
      this.rewrites.length === 0 &&
      this.segmentsRemoved.length === 0 &&
      !this.clear
    )
  }

  /** The entry here with the greatest offset not above `offset`, or `undefined`: ask the index. */
  floor(offset: number): IndexEntry | undefined {
    return floorIn(this.entries, offset)
  }

  /** Aborted transactions not in the index yet. */
  pendingAborted(): AbortedTransaction[] {
    return this.#abortedWriting.length === 0
      ? this.aborted
      : [...this.#abortedWriting, ...this.aborted]
  }

  /** Takes what waits, for one transaction; it stays visible until `written`. */
  take(): Taken {
    const taken = {
      rewrites: this.rewrites,
      entries: this.entries.slice(this.#writing),
      summaries: this.summaries,
      aborted: this.aborted,
      abortedRemoved: this.abortedRemoved,
      segmentsRemoved: this.segmentsRemoved,
      clear: this.clear,
    }
    this.#writing = this.entries.length
    this.#abortedWriting = [...this.#abortedWriting, ...this.aborted]
    this.rewrites = []
    this.summaries = []
    this.aborted = []
    this.abortedRemoved = []
    this.segmentsRemoved = []
    this.clear = false
    return taken
  }

  /** Forgets what waits of a segment that was removed. */
  forgetSegment(base: number): void {
    const waiting = this.entries.splice(this.#writing)
    this.entries.push(...waiting.filter((entry) => entry.segmentBase !== base))
    this.summaries = this.summaries.filter((summary) => summary.baseOffset !== base)
  }

  /** The transaction that `taken` was for failed: all of it waits again. */
  failed(taken: Taken): void {
    this.#writing -= taken.entries.length
    this.#abortedWriting.splice(0, taken.aborted.length)
    this.aborted = [...taken.aborted, ...this.aborted]
    this.summaries = [...taken.summaries, ...this.summaries]
    this.abortedRemoved = [...taken.abortedRemoved, ...this.abortedRemoved]
    this.rewrites = [...taken.rewrites, ...this.rewrites]
    this.segmentsRemoved = [...taken.segmentsRemoved, ...this.segmentsRemoved]
    this.clear ||= taken.clear
  }

  /** The transaction of the last `take` holds: its entries are found in the index from now on. */
  written(count: number, aborted: number): void {
    this.entries.splice(0, count)
    this.#writing -= count
    this.#abortedWriting.splice(0, aborted)
  }
}

/** The entry of `entries` (ascending) with the greatest offset not above `offset`. */
export function floorIn(entries: readonly IndexEntry[], offset: number): IndexEntry | undefined {
  let low = 0
  let high = entries.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    if ((entries[middle] as IndexEntry).offset <= offset) low = middle + 1
    else high = middle - 1
  }
  return entries[high]
}

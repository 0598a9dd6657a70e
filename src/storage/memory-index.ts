/** The offset index in memory. Transactions hold in the order in which they were written. */
import type { AbortedTransaction, ProducerEntry } from '../log/producer-state.ts'
import type {
  IndexEntry,
  IndexedPartition,
  IndexUpdate,
  OffsetIndex,
  SegmentSummary,
} from './storage.ts'

/** What the index holds of one partition. */
interface Indexed {
  checkpoint: IndexUpdate['checkpoint']
  /** Ascending by offset. */
  entries: IndexEntry[]
  summaries: Map<number, SegmentSummary>
  /** By last offset. */
  aborted: Map<number, AbortedTransaction>
  producers: Map<number, ProducerEntry>
  epochs: IndexedPartition['epochs']
}

/** What holds, by slot: it outlives the index that was opened over it. */
export type IndexShelf = Map<number, Indexed>

export class MemoryOffsetIndex implements OffsetIndex {
  readonly #shelf: IndexShelf
  readonly #defer: (then: () => void) => void
  readonly #problem: (slots: string) => Error | undefined
  readonly #waiting: (() => void)[] = []

  /** `problem`: asked for each transaction, with its slots; its error is the transaction's end. */
  constructor(
    shelf: IndexShelf,
    defer: (then: () => void) => void,
    problem: (slots: string) => Error | undefined,
  ) {
    this.#shelf = shelf
    this.#defer = defer
    this.#problem = problem
  }

  load(slot: number): IndexedPartition | undefined {
    const found = this.#shelf.get(slot)
    if (found === undefined) return undefined
    return structuredClone({
      checkpoint: found.checkpoint,
      summaries: [...found.summaries.values()].sort((a, b) => a.baseOffset - b.baseOffset),
      producers: [...found.producers.values()],
      epochs: found.epochs,
    })
  }

  floor(slot: number, offset: number): IndexEntry | undefined {
    const entries = this.#shelf.get(slot)?.entries ?? []
    let low = 0
    let high = entries.length - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      if ((entries[middle] as IndexEntry).offset <= offset) low = middle + 1
      else high = middle - 1
    }
    return entries[high]
  }

  aborted(slot: number, fromOffset: number, toOffset: number): AbortedTransaction[] {
    const all = [...(this.#shelf.get(slot)?.aborted.values() ?? [])]
    return all
      .filter((one) => one.lastOffset >= fromOffset && one.firstOffset < toOffset)
      .sort((a, b) => a.lastOffset - b.lastOffset)
  }

  write(updates: readonly IndexUpdate[], done: (error: Error | undefined) => void): void {
    // The partitions go on changing what they handed over.
    const taken = structuredClone(updates)
    this.#later(() => {
      const error = this.#problem(taken.map((one) => one.slot).join())
      if (error === undefined) for (const update of taken) this.#apply(update)
      done(error)
    })
  }

  remove(slots: readonly number[]): void {
    const gone = [...slots]
    this.#later(() => {
      for (const slot of gone) this.#shelf.delete(slot)
    })
  }

  slots(): number[] {
    return [...this.#shelf.keys()].sort((a, b) => a - b)
  }

  async close(): Promise<void> {
    while (this.#waiting.length > 0) this.#waiting.shift()?.()
  }

  /** Runs `then` later, but in the order of the calls, whatever the order of what is deferred. */
  #later(then: () => void): void {
    this.#waiting.push(then)
    this.#defer(() => this.#waiting.shift()?.())
  }

  #apply(update: IndexUpdate): void {
    if (update.clear) this.#shelf.delete(update.slot)
    let at = this.#shelf.get(update.slot)
    if (at === undefined) {
      at = {
        checkpoint: update.checkpoint,
        entries: [],
        summaries: new Map(),
        aborted: new Map(),
        producers: new Map(),
        epochs: [],
      }
      this.#shelf.set(update.slot, at)
    }
    for (const { bases, entries } of update.rewrites) {
      for (const base of bases) forget(at, base)
      at.entries = merged(at.entries, entries)
    }
    for (const base of update.segmentsRemoved) forget(at, base)
    if (update.entries.length > 0) at.entries = merged(at.entries, update.entries)
    for (const summary of update.summaries) at.summaries.set(summary.baseOffset, summary)
    for (const aborted of update.aborted) at.aborted.set(aborted.lastOffset, aborted)
    for (const offset of update.abortedRemoved) at.aborted.delete(offset)
    for (const id of update.producersRemoved) at.producers.delete(id)
    for (const producer of update.producers) at.producers.set(producer.producerId, producer)
    if (update.epochs !== undefined) at.epochs = [...update.epochs]
    at.checkpoint = update.checkpoint
  }
}

/** Drops what is known of a segment. */
function forget(at: Indexed, base: number): void {
  at.summaries.delete(base)
  at.entries = at.entries.filter((entry) => entry.segmentBase !== base)
}

/** Both together, ascending; where an offset is in both the added entry stays. */
function merged(before: readonly IndexEntry[], added: readonly IndexEntry[]): IndexEntry[] {
  const byOffset = new Map(before.map((entry) => [entry.offset, entry]))
  for (const entry of added) byOffset.set(entry.offset, entry)
  return [...byOffset.values()].sort((a, b) => a.offset - b.offset)
}

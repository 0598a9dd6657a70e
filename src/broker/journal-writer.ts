/**
 * Writes the index journals of one thread's partitions, those of all that changed in one
 * transaction. Lives on that thread.
 */
import type { Partition } from '../actors/partition.ts'
import type { Log } from '../base/log.ts'
import type { IndexUpdate, OffsetIndex } from '../storage/storage.ts'
import { StorageError } from '../storage/storage-error.ts'

/** What a writer needs of its thread. */
export interface JournalParts {
  readonly index: OffsetIndex
  readonly log: Log
  /** Whether the partition is still this thread's. */
  owns(partition: Partition): boolean
}

export class JournalWriter {
  readonly #parts: JournalParts
  readonly #dirty = new Set<Partition>()
  #writing = 0
  #onWritten: (() => void) | undefined

  constructor(parts: JournalParts) {
    this.#parts = parts
  }

  /** The partition has something to write, or to flush. */
  add(partition: Partition): void {
    this.#dirty.add(partition)
  }

  delete(partition: Partition): void {
    this.#dirty.delete(partition)
  }

  /** Work of the clock: flushes what is due. */
  onTick(nowMs: number): void {
    for (const partition of this.#dirty) partition.onTick(nowMs)
  }

  /**
   * Writes what changed, unless a transaction is under way: what that leaves waits for the next.
   */
  write(): void {
    if (this.#writing === 0) this.#write(() => {})
  }

  /** Writes everything; resolves when it holds. */
  async close(): Promise<void> {
    // A transaction that fails gives back what it held, for the last one to write.
    if (this.#writing > 0) await new Promise<void>((resolve) => (this.#onWritten = resolve))
    await new Promise<void>((resolve) => this.#write(resolve))
  }

  #write(done: () => void): void {
    const updates: { partition: Partition; update: IndexUpdate }[] = []
    for (const partition of this.#dirty) {
      const update = partition.log.takeIndexUpdate()
      if (update !== undefined) updates.push({ partition, update })
      if (partition.log.flushState.unflushedMessages === 0) this.#dirty.delete(partition)
      else if (partition.config['flush.ms'] === Number.MAX_SAFE_INTEGER)
        this.#dirty.delete(partition)
    }
    if (updates.length === 0) {
      done()
      return
    }
    this.#writing++
    this.#parts.index.write(
      updates.map(({ update }) => update),
      (error) => {
        this.#writing--
        if (error === undefined) {
          for (const { partition, update } of updates) this.#written(partition, update)
        } else {
          this.#parts.log.error(error.message)
          for (const { partition, update } of updates) {
            partition.log.indexFailed(update)
            if (this.#parts.owns(partition)) this.#dirty.add(partition)
          }
        }
        this.#onWritten?.()
        done()
      },
    )
  }

  #written(partition: Partition, update: IndexUpdate): void {
    try {
      partition.log.indexWritten(update)
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      // A segment that cannot be removed is found again by the next start.
      this.#parts.log.error(`${partition.log.parts.name}: ${error.message}`)
    }
  }
}

/**
 * The offset index in LMDB: what Kafka keeps in .index, .timeindex, .txnindex and .snapshot.
 * Derived data: a deleted or damaged environment is rebuilt from the segments.
 *
 * Keys: slot u32 | kind u8 | number u64, big endian, so that a partition's entries of one kind lie
 * together in order of their number. One environment per broker; every thread may read it, and each
 * thread writes the partitions that it owns.
 */
import { open, type RootDatabase } from 'lmdb'
import { pack, unpack } from 'msgpackr'
import type { EpochStart } from '../log/leader-epochs.ts'
import type { AbortedTransaction, ProducerEntry } from '../log/producer-state.ts'
import { SEAL_BYTES, sealed } from './index-check.ts'
import type {
  Checkpoint,
  IndexEntry,
  IndexedPartition,
  IndexUpdate,
  OffsetIndex,
  SegmentSummary,
} from './storage.ts'
import { StorageError } from './storage-error.ts'

const KIND_CHECKPOINT = 1
const KIND_OFFSET = 2
const KIND_SUMMARY = 3
const KIND_ABORTED = 4
const KIND_PRODUCER = 5
const KIND_EPOCHS = 6
const KIND_END = 7

const KEY_BYTES = 13
const OFFSET_VALUE_BYTES = 20
const TWO_32 = 0x100000000

/** The index of one broker, opened by each thread that owns partitions. */
export class LmdbOffsetIndex implements OffsetIndex {
  readonly #db: RootDatabase<Buffer, Buffer>

  /**
   * Opens or creates the environment in `directory`, which is flushed where it is `durable`. Throws
   * StorageError when it cannot be used.
   */
  constructor(directory: string, durable = true) {
    try {
      this.#db = open<Buffer, Buffer>({
        path: directory,
        keyEncoding: 'binary',
        encoding: 'binary',
        compression: false,
        // Batches of LMDB's own making have promises that nobody gets: their failure would end the
        // process.
        eventTurnBatching: false,
        noSync: !durable,
      })
    } catch (error) {
      throw new StorageError(`cannot open the index in ${directory}`, error)
    }
  }

  load(slot: number): IndexedPartition | undefined {
    const summaries: SegmentSummary[] = []
    const producers: ProducerEntry[] = []
    let epochs: EpochStart[] = []
    const first = this.#db.get(key(slot, KIND_CHECKPOINT, 0))
    if (first === undefined) return undefined
    const checkpoint = unpackSealed(first) as Checkpoint
    for (const { value } of this.#range(slot, KIND_SUMMARY)) {
      summaries.push(unpackSealed(value) as SegmentSummary)
    }
    for (const { value } of this.#range(slot, KIND_PRODUCER)) {
      producers.push(unpackSealed(value) as ProducerEntry)
    }
    const starts = this.#db.get(key(slot, KIND_EPOCHS, 0))
    if (starts !== undefined) epochs = unpackSealed(starts) as EpochStart[]
    return { checkpoint, summaries, producers, epochs }
  }

  floor(slot: number, offset: number): IndexEntry | undefined {
    const range = this.#db.getRange({
      start: key(slot, KIND_OFFSET, offset),
      end: prefix(slot, KIND_OFFSET),
      reverse: true,
      limit: 1,
    })
    for (const found of range) return entryOf(found.key, found.value)
    return undefined
  }

  aborted(slot: number, fromOffset: number, toOffset: number): AbortedTransaction[] {
    const found: AbortedTransaction[] = []
    const range = this.#db.getRange({
      start: key(slot, KIND_ABORTED, fromOffset),
      end: prefix(slot, KIND_ABORTED + 1),
    })
    for (const { value } of range) {
      const transaction = unpackSealed(value) as AbortedTransaction
      if (transaction.firstOffset < toOffset) found.push(transaction)
      // Later aborts began later than this last stable offset: none of them reaches the range.
      if (transaction.lastStableOffset >= toOffset) break
    }
    return found
  }

  write(updates: readonly IndexUpdate[], done: (error: Error | undefined) => void): void {
    if (updates.length === 0) {
      done(undefined)
      return
    }
    this.#transact(() => {
      for (const update of updates) this.#apply(update)
    }).then(
      () => done(undefined),
      (error: unknown) => done(new StorageError('cannot write the index', error)),
    )
  }

  remove(slots: readonly number[]): void {
    // Those that a full disk keeps are found by the next start.
    this.#transact(() => {
      for (const slot of slots) this.#clear(slot)
    }).catch(() => {})
  }

  slots(): number[] {
    const found: number[] = []
    let next = 0
    for (;;) {
      const range = this.#db.getKeys({ start: prefix(next, 0), limit: 1 })
      let slot: number | undefined
      for (const at of range) slot = at.readUInt32BE(0)
      if (slot === undefined) return found
      found.push(slot)
      if (slot === 0xffffffff) return found
      next = slot + 1
    }
  }

  async close(): Promise<void> {
    await this.#db.close()
  }

  /** All operations of `change` in one transaction of LMDB, or none of them. */
  #transact(change: () => void): Promise<boolean> {
    const written = this.#db.batch(change)
    // The cause of a failure comes as the rejection of another promise, which LMDB has printed.
    written.catch((error: { commitError?: Promise<unknown> }) => error.commitError?.catch(() => {}))
    return written
  }

  #apply(update: IndexUpdate): void {
    const { slot } = update
    if (update.clear) this.#clear(slot)
    for (const { bases, entries } of update.rewrites) {
      for (const base of bases) this.#removeSegment(slot, base)
      this.#putEntries(slot, entries)
    }
    for (const base of update.segmentsRemoved) this.#removeSegment(slot, base)
    this.#putEntries(slot, update.entries)
    for (const summary of update.summaries) {
      this.#put(key(slot, KIND_SUMMARY, summary.baseOffset), pack(summary))
    }
    for (const aborted of update.aborted) {
      this.#put(key(slot, KIND_ABORTED, aborted.lastOffset), pack(aborted))
    }
    for (const offset of update.abortedRemoved) this.#db.remove(key(slot, KIND_ABORTED, offset))
    for (const id of update.producersRemoved) this.#db.remove(key(slot, KIND_PRODUCER, id))
    for (const producer of update.producers) {
      this.#put(key(slot, KIND_PRODUCER, producer.producerId), pack(producer))
    }
    if (update.epochs !== undefined) this.#put(key(slot, KIND_EPOCHS, 0), pack(update.epochs))
    this.#put(key(slot, KIND_CHECKPOINT, 0), pack(update.checkpoint))
  }

  #put(at: Buffer, value: Buffer): void {
    this.#db.put(at, sealed(at, value))
  }

  #putEntries(slot: number, entries: readonly IndexEntry[]): void {
    for (const entry of entries) {
      this.#put(key(slot, KIND_OFFSET, entry.offset), offsetValue(entry))
    }
  }

  #clear(slot: number): void {
    const range = this.#db.getKeys({
      start: prefix(slot, KIND_CHECKPOINT),
      end: prefix(slot, KIND_END),
    })
    for (const found of range) this.#db.remove(Buffer.from(found))
  }

  #removeSegment(slot: number, base: number): void {
    const range = this.#db.getRange({
      start: key(slot, KIND_OFFSET, base),
      end: prefix(slot, KIND_OFFSET + 1),
    })
    for (const found of range) {
      if (readUInt64(found.value, 0) !== base) break
      this.#db.remove(Buffer.from(found.key))
    }
    this.#db.remove(key(slot, KIND_SUMMARY, base))
  }

  #range(slot: number, kind: number) {
    return this.#db.getRange({ start: prefix(slot, kind), end: prefix(slot, kind + 1) })
  }
}

/** Unpacks a value without its seal. */
function unpackSealed(value: Buffer): unknown {
  return unpack(value.subarray(0, value.length - SEAL_BYTES))
}

function prefix(slot: number, kind: number): Buffer {
  const bytes = Buffer.allocUnsafe(5)
  bytes.writeUInt32BE(slot, 0)
  bytes[4] = kind
  return bytes
}

function key(slot: number, kind: number, number: number): Buffer {
  const bytes = Buffer.allocUnsafe(KEY_BYTES)
  bytes.writeUInt32BE(slot, 0)
  bytes[4] = kind
  writeUInt64(bytes, 5, number)
  return bytes
}

function offsetValue(entry: IndexEntry): Buffer {
  const bytes = Buffer.allocUnsafe(OFFSET_VALUE_BYTES)
  writeUInt64(bytes, 0, entry.segmentBase)
  bytes.writeUInt32BE(entry.position, 8)
  // -1 (no timestamp yet) is stored as 0 by adding one.
  writeUInt64(bytes, 12, entry.maxTimestampBefore + 1)
  return bytes
}

function entryOf(at: Buffer, value: Buffer): IndexEntry {
  return {
    offset: readUInt64(at, 5),
    segmentBase: readUInt64(value, 0),
    position: value.readUInt32BE(8),
    maxTimestampBefore: readUInt64(value, 12) - 1,
  }
}

function writeUInt64(bytes: Buffer, at: number, value: number): void {
  bytes.writeUInt32BE(Math.floor(value / TWO_32), at)
  bytes.writeUInt32BE(value % TWO_32, at + 4)
}

function readUInt64(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * TWO_32 + bytes.readUInt32BE(at + 4)
}

/**
 * Compaction's two passes over segment files, on a task thread: nothing here touches a partition.
 * Source: Kafka's Cleaner.buildOffsetMap and cleanSegments.
 */
import { assert, unreachable } from '../base/assert.ts'
import { BatchCleaner, recordsOf } from '../log/clean-batch.ts'
import { CleanedTransactions, NO_TRANSACTIONS } from '../log/cleaned-transactions.ts'
import { LiveOffsets } from '../log/live-offsets.ts'
import { OffsetMap } from '../log/offset-map.ts'
import { deadStretches, StretchCollector } from '../log/stretches.ts'
import { CodecError, type Codecs } from '../protocol/compression.ts'
import {
  baseOffset,
  InvalidRecord,
  isControl,
  isTransactional,
  lastOffset,
  maxTimestamp,
  RecordCursor,
  recordsCount,
} from '../protocol/record-batch.ts'
import type { CleanedFile, CleaningFiles } from '../storage/storage.ts'
import { StorageError } from '../storage/storage-error.ts'
import type { CleanGroupTask, MapKeysTask, Task, TaskOutcome, TaskResults } from './mailbox/task.ts'
import { Aborted, Damaged, type ReaderTools, SegmentReader } from './segment-reader.ts'

/** Log bytes between two index entries of a compacted segment. */
const INDEX_INTERVAL_BYTES = 256 * 1024

/** The first pass notes at most so many stretches, and none shorter than a part of its buffer. */
const STRETCHES_MAX = 1 << 16
const STRETCHES_OF_BUFFER = 4

/** What live offsets may take of the memory for the offset map: one part in so many. */
const LIVE_SHARE = 16

/** What a task thread brings along. */
export interface TaskTools extends ReaderTools {
  readonly codecs: Codecs
  readonly filesOf: (directory: string) => CleaningFiles
}

/** Does `task`. What it wrote and did not finish is removed. */
export function runTask(task: Task, tools: TaskTools): TaskOutcome {
  const files = tools.filesOf(task.directory)
  try {
    switch (task.kind) {
      case 'map-keys':
        return mapKeys(task, files, tools)
      case 'clean-group':
        return cleanGroup(task, files, tools)
      default:
        return unreachable(task)
    }
  } catch (error) {
    if (error instanceof Aborted) return { kind: 'aborted' }
    if (error instanceof StorageError) {
      const passing = error.code === 'ENOSPC' || error.code === 'EDQUOT' || error.code === 'EMFILE'
      return { kind: 'failed', message: error.message, passing }
    }
    const isOfBytes =
      error instanceof Damaged || error instanceof CodecError || error instanceof InvalidRecord
    if (!isOfBytes) throw error
    return { kind: 'failed', message: error.message, passing: false }
  } finally {
    files.close()
  }
}

function mapKeys(
  task: MapKeysTask,
  files: CleaningFiles,
  tools: TaskTools,
): TaskResults['map-keys'] {
  const { firstDirtyOffset, endOffset, loadFactor } = task
  const live = LiveOffsets.between(firstDirtyOffset, endOffset, task.mapBytesMax / LIVE_SHARE)
  const keysMax = endOffset - firstDirtyOffset
  const room = { keysMax, bytesMax: task.mapBytesMax - live.bytes, loadFactor }
  const map = OffsetMap.within(room, task.hashKey)
  const transactions = new CleanedTransactions(NO_TRANSACTIONS, task.aborted)
  const reader = new SegmentReader(task, files, tools)
  const stretches = new StretchCollector(stretchBytes(task))
  const cursor = new RecordCursor()
  for (const [i, segment] of task.segments.entries()) {
    reader.open(segment, i === 0 ? task.fromPosition : 0)
    let full = false
    let batch = reader.next()
    for (; batch !== undefined; batch = reader.next()) {
      if (lastOffset(batch, 0) < firstDirtyOffset) continue
      if (isControl(batch, 0)) transactions.onControlBatch(batch, 0)
      else if (transactions.onBatch(batch, 0)) {
        // The second pass judges transactions for itself.
        live.addAll(baseOffset(batch, 0), lastOffset(batch, 0))
      } else {
        const plain = recordsOf(batch, tools.codecs, task.decompressedBytesMax)
        full = !mapBatch(map, firstDirtyOffset, batch, plain, cursor)
        if (full) break
        if (!isTransactional(batch, 0)) stretches.add(segment.baseOffset, reader.position, batch)
      }
      map.latestOffset = lastOffset(batch, 0)
    }
    if (full) break
    // What was between the last batch and the next segment is compacted away already.
    map.latestOffset = (task.segments[i + 1]?.baseOffset ?? endOffset) - 1
  }
  map.each((offset) => live.add(offset))
  return {
    kind: 'map-keys',
    mapped: { map: map.state(), live: live.state, stretches: stretches.state() },
    keys: map.size,
  }
}

// hot
/** Puts the keys of one batch into the map; false: it is full, and holds all before some record. */
function mapBatch(
  map: OffsetMap,
  firstDirtyOffset: number,
  batch: Buffer,
  plain: Buffer,
  cursor: RecordCursor,
): boolean {
  const base = baseOffset(batch, 0)
  cursor.reset(plain, 0, plain.length, recordsCount(batch, 0))
  while (cursor.next()) {
    const offset = base + cursor.offsetDelta
    if (cursor.keyLength < 0 || offset < firstDirtyOffset) continue
    if (map.isFull) return false
    map.put(plain, cursor.keyAt, cursor.keyLength, offset)
  }
  return true
}

function cleanGroup(
  task: CleanGroupTask,
  files: CleaningFiles,
  tools: TaskTools,
): TaskResults['clean-group'] {
  const [first] = task.segments
  assert(first !== undefined, 'a group has segments')
  const transactions = new CleanedTransactions(task.transactions, task.aborted)
  const { mapped } = task
  const live = new LiveOffsets(mapped.live)
  // Their batches stay, if only as headers.
  for (const { lastDataOffset } of task.lastOfProducers) live.add(lastDataOffset)
  live.add(task.upperOffset - 1)
  const cleaner = new BatchCleaner(
    { ...task, lastOfProducers: new Map(task.lastOfProducers.map((one) => [one.producerId, one])) },
    { ...tools, map: new OffsetMap(mapped.map), live, transactions },
  )
  const reader = new SegmentReader(task, files, tools)
  const file = files.create(first.baseOffset)
  let recordsSkipped = 0
  const writer = new SegmentWriter(first.baseOffset, file, task.bufferBytes)
  try {
    for (const segment of task.segments) {
      const dead = deadStretches(mapped.stretches, segment.baseOffset, live)
      for (const { records } of dead) recordsSkipped += records
      reader.open(segment, 0, dead)
      for (let batch = reader.next(); batch !== undefined; batch = reader.next()) {
        const kept = cleaner.clean(batch)
        if (kept === undefined) continue
        writer.add(kept)
        reader.account(kept.length)
      }
    }
    writer.flush()
    file.finish(task.modifiedMs)
  } catch (error) {
    file.discard()
    throw error
  }
  return {
    kind: 'clean-group',
    summary: writer.summary,
    entries: Float64Array.from(writer.entries),
    abortedGone: transactions.gone,
    transactions: transactions.state(),
    recordsRead: recordsSkipped + cleaner.recordsRead,
    recordsKept: cleaner.recordsKept,
  }
}

function stretchBytes({ segments, bufferBytes }: MapKeysTask): number {
  const bytes = segments.reduce((sum, { size }) => sum + size, 0)
  return Math.max(bufferBytes / STRETCHES_OF_BUFFER, bytes / STRETCHES_MAX)
}

/** Collects the batches of a compacted segment, and what is to be known of it. */
class SegmentWriter {
  /** Offset, position, largest timestamp before, of every so many bytes. */
  readonly entries: number[] = []
  readonly summary: { -readonly [K in keyof TaskResults['clean-group']['summary']]: number }
  readonly #file: CleanedFile
  readonly #buffer: Buffer
  #filled = 0
  #indexedAt = Number.NEGATIVE_INFINITY

  constructor(base: number, file: CleanedFile, bufferBytes: number) {
    this.#file = file
    this.#buffer = Buffer.allocUnsafe(bufferBytes)
    this.summary = {
      size: 0,
      nextOffset: base,
      maxTimestamp: -1,
      maxTimestampPosition: 0,
      firstTimestamp: -1,
    }
  }

  add(batch: Buffer): void {
    const { summary } = this
    const position = summary.size
    if (position - this.#indexedAt >= INDEX_INTERVAL_BYTES) {
      this.#indexedAt = position
      this.entries.push(baseOffset(batch, 0), position, summary.maxTimestamp)
    }
    const timestamp = maxTimestamp(batch, 0)
    if (position === 0) summary.firstTimestamp = timestamp
    if (timestamp > summary.maxTimestamp) {
      summary.maxTimestamp = timestamp
      summary.maxTimestampPosition = position
    }
    summary.nextOffset = lastOffset(batch, 0) + 1
    summary.size += batch.length
    if (this.#filled + batch.length > this.#buffer.length) this.flush()
    if (batch.length > this.#buffer.length) {
      this.#file.append(batch)
      return
    }
    this.#filled += batch.copy(this.#buffer, this.#filled)
  }

  flush(): void {
    if (this.#filled > 0) this.#file.append(this.#buffer.subarray(0, this.#filled))
    this.#filled = 0
  }
}

/**
 * Compaction's two passes over segment files, on a task thread: nothing here touches a partition.
 * Source: Kafka's Cleaner.buildOffsetMap and cleanSegments.
 */
import { assert, unreachable } from '../base/assert.ts'
import { BatchCleaner } from '../log/clean-batch.ts'
import { CleanedTransactions, NO_TRANSACTIONS } from '../log/cleaned-transactions.ts'
import { LiveOffsets } from '../log/live-offsets.ts'
import { OffsetMap } from '../log/offset-map.ts'
import { plausibleLength } from '../log/recovery.ts'
import { deadStretches, type Stretch, StretchCollector } from '../log/stretches.ts'
import { CodecError, CodecId, type Codecs, type CompressedCodec } from '../protocol/compression.ts'
import {
  baseOffset,
  CRC_FROM,
  type Crc32c,
  compressionOf,
  crc as crcOf,
  InvalidRecord,
  isControl,
  isTransactional,
  lastOffset,
  maxTimestamp,
  RECORD_BATCH_OVERHEAD,
  RecordCursor,
  recordsCount,
} from '../protocol/record-batch.ts'
import type { CleanedFile, CleaningFiles } from '../storage/storage.ts'
import { StorageError } from '../storage/storage-error.ts'
import type { CleanGroupTask, MapKeysTask, Task, TaskOutcome, TaskResults } from './mailbox/task.ts'
import type { Pace } from './pace.ts'

/** Log bytes between two index entries of a compacted segment. */
const INDEX_INTERVAL_BYTES = 256 * 1024

/** The first pass notes at most so many stretches, and none shorter than a part of its buffer. */
const STRETCHES_MAX = 1 << 16
const STRETCHES_OF_BUFFER = 4

/** What live offsets may take of the memory for the offset map: one part in so many. */
const LIVE_SHARE = 16

/** What a task thread brings along. */
export interface TaskTools {
  readonly codecs: Codecs
  readonly crc32c: Crc32c
  readonly monotonicMs: () => number
  readonly pace: Pace
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

/** The task is not wanted any more. */
class Aborted extends Error {}

/** The bytes of a segment are not whole batches. */
class Damaged extends Error {}

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
  let full = false
  for (const [i, segment] of task.segments.entries()) {
    reader.each(segment, i === 0 ? task.fromPosition : 0, (batch, position) => {
      if (lastOffset(batch, 0) < firstDirtyOffset) return true
      if (isControl(batch, 0)) transactions.onControlBatch(batch, 0)
      else if (transactions.onBatch(batch, 0)) {
        // The second pass judges transactions for itself.
        live.addAll(baseOffset(batch, 0), lastOffset(batch, 0))
      } else {
        full = !mapBatch(map, firstDirtyOffset, batch, plainOf(batch, task, tools), cursor)
        if (full) return false
        if (!isTransactional(batch, 0)) stretches.add(segment.baseOffset, position, batch)
      }
      map.latestOffset = lastOffset(batch, 0)
      return true
    })
    if (full) break
    // What was between the last batch and the next segment is compacted away already.
    map.latestOffset = (task.segments[i + 1]?.baseOffset ?? endOffset) - 1
  }
  map.each((offset) => live.add(offset))
  return {
    kind: 'map-keys',
    map: map.state(),
    live: live.state,
    stretches: stretches.state(),
    keys: map.size,
    bytesRead: reader.bytesRead,
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
  const live = new LiveOffsets(task.live)
  // Their batches stay, if only as headers.
  for (const { lastDataOffset } of task.lastOfProducers) live.add(lastDataOffset)
  live.add(task.upperOffset - 1)
  const cleaner = new BatchCleaner(
    { ...task, lastOfProducers: new Map(task.lastOfProducers.map((one) => [one.producerId, one])) },
    { ...tools, map: new OffsetMap(task.map), live, transactions },
  )
  const reader = new SegmentReader(task, files, tools)
  const file = files.create(first.baseOffset)
  let recordsSkipped = 0
  const writer = new SegmentWriter(first.baseOffset, file, task.bufferBytes)
  try {
    for (const segment of task.segments) {
      const dead = deadStretches(task.stretches, segment.baseOffset, live)
      for (const { records } of dead) recordsSkipped += records
      const visit = (batch: Buffer) => {
        const kept = cleaner.clean(batch)
        if (kept !== undefined) {
          writer.add(kept)
          reader.account(kept.length)
        }
        return true
      }
      reader.each(segment, 0, visit, dead)
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

function plainOf(batch: Buffer, task: Task, tools: TaskTools): Buffer {
  const section = batch.subarray(RECORD_BATCH_OVERHEAD)
  const codec = compressionOf(batch, 0)
  if (codec === CodecId.uncompressed || recordsCount(batch, 0) === 0) return section
  const bytesMax = task.decompressedBytesMax
  const plain = tools.codecs.decompress(codec as CompressedCodec, section, bytesMax)
  return Buffer.from(plain.buffer, plain.byteOffset, plain.length)
}

/** Reads whole batches one after the other, no faster than the task may. */
class SegmentReader {
  bytesRead = 0
  readonly #task: Task
  readonly #files: CleaningFiles
  readonly #tools: TaskTools
  readonly #abort: Int32Array
  readonly #startedMs: number
  #buffer: Buffer
  #bytes = 0

  constructor(task: Task, files: CleaningFiles, tools: TaskTools) {
    this.#task = task
    this.#files = files
    this.#tools = tools
    this.#abort = new Int32Array(task.abort)
    this.#startedMs = tools.monotonicMs()
    this.#buffer = Buffer.allocUnsafe(Math.max(task.bufferBytes, RECORD_BATCH_OVERHEAD))
  }

  /** Bytes that count for the limit; waits when it is exceeded. Throws Aborted. */
  account(bytes: number): void {
    this.#bytes += bytes
    const dueMs = this.#startedMs + (this.#bytes / this.#task.bytesPerSecondMax) * 1000
    const aheadMs = dueMs - this.#tools.monotonicMs()
    if (aheadMs > 1) Atomics.wait(this.#abort, 0, 0, aheadMs)
    if (Atomics.load(this.#abort, 0) !== 0) throw new Aborted()
  }

  /**
   * Shows the batches of `segment` from `from` on, without those of the stretches `dead`, until
   * `visit` answers false; a batch is valid during its visit. Throws Damaged.
   */
  each(
    segment: { readonly baseOffset: number; readonly size: number },
    from: number,
    visit: (batch: Buffer, position: number) => boolean,
    dead: readonly Stretch[] = [],
  ): void {
    const { checkedFrom } = this.#task
    let position = from
    let minOffset = segment.baseOffset
    let next = 0
    while (position < segment.size) {
      const ahead = dead[next]
      if (ahead?.position === position) {
        next++
        position = ahead.end
        minOffset = ahead.lastOffset + 1
        continue
      }
      const end = ahead?.position ?? segment.size
      const window = this.#read(segment.baseOffset, position, end)
      let at = 0
      while (at < window.length) {
        const left = end - position - at
        if (window.length - at < RECORD_BATCH_OVERHEAD && window.length - at < left) break
        const length = plausibleLength(window, at, left, minOffset)
        if (length < 0) throw damaged(segment.baseOffset, position + at)
        if (length > window.length - at) break
        const batch = window.subarray(at, at + length)
        const isChecked = baseOffset(batch, 0) >= checkedFrom
        if (!isChecked && this.#tools.crc32c(batch.subarray(CRC_FROM)) !== crcOf(batch, 0)) {
          throw damaged(segment.baseOffset, position + at)
        }
        minOffset = lastOffset(batch, 0) + 1
        if (!visit(batch, position + at)) return
        at += length
        this.#rest()
      }
      position += at
      if (at > 0) continue
      // One batch is larger than the buffer.
      const length = plausibleLength(window, 0, end - position, minOffset)
      if (length < window.length) throw damaged(segment.baseOffset, position)
      this.#buffer = Buffer.allocUnsafe(length)
    }
  }

  // hot
  /** Leaves the processor to others when it is time. */
  #rest(): void {
    const pauseMs = this.#tools.pace.pauseMs()
    if (pauseMs > 0) Atomics.wait(this.#abort, 0, 0, pauseMs)
  }

  #read(base: number, position: number, end: number): Buffer {
    const wanted = Math.min(this.#buffer.length, end - position)
    const n = this.#files.read(base, this.#buffer, wanted, position)
    if (n < wanted) throw damaged(base, position + n)
    this.bytesRead += n
    this.account(n)
    return this.#buffer.subarray(0, n)
  }
}

function damaged(base: number, position: number): Damaged {
  return new Damaged(`segment ${base} holds no whole batch at position ${position}`)
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

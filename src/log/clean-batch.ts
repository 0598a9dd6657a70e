/**
 * What compaction leaves of one batch. Source: Kafka's Cleaner.cleanInto and
 * MemoryRecords.filterTo; KIP-98 (transactions), KIP-534 (delete horizon).
 */
import { assert } from '../base/assert.ts'
import { CodecId, type Codecs, type CompressedCodec } from '../protocol/compression.ts'
import {
  attributes,
  baseOffset,
  baseTimestamp,
  COMPRESSION_MASK,
  CRC_FROM,
  type Crc32c,
  compressionOf,
  DELETE_HORIZON_BIT,
  isControl,
  isLogAppendTime,
  LOG_OVERHEAD,
  lastOffset,
  maxTimestamp,
  producerEpoch,
  producerId,
  RECORD_BATCH_OVERHEAD,
  RecordCursor,
  recordsCount,
  setAttributes,
  setBaseTimestamp,
  setBatchLength,
  setCrc,
  setMaxTimestamp,
  setRecordsCount,
} from '../protocol/record-batch.ts'
import { varintSize, writeVarint } from '../protocol/varint.ts'
import type { CleanedTransactions } from './cleaned-transactions.ts'
import type { LiveOffsets } from './live-offsets.ts'
import type { OffsetMap } from './offset-map.ts'

/** The last thing that an active producer wrote: it keeps its sequence or its epoch. */
export interface LastOfProducer {
  readonly producerId: number
  /** Last offset of its last data batch; -1: it left only a marker. */
  readonly lastDataOffset: number
  readonly producerEpoch: number
}

/** What holds for all batches of a round. */
export interface CleaningRules {
  readonly nowMs: number
  readonly deleteRetentionMs: number
  /** The batch that ends here (exclusive) stays, so that the end of the clean part is known. */
  readonly upperOffset: number
  readonly lastOfProducers: ReadonlyMap<number, LastOfProducer>
  readonly decompressedBytesMax: number
}

/** What the cleaner works with. */
export interface CleaningTools {
  readonly map: OffsetMap
  /** Of the records that are in the map. */
  readonly live: LiveOffsets
  readonly transactions: CleanedTransactions
  readonly codecs: Codecs
  readonly crc32c: Crc32c
}

/** Kafka's default levels: a batch does not say with which it was compressed. */
const LEVELS: Readonly<Record<number, number>> = {
  [CodecId.gzip]: -1,
  [CodecId.snappy]: 0,
  [CodecId.lz4]: 9,
  [CodecId.zstd]: 3,
}

/** Cleans batches one after the other, in order of their offsets. One per pass. */
export class BatchCleaner {
  recordsRead = 0
  recordsKept = 0
  readonly #rules: CleaningRules
  readonly #map: OffsetMap
  readonly #live: LiveOffsets
  readonly #transactions: CleanedTransactions
  readonly #codecs: Codecs
  readonly #crc32c: Crc32c
  readonly #cursor = new RecordCursor()
  #kept = newKept()

  constructor(rules: CleaningRules, tools: CleaningTools) {
    this.#rules = rules
    this.#map = tools.map
    this.#live = tools.live
    this.#transactions = tools.transactions
    this.#codecs = tools.codecs
    this.#crc32c = tools.crc32c
  }

  /**
   * What stays of `batch` (one whole batch): itself, another one, or `undefined`: nothing. Throws
   * CodecError and InvalidRecord.
   */
  // hot
  clean(batch: Buffer): Buffer | undefined {
    const control = isControl(batch, 0)
    const discardable = control
      ? this.#transactions.onControlBatch(batch, 0)
      : this.#transactions.onBatch(batch, 0)
    const horizonMs = horizonOf(batch)
    const { nowMs } = this.#rules
    const isPast = horizonMs !== undefined && horizonMs <= nowMs
    // A marker waits as tombstones do: readers may still be in the middle of its transaction.
    const discards = discardable && (!control || isPast)
    const count = recordsCount(batch, 0)
    this.recordsRead += count
    if (discards || count === 0) return this.#emptied(batch)
    if (control) {
      this.recordsKept += count
      return discardable && horizonMs === undefined ? this.#withHorizon(batch) : batch
    }
    if (!this.#mayKeep(batch)) return this.#emptied(batch)
    const plain = this.#plain(batch)
    const kept = this.#select(batch, plain, isPast)
    this.recordsKept += kept.count
    if (kept.count === 0) return this.#emptied(batch)
    const needsHorizon = kept.tombstones && horizonMs === undefined
    if (kept.count === count && !needsHorizon) return batch
    return this.#rebuilt(batch, plain, kept, needsHorizon)
  }

  /** What stays of a batch without its records: its header, or nothing. */
  #emptied(batch: Buffer): Buffer | undefined {
    if (!this.#keepsHeader(batch)) return undefined
    return recordsCount(batch, 0) === 0 ? batch : emptyBatch(batch, this.#crc32c)
  }

  #keepsHeader(batch: Buffer): boolean {
    const { upperOffset, lastOfProducers } = this.#rules
    if (lastOffset(batch, 0) + 1 === upperOffset) return true
    const last = lastOfProducers.get(producerId(batch, 0))
    if (last === undefined) return false
    if (last.lastDataOffset >= 0) return last.lastDataOffset === lastOffset(batch, 0)
    return isControl(batch, 0) && producerEpoch(batch, 0) === last.producerEpoch
  }

  #plain(batch: Buffer): Buffer {
    return recordsOf(batch, this.#codecs, this.#rules.decompressedBytesMax)
  }

  // hot
  /** False: each record of `batch` has a later one, or no key. */
  #mayKeep(batch: Buffer): boolean {
    const last = lastOffset(batch, 0)
    return last > this.#map.latestOffset || this.#live.hasAny(baseOffset(batch, 0), last)
  }

  // hot
  /** Finds the records that stay, as ranges of `plain`. */
  #select(batch: Buffer, plain: Buffer, tombstonesGo: boolean): Kept {
    const map = this.#map
    const live = this.#live
    const cursor = this.#cursor
    const kept = this.#kept
    const base = baseOffset(batch, 0)
    const firstMs = baseTimestamp(batch, 0)
    kept.count = 0
    kept.ranges = 0
    kept.tombstones = false
    kept.maxTimestamp = -1
    cursor.reset(plain, 0, plain.length, recordsCount(batch, 0))
    while (cursor.next()) {
      const offset = base + cursor.offsetDelta
      if (offset <= map.latestOffset) {
        if (cursor.keyLength < 0 || !live.has(offset)) continue
        if (offset < map.get(plain, cursor.keyAt, cursor.keyLength)) continue
        if (cursor.valueLength < 0 && tombstonesGo) continue
      }
      if (cursor.valueLength < 0) kept.tombstones = true
      kept.count++
      kept.maxTimestamp = Math.max(kept.maxTimestamp, firstMs + cursor.timestampDelta)
      addRange(kept, cursor.recordAt, cursor.recordEnd)
    }
    return kept
  }

  #rebuilt(batch: Buffer, plain: Buffer, kept: Kept, needsHorizon: boolean): Buffer {
    const baseMs = needsHorizon ? this.#horizonMs() : baseTimestamp(batch, 0)
    // Deltas count from the base: as long as that stays, records stay as they are.
    const section = needsHorizon
      ? rebased(plain, kept, baseTimestamp(batch, 0) - baseMs)
      : gathered(plain, kept)
    const codec = compressionOf(batch, 0)
    const body =
      codec === CodecId.uncompressed
        ? section
        : this.#codecs.compress(codec as CompressedCodec, section, LEVELS[codec] as number)
    const result = Buffer.allocUnsafe(RECORD_BATCH_OVERHEAD + body.length)
    batch.copy(result, 0, 0, RECORD_BATCH_OVERHEAD)
    result.set(body, RECORD_BATCH_OVERHEAD)
    setBatchLength(result, 0, result.length - LOG_OVERHEAD)
    setRecordsCount(result, 0, kept.count)
    if (!isLogAppendTime(batch, 0)) setMaxTimestamp(result, 0, kept.maxTimestamp)
    if (needsHorizon) {
      setBaseTimestamp(result, 0, baseMs)
      setAttributes(result, 0, attributes(batch, 0) | DELETE_HORIZON_BIT)
    }
    setCrc(result, 0, this.#crc32c(result.subarray(CRC_FROM)))
    return result
  }

  /** A marker whose transaction has no data any more: from now on its time runs. */
  #withHorizon(batch: Buffer): Buffer {
    const plain = this.#plain(batch)
    const kept = this.#kept
    kept.count = recordsCount(batch, 0)
    kept.ranges = 0
    kept.maxTimestamp = maxTimestamp(batch, 0)
    addRange(kept, 0, plain.length)
    return this.#rebuilt(batch, plain, kept, true)
  }

  #horizonMs(): number {
    const horizonMs = this.#rules.nowMs + this.#rules.deleteRetentionMs
    return Math.min(horizonMs, Number.MAX_SAFE_INTEGER)
  }
}

/** The records of `batch` without compression, `bytesMax` at most. Throws CodecError. */
export function recordsOf(batch: Buffer, codecs: Codecs, bytesMax: number): Buffer {
  const section = batch.subarray(RECORD_BATCH_OVERHEAD)
  const codec = compressionOf(batch, 0)
  if (codec === CodecId.uncompressed || recordsCount(batch, 0) === 0) return section
  const plain = codecs.decompress(codec as CompressedCodec, section, bytesMax)
  return Buffer.from(plain.buffer, plain.byteOffset, plain.length)
}

/** Which records of a batch stay: ranges of the plain section, from and to. */
interface Kept {
  count: number
  ranges: number
  bounds: Int32Array
  tombstones: boolean
  maxTimestamp: number
}

function newKept(): Kept {
  const bounds = new Int32Array(256)
  return { count: 0, ranges: 0, bounds, tombstones: false, maxTimestamp: -1 }
}

// hot
function addRange(kept: Kept, from: number, to: number): void {
  const last = kept.ranges * 2
  if (last > 0 && kept.bounds[last - 1] === from) {
    kept.bounds[last - 1] = to
    return
  }
  if (last === kept.bounds.length) {
    const grown = new Int32Array(kept.bounds.length * 2)
    grown.set(kept.bounds)
    kept.bounds = grown
  }
  kept.bounds[last] = from
  kept.bounds[last + 1] = to
  kept.ranges++
}

/** When tombstones and markers of the batch may go, ms; `undefined`: nobody has said yet. */
function horizonOf(batch: Buffer): number | undefined {
  const isSet = (attributes(batch, 0) & DELETE_HORIZON_BIT) !== 0
  return isSet ? baseTimestamp(batch, 0) : undefined
}

/** The records that stay, as they are. */
function gathered(plain: Buffer, kept: Kept): Buffer {
  let bytes = 0
  for (let i = 0; i < kept.ranges; i++) {
    bytes += (kept.bounds[i * 2 + 1] as number) - (kept.bounds[i * 2] as number)
  }
  const section = Buffer.allocUnsafe(bytes)
  let to = 0
  for (let i = 0; i < kept.ranges; i++) {
    to += plain.copy(section, to, kept.bounds[i * 2], kept.bounds[i * 2 + 1])
  }
  return section
}

/** The records that stay, with `shift` added to their timestamp deltas. */
function rebased(plain: Buffer, kept: Kept, shift: number): Buffer {
  const cursor = new RecordCursor()
  const source = gathered(plain, kept)
  // Length and delta grow by at most 5 and 9 bytes.
  const section = Buffer.allocUnsafe(source.length + kept.count * 14)
  let to = 0
  cursor.reset(source, 0, source.length, kept.count)
  while (cursor.next()) {
    const delta = cursor.timestampDelta + shift
    const restAt = behindDelta(source, cursor.recordAt)
    const length = 1 + varintSize(delta) + cursor.recordEnd - restAt
    to = writeVarint(section, to, length)
    section[to++] = cursor.attributes
    to = writeVarint(section, to, delta)
    to += source.copy(section, to, restAt, cursor.recordEnd)
  }
  return section.subarray(0, to)
}

/** Where the fields behind the timestamp delta of the record at `at` begin. */
function behindDelta(bytes: Buffer, at: number): number {
  let position = at
  while ((bytes[position] as number) >= 0x80) position++
  position += 2
  while ((bytes[position] as number) >= 0x80) position++
  return position + 1
}

/** The header alone: offsets, epoch and sequence stay known. */
function emptyBatch(batch: Buffer, crc32c: Crc32c): Buffer {
  assert(batch.length >= RECORD_BATCH_OVERHEAD, 'a batch has a header')
  const result = Buffer.from(batch.subarray(0, RECORD_BATCH_OVERHEAD))
  setBatchLength(result, 0, RECORD_BATCH_OVERHEAD - LOG_OVERHEAD)
  setAttributes(result, 0, attributes(batch, 0) & ~(COMPRESSION_MASK | DELETE_HORIZON_BIT))
  setBaseTimestamp(result, 0, -1)
  setRecordsCount(result, 0, 0)
  setCrc(result, 0, crc32c(result.subarray(CRC_FROM)))
  return result
}

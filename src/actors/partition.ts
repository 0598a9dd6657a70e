/**
 * The partition actor: one per partition, on the thread that placement gave it, which alone touches
 * its log. It judges what producers send, appends, reads, and answers the rare commands.
 */
import type { TopicConfig } from '../config/topic.ts'
import {
  type BatchRules,
  checkRecords,
  headerProblem,
  type RecordsFacts,
  type Refusal,
} from '../log/batch-rules.ts'
import type { ProducerClaim } from '../log/producer-state.ts'
import { recompressed } from '../log/recompress.ts'
import { CodecError, CodecId, type Codecs, type CompressedCodec } from '../protocol/compression.ts'
import { ErrorCode } from '../protocol/errors.ts'
import {
  attributes,
  baseSequence,
  CRC_FROM,
  compressionOf,
  isTransactional,
  LOG_APPEND_TIME_BIT,
  lastOffsetDelta,
  maxTimestamp,
  producerEpoch,
  producerId,
  RECORD_BATCH_OVERHEAD,
  recordsCount,
  setAttributes,
  setBaseOffset,
  setCrc,
  setMaxTimestamp,
  setPartitionLeaderEpoch,
} from '../protocol/record-batch.ts'
import type { BufferPool } from '../ring/arena.ts'
import { StorageError } from '../storage/storage-error.ts'
import type { LogRead } from './log-segment.ts'
import { type LogParts, PartitionLog } from './partition-log.ts'

/**
 * Bytes that one read of one partition brings at most (but always a whole batch): it fills memory.
 */
const READ_BYTES_MAX = 4 * 1024 * 1024

/** Errors of a disk that may go away by themselves: the partition stays online. */
const PASSING_DISK_ERRORS: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT', 'EMFILE'])

/** Who hears how an append ended. */
export interface AppendSink {
  /** `tag`: what the caller gave. Called once for each append, during it or after its flush. */
  onAppended(tag: number, result: AppendResult): void
}

/** How an append ended. Offsets and times are -1 where they do not apply. */
export interface AppendResult {
  errorCode: ErrorCode
  baseOffset: number
  logAppendTimeMs: number
  logStartOffset: number
  errorMessage: string | null
  recordErrors: Refusal['recordErrors']
}

/** What a fetch asks of one partition. */
export interface ReadRequest {
  fetchOffset: number
  maxBytes: number
  /** -1: unchecked. */
  currentLeaderEpoch: number
  /** Epoch of the last record that the reader has (KIP-595), -1: unknown. */
  lastFetchedEpoch: number
  readCommitted: boolean
  minOneBatch: boolean
  /** Only tell how many bytes there are. */
  measure: boolean
}

/** What one partition answers to a fetch. */
export interface ReadResult {
  errorCode: ErrorCode
  highWatermark: number
  lastStableOffset: number
  logStartOffset: number
  /** Bytes from the log, or `undefined`; the taker releases the buffer. */
  read: LogRead | undefined
  /** Bytes from the fetch offset on that could be read: what was read, or measured. */
  availableBytes: number
  aborted: readonly { producerId: number; firstOffset: number }[] | null
  divergingEpoch: { epoch: number; endOffset: number } | undefined
}

/** What the actor needs of its thread. */
export interface PartitionHost {
  readonly pool: BufferPool
  readonly codecs: Codecs
  readonly decompressedBytesMax: number
  /** All acks wait for a flush that appends share (`odradek.flush.policy=group-commit`). */
  readonly groupCommit: boolean
  /** The partition has new records or a new start: whoever waits for it may look again. */
  advanced(partition: Partition): void
  /** The disk refused for now (no room, no descriptors); the partition stays online. */
  diskRefused(partition: Partition, error: Error): void
  /** The partition failed and is offline now; it is to be reopened later. */
  failed(partition: Partition, error: Error): void
}

/** Shared by all partitions of a thread: filled by `checkRecords`, read at once. */
const facts: RecordsFacts = { maxTimestamp: -1, refusal: undefined }

export class Partition {
  readonly slot: number
  readonly log: PartitionLog
  /** Who waits for this partition to advance; managed by the host. */
  watched = false
  /** Whether the append under way, or the last one, has reached its sink. */
  answered = false
  leaderEpoch: number
  #host: PartitionHost
  #config: TopicConfig
  #rules: BatchRules
  #online = false
  #flushing = false
  readonly #awaitingFlush: { sink: AppendSink; tag: number; result: AppendResult; end: number }[] =
    []

  constructor(parts: LogParts, leaderEpoch: number, config: TopicConfig, host: PartitionHost) {
    this.slot = parts.slot
    this.leaderEpoch = leaderEpoch
    this.log = new PartitionLog(parts, config)
    this.#host = host
    this.#config = config
    this.#rules = rulesOf(config)
    this.log.onRollFlushFailed = (error) => this.#flushFailed(error)
  }

  get online(): boolean {
    return this.#online
  }

  get config(): TopicConfig {
    return this.#config
  }

  /** The topic's configuration changed. */
  configure(config: TopicConfig): void {
    this.#config = config
    this.#rules = rulesOf(config)
    this.log.config = config
  }

  /** The log was opened: requests are served. */
  goOnline(): void {
    this.#online = true
  }

  /** Answers KAFKA_STORAGE_ERROR from now on, also to those who wait for a flush. */
  goOffline(): void {
    this.#online = false
    for (const waiting of this.#awaitingFlush.splice(0)) {
      waiting.sink.onAppended(waiting.tag, this.#failure(ErrorCode.KAFKA_STORAGE_ERROR))
    }
  }

  /**
   * Appends the one batch in `records` (bytes of the caller, header fields are written into them).
   * `acksAll`: the answer may have to wait for a flush, as the topic's policy says.
   */
  // hot
  append(records: Buffer, acksAll: boolean, sink: AppendSink, tag: number): void {
    this.answered = false
    if (!this.#online) {
      this.#answer(sink, tag, this.#failure(ErrorCode.KAFKA_STORAGE_ERROR))
      return
    }
    const { log } = this
    const nowMs = log.parts.clock.wallMs()
    let result: AppendResult
    try {
      result = this.#tryAppend(records, nowMs)
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      this.storageFailed(error)
      result = this.#failure(ErrorCode.KAFKA_STORAGE_ERROR)
    }
    if (result.errorCode !== ErrorCode.NONE) {
      this.#answer(sink, tag, result)
      return
    }
    this.#host.advanced(this)
    const due = log.unflushedMessages >= this.#config['flush.messages']
    if (due || (acksAll && this.#host.groupCommit && log.unflushedMessages > 0)) {
      this.#awaitingFlush.push({ sink, tag, result, end: log.logEndOffset })
      this.#flush()
      return
    }
    this.#answer(sink, tag, result)
  }

  #answer(sink: AppendSink, tag: number, result: AppendResult): void {
    this.answered = true
    sink.onAppended(tag, result)
  }

  /** Reads for a fetch. */
  // hot
  read(request: ReadRequest): ReadResult {
    const { log } = this
    const result: ReadResult = {
      errorCode: ErrorCode.NONE,
      highWatermark: log.logEndOffset,
      lastStableOffset: log.lastStableOffset,
      logStartOffset: log.logStartOffset,
      read: undefined,
      availableBytes: 0,
      aborted: request.readCommitted ? [] : null,
      divergingEpoch: undefined,
    }
    if (!this.#online) return refuseRead(result, ErrorCode.KAFKA_STORAGE_ERROR)
    const epochProblem = this.epochProblem(request.currentLeaderEpoch)
    if (epochProblem !== ErrorCode.NONE) return refuseRead(result, epochProblem)
    const { fetchOffset } = request
    if (request.lastFetchedEpoch >= 0) {
      const end = log.epochs.endOf(request.lastFetchedEpoch, this.leaderEpoch, log.logEndOffset)
      if (end.epoch < 0) return refuseRead(result, ErrorCode.OFFSET_OUT_OF_RANGE)
      if (end.epoch < request.lastFetchedEpoch || end.endOffset < fetchOffset) {
        result.divergingEpoch = end
        return result
      }
    }
    if (fetchOffset < log.logStartOffset || fetchOffset > log.logEndOffset) {
      return refuseRead(result, ErrorCode.OFFSET_OUT_OF_RANGE)
    }
    const upper = request.readCommitted ? result.lastStableOffset : result.highWatermark
    if (fetchOffset >= upper) return result
    try {
      if (request.measure) {
        result.availableBytes = Math.min(request.maxBytes, log.bytesBetween(fetchOffset, upper))
        return result
      }
      const read = log.read(
        fetchOffset,
        Math.min(request.maxBytes, READ_BYTES_MAX),
        upper,
        request.minOneBatch,
        this.#host.pool,
      )
      if (read.corrupt) return refuseRead(result, ErrorCode.CORRUPT_MESSAGE)
      if (read.buffer === undefined) return result
      result.read = read
      result.availableBytes = read.to - read.from
      if (request.readCommitted) result.aborted = log.abortedBetween(fetchOffset, read.nextOffset)
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      this.storageFailed(error)
      return refuseRead(result, ErrorCode.KAFKA_STORAGE_ERROR)
    }
    return result
  }

  /** What a fetch is told of a partition that it has no room left for. */
  status(request: ReadRequest): ReadResult {
    return this.read({ ...request, measure: true })
  }

  /** FENCED or UNKNOWN when `claimed` (-1: unchecked) is not this partition's leader epoch. */
  epochProblem(claimed: number): ErrorCode {
    if (claimed === -1 || claimed === this.leaderEpoch) return ErrorCode.NONE
    return claimed < this.leaderEpoch
      ? ErrorCode.FENCED_LEADER_EPOCH
      : ErrorCode.UNKNOWN_LEADER_EPOCH
  }

  /** Moves the log start to `offset` (-1: the high watermark). KIP-107. */
  deleteRecords(offset: number): { errorCode: ErrorCode; lowWatermark: number } {
    if (!this.#online) return { errorCode: ErrorCode.KAFKA_STORAGE_ERROR, lowWatermark: -1 }
    const policy = this.#config['cleanup.policy']
    if (policy.includes('compact') && !policy.includes('delete')) {
      return { errorCode: ErrorCode.POLICY_VIOLATION, lowWatermark: -1 }
    }
    const { log } = this
    const target = offset === -1 ? log.logEndOffset : offset
    if (target < 0 || target > log.logEndOffset) {
      return { errorCode: ErrorCode.OFFSET_OUT_OF_RANGE, lowWatermark: -1 }
    }
    try {
      log.advanceStartTo(target, log.parts.clock.wallMs(), true)
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      this.storageFailed(error)
      return { errorCode: ErrorCode.KAFKA_STORAGE_ERROR, lowWatermark: -1 }
    }
    this.#host.advanced(this)
    return { errorCode: ErrorCode.NONE, lowWatermark: log.logStartOffset }
  }

  /** Work of the clock: flush what is due. */
  onTick(nowMs: number): void {
    if (!this.#online) return
    const { log } = this
    if (log.unflushedMessages > 0 && nowMs - log.unflushedSinceMs >= this.#config['flush.ms']) {
      this.#flush()
    }
  }

  #tryAppend(records: Buffer, nowMs: number): AppendResult {
    const rules = this.#rules
    const { log } = this
    const problem = headerProblem(records, rules, log.parts.crc32c)
    if (problem !== undefined) return this.#refused(problem)
    const codec = compressionOf(records, 0)
    const target = this.#targetCodec(codec)
    let batch = records
    if (codec === CodecId.uncompressed && target === CodecId.uncompressed) {
      checkRecords(records, records, RECORD_BATCH_OVERHEAD, rules, nowMs, facts)
    } else {
      const plain = this.plainRecords(records, codec)
      if (!Buffer.isBuffer(plain)) return this.#refused(plain)
      checkRecords(records, plain, 0, rules, nowMs, facts)
      if (facts.refusal === undefined && target !== codec) {
        batch = recompressed(records, plain, target, this.#host.codecs, this.#level(target))
        if (batch.length > rules.maxMessageBytes) return this.#refused(TOO_LARGE_RECOMPRESSED)
      }
    }
    if (facts.refusal !== undefined) return this.#refused(facts.refusal)
    const id = producerId(batch, 0)
    if (id >= 0) {
      const claim = claimOf(batch, id)
      const verdict = log.producers.check(claim)
      if (verdict.kind === 'refuse') return this.#failure(verdict.errorCode)
      if (verdict.kind === 'duplicate') {
        const { baseOffset, timestamp } = verdict.batch
        return this.#success(baseOffset, timestamp)
      }
    }
    return this.#appendSound(batch, batch !== records, nowMs)
  }

  /** Completes the header of a batch that passed every check, and appends it. */
  #appendSound(batch: Buffer, recompressed: boolean, nowMs: number): AppendResult {
    const { log } = this
    const baseOffset = log.logEndOffset
    const lastOffset = baseOffset + lastOffsetDelta(batch, 0)
    const logAppendTime = this.#rules.logAppendTime
    const bits = attributes(batch, 0)
    const timestamp = logAppendTime ? nowMs : facts.maxTimestamp
    const newBits = logAppendTime ? bits | LOG_APPEND_TIME_BIT : bits & ~LOG_APPEND_TIME_BIT
    setBaseOffset(batch, 0, baseOffset)
    setPartitionLeaderEpoch(batch, 0, this.leaderEpoch)
    // The CRC covers what follows it: base offset and leader epoch lie before and need no new one.
    if (recompressed || newBits !== bits || maxTimestamp(batch, 0) !== timestamp) {
      setAttributes(batch, 0, newBits)
      setMaxTimestamp(batch, 0, timestamp)
      setCrc(batch, 0, log.parts.crc32c(batch.subarray(CRC_FROM)))
    }
    log.append(batch, { baseOffset, lastOffset, maxTimestamp: timestamp }, nowMs)
    log.epochs.observe(this.leaderEpoch, baseOffset)
    const id = producerId(batch, 0)
    if (id >= 0) {
      log.producers.appended(
        claimOf(batch, id),
        { baseOffset, lastOffset, timestamp, nowMs },
        isTransactional(batch, 0),
      )
    }
    return this.#success(baseOffset, logAppendTime ? nowMs : -1)
  }

  /** The records of a batch without compression, or why there are none. */
  plainRecords(records: Buffer, codec: number): Buffer | Refusal {
    const body = records.subarray(RECORD_BATCH_OVERHEAD)
    if (codec === CodecId.uncompressed) return body
    if (codec > CodecId.zstd) return corrupt(`Unknown compression codec ${codec}`)
    const bytesMax = this.#host.decompressedBytesMax
    try {
      const plain = this.#host.codecs.decompress(codec as CompressedCodec, body, bytesMax)
      return Buffer.from(plain.buffer, plain.byteOffset, plain.length)
    } catch (error) {
      if (!(error instanceof CodecError)) throw error
      return error.tooLarge ? TOO_LARGE_DECOMPRESSED : corrupt(error.message)
    }
  }

  #targetCodec(codec: number): number {
    const type = this.#config['compression.type']
    return type === 'producer' ? codec : CodecId[type as keyof typeof CodecId]
  }

  #level(codec: number): number {
    if (codec === CodecId.gzip) return this.#config['compression.gzip.level']
    if (codec === CodecId.lz4) return this.#config['compression.lz4.level']
    return this.#config['compression.zstd.level']
  }

  /** One flush at a time; whoever comes meanwhile shares the next one. */
  #flush(): void {
    if (this.#flushing) return
    const end = this.log.logEndOffset
    this.#flushing = true
    this.log.flush((error) => {
      this.#flushing = false
      if (error !== undefined) this.#flushFailed(error)
      this.#answerFlushed(end, error)
      if (this.#awaitingFlush.length > 0) this.#flush()
    })
  }

  /** Nobody knows what reached the disk, whatever the error: recovery has to look. */
  #flushFailed(error: Error): void {
    if (!this.#online) return
    this.goOffline()
    this.#host.failed(this, error)
  }

  #answerFlushed(end: number, error: Error | undefined): void {
    while (this.#awaitingFlush.length > 0) {
      const first = this.#awaitingFlush[0]
      if (first === undefined || (first.end > end && error === undefined)) return
      this.#awaitingFlush.shift()
      const failed = this.#failure(ErrorCode.KAFKA_STORAGE_ERROR)
      first.sink.onAppended(first.tag, error === undefined ? first.result : failed)
    }
  }

  /**
   * The disk refused a read or a write: the partition goes offline, unless that may pass by itself.
   */
  storageFailed(error: StorageError): void {
    if (PASSING_DISK_ERRORS.has(error.code)) {
      this.#host.diskRefused(this, error)
      return
    }
    this.goOffline()
    this.#host.failed(this, error)
  }

  #success(baseOffset: number, logAppendTimeMs: number): AppendResult {
    return {
      errorCode: ErrorCode.NONE,
      baseOffset,
      logAppendTimeMs,
      logStartOffset: this.log.logStartOffset,
      errorMessage: null,
      recordErrors: null,
    }
  }

  #failure(errorCode: ErrorCode): AppendResult {
    return { ...FAILED, errorCode, logStartOffset: this.#online ? this.log.logStartOffset : -1 }
  }

  #refused(refusal: Refusal): AppendResult {
    const { errorCode, message, recordErrors } = refusal
    const logStartOffset = refusal.beforeLog ? -1 : this.log.logStartOffset
    return { ...FAILED, errorCode, errorMessage: message, recordErrors, logStartOffset }
  }
}

/** An append that failed, to be completed with its error. */
export const FAILED: AppendResult = {
  errorCode: ErrorCode.UNKNOWN_SERVER_ERROR,
  baseOffset: -1,
  logAppendTimeMs: -1,
  logStartOffset: -1,
  errorMessage: null,
  recordErrors: null,
}

const TOO_LARGE_DECOMPRESSED: Refusal = {
  errorCode: ErrorCode.MESSAGE_TOO_LARGE,
  message: 'The batch holds more than odradek.decompressed.batch.bytes.max when decompressed',
  recordErrors: null,
  beforeLog: true,
}

const TOO_LARGE_RECOMPRESSED: Refusal = {
  errorCode: ErrorCode.MESSAGE_TOO_LARGE,
  message: 'The batch exceeds max.message.bytes in the compression that the topic wants',
  recordErrors: null,
  beforeLog: true,
}

function corrupt(message: string): Refusal {
  return { errorCode: ErrorCode.CORRUPT_MESSAGE, message, recordErrors: null, beforeLog: false }
}

function claimOf(batch: Buffer, id: number): ProducerClaim {
  return {
    producerId: id,
    producerEpoch: producerEpoch(batch, 0),
    baseSequence: baseSequence(batch, 0),
    recordsCount: recordsCount(batch, 0),
  }
}

function refuseRead(result: ReadResult, errorCode: ErrorCode): ReadResult {
  result.errorCode = errorCode
  result.highWatermark = -1
  result.lastStableOffset = -1
  result.logStartOffset = -1
  result.aborted = null
  return result
}

function rulesOf(config: TopicConfig): BatchRules {
  return {
    maxMessageBytes: config['max.message.bytes'],
    segmentBytes: config['segment.bytes'],
    compacted: config['cleanup.policy'].includes('compact'),
    logAppendTime: config['message.timestamp.type'] === 'LogAppendTime',
    timestampBeforeMaxMs: config['message.timestamp.before.max.ms'],
    timestampAfterMaxMs: config['message.timestamp.after.max.ms'],
  }
}

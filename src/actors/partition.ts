/**
 * The partition actor: one per partition, on the thread that placement gave it, which alone touches
 * its log. It judges what producers send, appends, reads, and answers the rare commands.
 */
import type { TopicConfig } from '../config/topic.ts'
import type { Refusal } from '../log/batch-rules.ts'
import type { Codecs } from '../protocol/compression.ts'
import { ErrorCode } from '../protocol/errors.ts'
import {
  attributes,
  CRC_FROM,
  LOG_APPEND_TIME_BIT,
  lastOffsetDelta,
  maxTimestamp,
  producerEpoch,
  producerId,
  setAttributes,
  setBaseOffset,
  setCrc,
  setMaxTimestamp,
  setPartitionLeaderEpoch,
} from '../protocol/record-batch.ts'
import type { BufferPool } from '../ring/arena.ts'
import { StorageError } from '../storage/storage-error.ts'
import { BatchJudge } from './batch-judge.ts'
import { FlushQueue } from './partition-flush.ts'
import { type LogParts, PartitionLog } from './partition-log.ts'
import {
  type AppendOrigin,
  type AppendResult,
  type AppendSink,
  FAILED,
  FROM_CLIENT,
  type MarkerOrder,
  type ReadRequest,
  type ReadResult,
  refuseRead,
} from './partition-requests.ts'
import { claimOf, transactionProblem, writeMarker } from './partition-transactions.ts'

/**
 * Bytes that one read of one partition brings at most (but always a whole batch): it fills memory.
 */
const READ_BYTES_MAX = 4 * 1024 * 1024

/** Errors of a disk that may go away by themselves: the partition stays online. */
const PASSING_DISK_ERRORS: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT', 'EMFILE'])

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

export class Partition {
  readonly slot: number
  readonly log: PartitionLog
  readonly judge: BatchJudge
  /** Who waits for this partition to advance; managed by the host. */
  watched = false
  /** Whether the append under way, or the last one, has reached its sink. */
  answered = false
  leaderEpoch: number
  #host: PartitionHost
  #config: TopicConfig
  #online = false
  readonly #flushes: FlushQueue

  constructor(parts: LogParts, leaderEpoch: number, config: TopicConfig, host: PartitionHost) {
    this.slot = parts.slot
    this.leaderEpoch = leaderEpoch
    this.log = new PartitionLog(parts, config)
    this.#host = host
    this.#config = config
    const { codecs, decompressedBytesMax } = host
    this.judge = new BatchJudge({ codecs, decompressedBytesMax, crc32c: parts.crc32c }, config)
    this.#flushes = new FlushQueue(this.log, (error) => this.#flushFailed(error))
    this.log.flushState.onRollFlushFailed = (error) => this.#flushFailed(error)
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
    this.judge.configure(config)
    this.log.config = config
  }

  /** The log was opened: requests are served. */
  goOnline(): void {
    this.#online = true
  }

  /** Answers KAFKA_STORAGE_ERROR from now on, also to those who wait for a flush. */
  goOffline(): void {
    this.#online = false
    this.#flushes.failAll(this.#failure(ErrorCode.KAFKA_STORAGE_ERROR))
  }

  /**
   * Appends the one batch in `records` (bytes of the caller, header fields are written into them).
   * `acksAll`: the answer may have to wait for a flush, as the topic's policy says.
   */
  // hot
  append(
    records: Buffer,
    acksAll: boolean,
    sink: AppendSink,
    tag: number,
    origin: AppendOrigin = FROM_CLIENT,
  ): void {
    this.answered = false
    let result: AppendResult
    try {
      result = this.#online ? this.#tryAppend(records, origin) : this.#offline()
    } catch (error) {
      result = this.#storageProblem(error)
    }
    this.#settle(result, acksAll, sink, tag)
  }

  /** Ends a transaction here; the answer comes as for an append with acks=all. */
  appendMarker(marker: MarkerOrder, sink: AppendSink, tag: number): void {
    this.answered = false
    let result: AppendResult
    try {
      result = this.#online ? this.#tryMarker(marker) : this.#offline()
    } catch (error) {
      result = this.#storageProblem(error)
    }
    this.#settle(result, true, sink, tag)
  }

  /** Answers, now or when what was appended is on the disk. */
  // hot
  #settle(result: AppendResult, acksAll: boolean, sink: AppendSink, tag: number): void {
    if (result.errorCode === ErrorCode.NONE) {
      this.#host.advanced(this)
      const { unflushedMessages } = this.log.flushState
      const due = unflushedMessages >= this.#config['flush.messages']
      if (due || (acksAll && this.#host.groupCommit && unflushedMessages > 0)) {
        this.#flushes.add(sink, tag, result)
        return
      }
    }
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
    const { unflushedMessages, unflushedSinceMs } = this.log.flushState
    const isDue = nowMs - unflushedSinceMs >= this.#config['flush.ms']
    if (unflushedMessages > 0 && isDue) this.#flushes.flush()
  }

  #tryAppend(records: Buffer, origin: AppendOrigin): AppendResult {
    const { log } = this
    const nowMs = log.parts.clock.wallMs()
    const unverified = transactionProblem(log.producers, records, origin, nowMs)
    if (unverified !== undefined) {
      return { ...this.#failure(ErrorCode.INVALID_TXN_STATE), ...unverified }
    }
    const batch = this.judge.judge(records, nowMs)
    if (!Buffer.isBuffer(batch)) return this.#refused(batch)
    const id = producerId(batch, 0)
    if (id >= 0 && origin.coordinator) {
      const errorCode = log.producers.checkEpoch(id, producerEpoch(batch, 0))
      if (errorCode !== ErrorCode.NONE) return this.#failure(errorCode)
    } else if (id >= 0) {
      const verdict = log.producers.check(claimOf(batch, id), origin.epochBump)
      if (verdict.kind === 'refuse') return this.#failure(verdict.errorCode)
      if (verdict.kind === 'duplicate') {
        const { baseOffset, timestamp } = verdict.batch
        return this.#success(baseOffset, timestamp)
      }
    }
    return this.#appendSound(batch, batch !== records, nowMs)
  }

  #tryMarker(marker: MarkerOrder): AppendResult {
    const { errorCode, offset } = writeMarker(this.log, this.leaderEpoch, marker)
    return errorCode === ErrorCode.NONE ? this.#success(offset, -1) : this.#failure(errorCode)
  }

  /** Completes the header of a batch that passed every check, and appends it. */
  #appendSound(batch: Buffer, recompressed: boolean, nowMs: number): AppendResult {
    const { log } = this
    const baseOffset = log.logEndOffset
    const lastOffset = baseOffset + lastOffsetDelta(batch, 0)
    const { logAppendTime } = this.judge
    const bits = attributes(batch, 0)
    const timestamp = logAppendTime ? nowMs : this.judge.maxTimestamp
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
      log.producers.appended(claimOf(batch, id), { baseOffset, lastOffset, timestamp, nowMs })
    }
    return this.#success(baseOffset, logAppendTime ? nowMs : -1)
  }

  /** Nobody knows what reached the disk, whatever the error: recovery has to look. */
  #flushFailed(error: Error): void {
    if (!this.#online) return
    this.goOffline()
    this.#host.failed(this, error)
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

  #storageProblem(error: unknown): AppendResult {
    if (!(error instanceof StorageError)) throw error
    this.storageFailed(error)
    return this.#offline()
  }

  #offline(): AppendResult {
    return this.#failure(ErrorCode.KAFKA_STORAGE_ERROR)
  }

  #success(baseOffset: number, logAppendTimeMs: number): AppendResult {
    return {
      errorCode: ErrorCode.NONE,
      baseOffset,
      logAppendTimeMs,
      logStartOffset: this.log.logStartOffset,
      errorMessage: null,
      recordErrors: null,
      guard: 0,
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

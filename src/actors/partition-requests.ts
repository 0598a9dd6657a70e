/** What a partition is asked, and what it answers: the same on its own thread and over a ring. */
import type { Refusal } from '../log/batch-rules.ts'
import type { MarkerClaim } from '../log/producer-state.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { LogRead } from './log-segment.ts'

/** Who hears how an append ended. */
export interface AppendSink {
  /** `tag`: what the caller gave. Called once for each append, during it or after its flush. */
  onAppended(tag: number, result: AppendResult): void
}

/** On whose word a transactional batch is appended. */
export interface AppendOrigin {
  /** A coordinator of this broker wrote the batch: it has no sequences. */
  readonly coordinator: boolean
  /** The coordinator has the partition in the transaction, whose end raises the epoch. */
  readonly epochBump: boolean
  /**
   * From an append that was refused with it, when the coordinator was asked since; 0: it was not.
   */
  readonly guard: number
}

/** A client that sends for the first time. */
export const FROM_CLIENT: AppendOrigin = { coordinator: false, epochBump: false, guard: 0 }

/** A coordinator of this broker. */
export const FROM_COORDINATOR: AppendOrigin = { coordinator: true, epochBump: true, guard: 0 }

/** A client that speaks of a transaction of version 2, which the coordinator knows. */
export const FROM_JOINED: AppendOrigin = { coordinator: false, epochBump: true, guard: 0 }

/** A marker to be written. `transactionVersion`: from 2 on the end raised the epoch. */
export interface MarkerOrder extends MarkerClaim {
  readonly transactionVersion: number
}

/** How an append ended. Offsets and times are -1 where they do not apply. */
export interface AppendResult {
  errorCode: ErrorCode
  baseOffset: number
  logAppendTimeMs: number
  logStartOffset: number
  errorMessage: string | null
  recordErrors: Refusal['recordErrors']
  /**
   * Not 0, with INVALID_TXN_STATE: the batch may come again with this guard when the coordinator
   * says that its transaction has the partition.
   */
  guard: number
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

/** An append that failed, to be completed with its error. */
export const FAILED: AppendResult = {
  errorCode: ErrorCode.UNKNOWN_SERVER_ERROR,
  baseOffset: -1,
  logAppendTimeMs: -1,
  logStartOffset: -1,
  errorMessage: null,
  recordErrors: null,
  guard: 0,
}

/** Makes an answer to a fetch one that only refuses. */
export function refuseRead(result: ReadResult, errorCode: ErrorCode): ReadResult {
  result.errorCode = errorCode
  result.highWatermark = -1
  result.lastStableOffset = -1
  result.logStartOffset = -1
  result.aborted = null
  return result
}

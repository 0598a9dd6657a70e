/**
 * Transactions as one partition sees them: whether a batch may open one, and markers that end one.
 * Lives on the partition's thread.
 */
import { markerBatch } from '../log/marker.ts'
import type { ProducerClaim, ProducerStates } from '../log/producer-state.ts'
import { ErrorCode } from '../protocol/errors.ts'
import {
  baseSequence,
  isTransactional,
  producerEpoch,
  producerId,
  RECORD_BATCH_OVERHEAD,
  recordsCount,
  setBaseOffset,
  setPartitionLeaderEpoch,
} from '../protocol/record-batch.ts'
import type { PartitionLog } from './partition-log.ts'
import type { AppendOrigin, MarkerOrder } from './partition-requests.ts'

/** What the header of a batch with a producer id says. */
export function claimOf(batch: Buffer, id: number): ProducerClaim {
  return {
    producerId: id,
    producerEpoch: producerEpoch(batch, 0),
    baseSequence: baseSequence(batch, 0),
    recordsCount: recordsCount(batch, 0),
    transactional: isTransactional(batch, 0),
  }
}

/**
 * Why a batch may not open a transaction here, with the guard with which it may come again;
 * `undefined`: it opens none, or somebody vouches that the coordinator knows of it. KIP-890.
 */
// hot
export function transactionProblem(
  producers: ProducerStates,
  records: Buffer,
  origin: AppendOrigin,
  nowMs: number,
): { guard: number; errorMessage: string | null } | undefined {
  // A batch too short for its header is refused as such.
  if (records.length < RECORD_BATCH_OVERHEAD || !isTransactional(records, 0)) return undefined
  const id = producerId(records, 0)
  if (id < 0 || origin.epochBump) return undefined
  if (producers.isOngoing(id, producerEpoch(records, 0))) return undefined
  if (origin.guard === 0) {
    return { guard: producers.guard(claimOf(records, id), nowMs), errorMessage: null }
  }
  if (producers.holdsGuard(id, origin.guard)) return undefined
  return { guard: 0, errorMessage: 'Record was not part of an ongoing transaction' }
}

/** Appends a marker, or says why not. Throws StorageError, after which the log is as it was. */
export function writeMarker(
  log: PartitionLog,
  leaderEpoch: number,
  marker: MarkerOrder,
): { errorCode: ErrorCode; offset: number } {
  const errorCode = log.producers.checkMarker(marker, marker.transactionVersion >= 2)
  if (errorCode !== ErrorCode.NONE) return { errorCode, offset: -1 }
  const nowMs = log.parts.clock.wallMs()
  const batch = markerBatch(marker, nowMs, log.parts.crc32c)
  const offset = log.logEndOffset
  setBaseOffset(batch, 0, offset)
  setPartitionLeaderEpoch(batch, 0, leaderEpoch)
  log.append(batch, { baseOffset: offset, lastOffset: offset, maxTimestamp: nowMs }, nowMs)
  log.epochs.observe(leaderEpoch, offset)
  const aborted = log.producers.marked(marker, offset, nowMs)
  if (aborted !== undefined) log.journal.aborted.push(aborted)
  return { errorCode, offset }
}

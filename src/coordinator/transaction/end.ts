/** The end of a transaction. Source: Kafka's TransactionCoordinator; KIP-98, KIP-890. */
import { unreachable } from '../../base/assert.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { TransactionProducer } from '../runtime.ts'
import {
  changed,
  EPOCH_BUMP_VERSION,
  isEpochExhausted,
  isPrepared,
  NO_PRODUCER_ID,
  type Outcome,
  refused,
  type Transaction,
} from './transaction.ts'

/** How a client wants its transaction to end. */
export interface Ending {
  readonly commit: boolean
  /** 2: the epoch rises, and an abort may come before anything was added. */
  readonly clientVersion: number
}

/**
 * Decides the end. Once what is changed is logged it holds, whatever becomes of the markers.
 * `freshId`: as of initialize.
 */
export function end(
  known: Transaction | undefined,
  producer: TransactionProducer,
  ending: Ending,
  nowMs: number,
  freshId: number | undefined,
): Outcome {
  if (known === undefined) return refused(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
  const bumps = ending.clientVersion >= EPOCH_BUMP_VERSION
  const hasEnded = known.state !== 'Ongoing' && known.state !== 'Empty'
  const isRetry = bumps && hasEnded && isAnswered(known, producer)
  if (known.producerId !== producer.producerId && !isRetry) {
    return refused(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
  }
  if (!isRetry && !isPresent(known, producer, bumps)) return refused(ErrorCode.PRODUCER_FENCED)
  const mayRepeat = bumps ? isRetry : true
  const { commit } = ending
  switch (known.state) {
    case 'Ongoing':
      return prepare(known, ending, nowMs, freshId)
    case 'PrepareCommit':
    case 'PrepareAbort':
      return refused(
        commit === (known.state === 'PrepareCommit')
          ? ErrorCode.CONCURRENT_TRANSACTIONS
          : ErrorCode.INVALID_TXN_STATE,
      )
    case 'CompleteCommit':
    case 'CompleteAbort':
      if (mayRepeat) {
        return commit === (known.state === 'CompleteCommit')
          ? { kind: 'done', transaction: known }
          : refused(ErrorCode.INVALID_TXN_STATE)
      }
      break
    case 'Empty':
      break
    default:
      return unreachable(known.state)
  }
  // Nothing was added since the last end: there is nothing to commit, but an epoch to leave behind.
  if (commit || !bumps) return refused(ErrorCode.INVALID_TXN_STATE)
  return prepare({ ...known, startMs: nowMs }, ending, nowMs, freshId)
}

/**
 * Aborts an ongoing transaction of which the producer is not heard any more, or that another one
 * takes over: its epoch is too old from now on.
 */
export function fence(known: Transaction, nowMs: number): Transaction {
  return {
    ...known,
    previousProducerId: known.producerId,
    producerEpoch: known.producerEpoch + 1,
    lastProducerEpoch: known.producerEpoch,
    state: 'PrepareAbort',
    updateMs: nowMs,
    clientVersion: EPOCH_BUMP_VERSION,
  }
}

/** All markers are written. */
export function complete(prepared: Transaction, nowMs: number): Transaction {
  const { nextProducerId } = prepared
  const renewed = nextProducerId !== NO_PRODUCER_ID
  return {
    ...prepared,
    previousProducerId: prepared.producerId,
    nextProducerId: NO_PRODUCER_ID,
    producerId: renewed ? nextProducerId : prepared.producerId,
    producerEpoch: renewed ? 0 : prepared.producerEpoch,
    state: prepared.state === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort',
    partitions: new Map(),
    updateMs: nowMs,
  }
}

/** What the producer goes on with once its transaction is to end. */
export function nextProducer(transaction: Transaction): TransactionProducer {
  const { nextProducerId, producerId, producerEpoch } = transaction
  if (nextProducerId === NO_PRODUCER_ID) return { producerId, producerEpoch }
  return { producerId: nextProducerId, producerEpoch: 0 }
}

function prepare(
  known: Transaction,
  { commit, clientVersion }: Ending,
  nowMs: number,
  freshId: number | undefined,
): Outcome {
  const bumps = clientVersion >= EPOCH_BUMP_VERSION
  const renewed = bumps && isEpochExhausted(known.producerEpoch)
  if (renewed && freshId === undefined) return { kind: 'needs-producer-id' }
  return changed({
    ...known,
    previousProducerId: known.producerId,
    nextProducerId: renewed ? (freshId as number) : NO_PRODUCER_ID,
    producerEpoch: bumps ? known.producerEpoch + 1 : known.producerEpoch,
    lastProducerEpoch: bumps ? known.producerEpoch : known.lastProducerEpoch,
    state: commit ? 'PrepareCommit' : 'PrepareAbort',
    updateMs: nowMs,
    clientVersion,
  })
}

/** Whether the producer's end was decided already, and its epoch raised with it. */
function isAnswered(known: Transaction, { producerId, producerEpoch }: TransactionProducer) {
  if (producerId === known.producerId) return known.producerEpoch === producerEpoch + 1
  return (
    producerId === known.previousProducerId &&
    isEpochExhausted(producerEpoch) &&
    known.producerEpoch === 0
  )
}

/** A producer whose transaction is ending has an epoch that was not told to anybody yet. */
function isPresent(known: Transaction, { producerEpoch }: TransactionProducer, bumps: boolean) {
  return known.producerEpoch === producerEpoch && !(bumps && isPrepared(known))
}

/** InitProducerId with a transactional id. Source: Kafka's TransactionCoordinator; KIP-360. */
import { ErrorCode } from '../../protocol/errors.ts'
import type { TransactionProducer } from '../runtime.ts'
import { fence } from './end.ts'
import {
  changed,
  isEpochExhausted,
  isPrepared,
  NO_EPOCH,
  NO_PRODUCER_ID,
  type Outcome,
  refused,
  type Transaction,
} from './transaction.ts'

/** What a producer asks for. */
export interface Initialization {
  readonly transactionalId: string
  readonly timeoutMs: number
  /** What it had before, when it goes on after an error. */
  readonly expected: TransactionProducer | undefined
}

const NOTHING = new Map<string, ReadonlySet<number>>()

/**
 * The producer's id and epoch for what comes. An ongoing transaction is aborted first: the outcome
 * is that change, and the client has to ask again (CONCURRENT_TRANSACTIONS). `freshId`: of a
 * producer that never was; undefined: there is none at hand.
 */
export function initialize(
  known: Transaction | undefined,
  { transactionalId, timeoutMs, expected }: Initialization,
  nowMs: number,
  freshId: number | undefined,
): Outcome {
  if (known === undefined) {
    if (freshId === undefined) return { kind: 'needs-producer-id' }
    return changed({
      transactionalId,
      producerId: freshId,
      previousProducerId: freshId,
      nextProducerId: NO_PRODUCER_ID,
      producerEpoch: 0,
      lastProducerEpoch: NO_EPOCH,
      timeoutMs,
      state: 'Empty',
      partitions: NOTHING,
      startMs: -1,
      updateMs: nowMs,
      clientVersion: 0,
    })
  }
  if (expected !== undefined && !mayContinue(known, expected)) {
    return refused(ErrorCode.PRODUCER_FENCED)
  }
  if (isPrepared(known)) return refused(ErrorCode.CONCURRENT_TRANSACTIONS)
  if (known.state === 'Ongoing') return changed(fence(known, nowMs))
  const empty: Transaction = {
    ...known,
    previousProducerId: known.producerId,
    nextProducerId: NO_PRODUCER_ID,
    timeoutMs,
    state: 'Empty',
    partitions: NOTHING,
    startMs: -1,
    updateMs: nowMs,
  }
  const epoch = known.producerEpoch
  const isRetry =
    expected?.producerEpoch !== epoch && expected?.producerEpoch === known.lastProducerEpoch
  if (expected !== undefined && expected.producerEpoch !== epoch && !isRetry) {
    return refused(ErrorCode.PRODUCER_FENCED)
  }
  const lastProducerEpoch = expected === undefined ? NO_EPOCH : epoch
  if (isEpochExhausted(epoch)) {
    if (freshId === undefined) return { kind: 'needs-producer-id' }
    return changed({ ...empty, producerId: freshId, producerEpoch: 0, lastProducerEpoch })
  }
  // The epoch was raised for this producer already, and no other one came between.
  if (isRetry) return changed(empty)
  return changed({ ...empty, producerEpoch: epoch + 1, lastProducerEpoch })
}

/** The id fits; after a change of ids that of before, at its end, does as well. */
function mayContinue(known: Transaction, { producerId, producerEpoch }: TransactionProducer) {
  if (producerId === known.producerId) return true
  return producerId === known.previousProducerId && isEpochExhausted(producerEpoch)
}

/** Partitions join a transaction. Source: Kafka's TransactionCoordinator; KIP-98, KIP-890. */
import { ErrorCode } from '../../protocol/errors.ts'
import type { TransactionProducer } from '../runtime.ts'
import {
  changed,
  holdsAll,
  isPrepared,
  NO_PRODUCER_ID,
  type Outcome,
  refused,
  type Transaction,
  type TransactionPartitions,
  union,
} from './transaction.ts'

/** Adds partitions; with the first one the transaction begins. */
export function join(
  known: Transaction | undefined,
  producer: TransactionProducer,
  added: { readonly partitions: TransactionPartitions; readonly clientVersion: number },
  nowMs: number,
): Outcome {
  const problem = producerProblem(known, producer)
  if (known === undefined || problem !== ErrorCode.NONE) return refused(problem)
  const isOngoing = known.state === 'Ongoing'
  if (isOngoing && holdsAll(known.partitions, added.partitions)) {
    return { kind: 'done', transaction: known }
  }
  return changed({
    ...known,
    previousProducerId: known.producerId,
    nextProducerId: NO_PRODUCER_ID,
    state: 'Ongoing',
    partitions: union(known.partitions, added.partitions),
    startMs: isOngoing ? known.startMs : nowMs,
    updateMs: nowMs,
    clientVersion: added.clientVersion,
  })
}

/**
 * Why this producer cannot have anything to do with the transaction now. CONCURRENT_TRANSACTIONS:
 * the one before is ending, and it may ask again.
 */
export function producerProblem(
  known: Transaction | undefined,
  { producerId, producerEpoch }: TransactionProducer,
): ErrorCode {
  if (known?.producerId !== producerId) return ErrorCode.INVALID_PRODUCER_ID_MAPPING
  if (known.producerEpoch !== producerEpoch) return ErrorCode.PRODUCER_FENCED
  return isPrepared(known) ? ErrorCode.CONCURRENT_TRANSACTIONS : ErrorCode.NONE
}

/**
 * A transactional id and its present transaction, as values. Source: Kafka's TransactionMetadata;
 * KIP-98, KIP-360, KIP-890.
 */
import type { TransactionProducer } from '../runtime.ts'

/** As DescribeTransactions names it; the place is what is logged. */
export const transactionStates = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
] as const

export type TransactionState = (typeof transactionStates)[number]

/** Partition indexes by topic name. */
export type TransactionPartitions = ReadonlyMap<string, ReadonlySet<number>>

/** Absent: no producer id, no epoch. */
export const NO_PRODUCER_ID = -1
export const NO_EPOCH = -1

/** The version of transactions in which every end raises the epoch. KIP-890. */
export const EPOCH_BUMP_VERSION = 2

/** What is kept of a transactional id. */
export interface Transaction extends TransactionProducer {
  readonly transactionalId: string
  /** Before the last change; another one after a change of ids, so that a retry is recognized. */
  readonly previousProducerId: number
  /** Taken over when the transaction has ended; -1: the id stays. */
  readonly nextProducerId: number
  /**
   * What the producer had before its epoch was raised for it, so that a retry is recognized; -1:
   * nobody may come back with it. Not logged.
   */
  readonly lastProducerEpoch: number
  readonly timeoutMs: number
  readonly state: TransactionState
  readonly partitions: TransactionPartitions
  /** Wall milliseconds; -1: there was none since the producer was initialized. */
  readonly startMs: number
  /** Wall milliseconds. */
  readonly updateMs: number
  /** Of the client that changed it last. */
  readonly clientVersion: number
}

/** Both ends of the markers: decided, but not everywhere known. */
export function isPrepared({ state }: Transaction): boolean {
  return state === 'PrepareCommit' || state === 'PrepareAbort'
}

/** The epoch above it is kept for fencing: a producer gets another id. */
export function isEpochExhausted(epoch: number): boolean {
  return epoch >= 0x7fff - 1
}

/** How a change is to happen. */
export type Outcome =
  | { readonly kind: 'refused'; readonly errorCode: number }
  /** Nothing changes; the answer is that of the change that was made before. */
  | { readonly kind: 'done'; readonly transaction: Transaction }
  | { readonly kind: 'changed'; readonly transaction: Transaction }
  /** To be asked again with a fresh producer id. */
  | { readonly kind: 'needs-producer-id' }

export function refused(errorCode: number): Outcome {
  return { kind: 'refused', errorCode }
}

export function changed(transaction: Transaction): Outcome {
  return { kind: 'changed', transaction }
}

/** Each partition that is named in `partitions`. */
export function* eachPartition(
  partitions: TransactionPartitions,
): IterableIterator<{ topic: string; partition: number }> {
  for (const [topic, indexes] of partitions) {
    for (const partition of indexes) yield { topic, partition }
  }
}

/** Whether `all` holds everything of `some`. */
export function holdsAll(all: TransactionPartitions, some: TransactionPartitions): boolean {
  for (const { topic, partition } of eachPartition(some)) {
    if (all.get(topic)?.has(partition) !== true) return false
  }
  return true
}

/** What is in either. */
export function union(a: TransactionPartitions, b: TransactionPartitions): TransactionPartitions {
  const all = new Map([...a].map(([topic, indexes]) => [topic, new Set(indexes)]))
  for (const { topic, partition } of eachPartition(b)) {
    const indexes = all.get(topic)
    if (indexes === undefined) all.set(topic, new Set([partition]))
    else indexes.add(partition)
  }
  return all
}

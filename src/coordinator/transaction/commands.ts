/**
 * What the transaction coordinator is asked and what it answers: plain values that cross threads.
 */
import type { DescribeTransactions } from '../../protocol/apis/65-describe-transactions.ts'
import type { ListTransactions } from '../../protocol/apis/66-list-transactions.ts'
import type { ErrorCode } from '../../protocol/errors.ts'
import type { RequestOf, ResponseInput } from '../../protocol/schema.ts'
import type { TransactionMarker, TransactionProducer } from '../runtime.ts'

/** Partitions of a topic, by name. */
export interface TopicPartitions {
  readonly topic: string
  readonly partitions: readonly number[]
}

/** A marker, and the partition that it is for. */
export interface MarkerTarget extends TransactionMarker {
  readonly topic: string
  readonly partition: number
}

/** Whose transaction a command is about. */
interface OfTransaction extends TransactionProducer {
  readonly transactionalId: string
}

/** Commands; each is answered exactly once. */
export type TransactionCommand =
  | (OfTransaction & {
      /** Producer id and epoch are -1 for a producer that begins. */
      kind: 'init-transactional-id'
      transactionTimeoutMs: number
    })
  | (OfTransaction & {
      kind: 'add-partitions-to-txn'
      /** Only tells whether they are in it. */
      verifyOnly: boolean
      /** Of transactions: 2 where every end raises the epoch. KIP-890. */
      clientVersion: number
      /** Waits a little while the transaction before is ending, instead of being sent away. */
      waits: boolean
      topics: readonly TopicPartitions[]
    })
  | (OfTransaction & {
      kind: 'add-offsets-to-txn'
      groupId: string
    })
  | (OfTransaction & { kind: 'end-txn'; commit: boolean; clientVersion: number })
  | { kind: 'write-txn-markers'; markers: readonly MarkerTarget[] }
  | { kind: 'describe-transactions'; request: RequestOf<typeof DescribeTransactions> }
  | { kind: 'list-transactions'; request: RequestOf<typeof ListTransactions> }

/** A producer id and epoch, or an error. */
export interface ProducerAnswer extends TransactionProducer {
  readonly errorCode: ErrorCode
}

/** The answer to a command, by its kind. */
export interface TransactionAnswers {
  'init-transactional-id': ProducerAnswer
  /** One for each partition, in the order of asking. */
  'add-partitions-to-txn': { readonly errorCodes: readonly ErrorCode[] }
  'add-offsets-to-txn': { readonly errorCode: ErrorCode }
  'end-txn': ProducerAnswer
  /** One for each marker, in the order of asking. */
  'write-txn-markers': { readonly errorCodes: readonly ErrorCode[] }
  'describe-transactions': ResponseInput<typeof DescribeTransactions>
  'list-transactions': ResponseInput<typeof ListTransactions>
}

/** The command of one kind. */
export type TransactionCommandOf<K extends TransactionCommand['kind']> = TransactionCommand & {
  kind: K
}

/**
 * What the coordinator actor accepts and answers. It lives on the coordinator's thread; all
 * messages here are rare and cross threads as msgpackr. An answer may be held for minutes
 * (JoinGroup), so it comes as a message of its own: a request on the ring is answered at once.
 */
import type { GroupAnswers, GroupCommand } from '../../coordinator/group/commands.ts'
import type { ShareAnswers, ShareCommand } from '../../coordinator/share/commands.ts'
import type {
  TransactionAnswers,
  TransactionCommand,
} from '../../coordinator/transaction/commands.ts'
import type { ErrorCode } from '../../protocol/errors.ts'

/** Commands, each answered exactly once. */
export type CoordinatorCommand =
  | GroupCommand
  | ShareCommand
  | TransactionCommand
  /** Makes sure that `__consumer_offsets` exists. */
  | { kind: 'ensure-offsets-topic' }
  /** Makes sure that `__share_group_state` exists. */
  | { kind: 'ensure-share-topic' }
  /** Makes sure that `__transaction_state` exists. */
  | { kind: 'ensure-transaction-topic' }
  /** A connection is gone over which members spoke, or fetched as members of share groups. */
  | { kind: 'connection-closed'; connection: string; by: 'client' | 'broker' }

/** The answer to a command, by its kind. */
export type CoordinatorAnswers = GroupAnswers &
  ShareAnswers &
  TransactionAnswers & {
    'ensure-offsets-topic': { errorCode: ErrorCode }
    'ensure-share-topic': { errorCode: ErrorCode }
    'ensure-transaction-topic': { errorCode: ErrorCode }
    'connection-closed': null
  }

/** A command on its way to the coordinator's thread. Answered by CoordinatorReceipt. */
export interface CoordinatorRequest {
  kind: 'coordinate'
  /** Of the asking thread, for the answer. */
  token: number
  command: CoordinatorCommand
}

/** The answer, if there is one already. */
export type CoordinatorReceipt = { answered: true; answer: unknown } | { answered: false }

/** A held answer on its way to the thread that asked. */
export interface CoordinatorAnswer {
  kind: 'coordinated'
  token: number
  answer: unknown
}

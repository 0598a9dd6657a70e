/**
 * Offsets that are committed within a transaction: the transaction coordinator has to know of the
 * partition that they are kept in before the group coordinator writes them. Both live on this
 * thread, so nothing comes between the two.
 */
import { OFFSETS_TOPIC } from '../cluster/internal-topics.ts'
import type { CommandOf, GroupAnswers } from '../coordinator/group/commands.ts'
import { transactionalCommitFailure } from '../coordinator/group/offsets-transaction.ts'
import type { GroupService } from '../coordinator/group/service.ts'
import type {
  TransactionAnswers,
  TransactionCommandOf,
} from '../coordinator/transaction/commands.ts'
import type { TransactionService } from '../coordinator/transaction/service.ts'
import { ErrorCode } from '../protocol/errors.ts'

/** The first version that adds the partition by itself. KIP-890. */
const IMPLICIT_FROM = 5
/** The first version that knows TRANSACTION_ABORTABLE. */
const ABORTABLE_FROM = 4

/** TxnOffsetCommit. */
export function commitInTransaction(
  transactions: TransactionService,
  groups: GroupService,
  command: CommandOf<'txn-offset-commit'>,
  answer: (result: GroupAnswers['txn-offset-commit']) => void,
): void {
  const { request, apiVersion } = command
  const { image } = groups.coordinator.parts
  const exists = request.topics.some(({ name, partitions }) => {
    return partitions.some((one) => image.topic(name)?.partitions[one.partitionIndex] !== undefined)
  })
  if (request.groupId === '' || !exists || groups.coordinator.partitionCount === 0) {
    groups.onCommand(command, answer)
    return
  }
  const { transactionalId, producerId, producerEpoch } = request
  const implicit = apiVersion >= IMPLICIT_FROM
  transactions.onCommand(
    {
      kind: 'add-partitions-to-txn',
      transactionalId,
      producerId,
      producerEpoch,
      verifyOnly: !implicit,
      clientVersion: 2,
      waits: true,
      topics: [offsetsOf(groups, request.groupId)],
    },
    ({ errorCodes }) => {
      const errorCode = told(errorCodes[0] as ErrorCode, apiVersion)
      if (errorCode === ErrorCode.NONE) groups.onCommand(command, answer)
      else answer(transactionalCommitFailure(errorCode, request))
    },
  )
}

/** AddOffsetsToTxn; the topic of the offsets has to be there. */
export function addOffsets(
  transactions: TransactionService,
  groups: GroupService,
  command: TransactionCommandOf<'add-offsets-to-txn'>,
  answer: (result: TransactionAnswers['add-offsets-to-txn']) => void,
): void {
  const { transactionalId, producerId, producerEpoch, groupId } = command
  transactions.onCommand(
    {
      kind: 'add-partitions-to-txn',
      transactionalId,
      producerId,
      producerEpoch,
      verifyOnly: false,
      clientVersion: 0,
      waits: false,
      topics: [offsetsOf(groups, groupId)],
    },
    ({ errorCodes }) => answer({ errorCode: errorCodes[0] as ErrorCode }),
  )
}

function offsetsOf(groups: GroupService, groupId: string) {
  return { topic: OFFSETS_TOPIC, partitions: [groups.coordinator.partitionOf(groupId)] }
}

/** The words of the group coordinator for what the other one says. */
function told(errorCode: ErrorCode, apiVersion: number): ErrorCode {
  switch (errorCode) {
    case ErrorCode.PRODUCER_FENCED:
      return ErrorCode.INVALID_PRODUCER_EPOCH
    case ErrorCode.TRANSACTION_ABORTABLE:
      return apiVersion >= ABORTABLE_FROM ? errorCode : ErrorCode.INVALID_TXN_STATE
    case ErrorCode.CONCURRENT_TRANSACTIONS:
      // Clients of before do not expect it here.
      return apiVersion >= IMPLICIT_FROM ? errorCode : ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
    default:
      return errorCode
  }
}

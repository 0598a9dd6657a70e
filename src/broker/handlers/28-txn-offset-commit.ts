/**
 * TxnOffsetCommit 0-5 (KIP-98; v2 leader epochs; v3 members, KIP-447; v5 KIP-890).
 * Kept: the offsets hold when the transaction commits, and OffsetFetch may say of them that they
 *   are unstable until then; a member that is named has to be of the present generation. Below
 *   version 5 the partition of the group's offsets has to be in the transaction already.
 */
import { transactionalCommitFailure } from '../../coordinator/group/offsets-transaction.ts'
import { TxnOffsetCommit } from '../../protocol/apis/28-txn-offset-commit.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { askCoordinator } from './coordinator.ts'
import { defineHandler } from './handler.ts'

export const txnOffsetCommit = defineHandler(TxnOffsetCommit, [0, 5], (request, exchange) => {
  askCoordinator('txn-offset-commit', request, exchange, () => {
    return transactionalCommitFailure(ErrorCode.NOT_COORDINATOR, request)
  })
})

/**
 * OffsetCommit 2-10 (v6 leader epochs KIP-320, v7 static members KIP-345, v9 member epochs KIP-848,
 * v10 topic ids).
 * Kept: offsets without a group need none; a member has to be of the present generation, also while
 *   the group prepares a rebalance; each partition fails for itself (topic unknown, metadata too
 *   long); the retention of v2-4 holds for that commit; the answer leaves when the offsets are in
 *   the log.
 */
import { commitFailure } from '../../coordinator/group/offsets-commit.ts'
import { OffsetCommit } from '../../protocol/apis/08-offset-commit.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { askCoordinator } from './coordinator.ts'
import { defineHandler } from './handler.ts'

export const offsetCommit = defineHandler(OffsetCommit, [2, 10], (request, exchange) => {
  askCoordinator('offset-commit', request, exchange, () => {
    return commitFailure(ErrorCode.NOT_COORDINATOR, request)
  })
})

/**
 * LeaveGroup 0-5 (v3 several members and static ones KIP-345, v5 reason KIP-800).
 * Kept: from v3 on each member has an error of its own and the request has none, also for a group
 *   that does not exist; a static member is found by its instance id alone.
 */
import { LeaveGroup } from '../../protocol/apis/13-leave-group.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { askCoordinator } from './coordinator.ts'
import { defineHandler } from './handler.ts'

export const leaveGroup = defineHandler(LeaveGroup, [0, 5], (request, exchange) => {
  askCoordinator('leave-group', request, exchange, () => ({ errorCode: ErrorCode.NOT_COORDINATOR }))
})

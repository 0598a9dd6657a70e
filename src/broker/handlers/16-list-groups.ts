/**
 * ListGroups 0-5 (v4 states KIP-518, v5 types KIP-848).
 * Kept: both filters take names in any case, and unknown names match nothing; a group that only
 *   holds offsets has no protocol type and is Empty.
 */
import { ListGroups } from '../../protocol/apis/16-list-groups.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { askCoordinator } from './coordinator.ts'
import { defineHandler } from './handler.ts'

export const listGroups = defineHandler(ListGroups, [0, 5], (request, exchange) => {
  askCoordinator('list-groups', request, exchange, () => ({
    errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE,
    groups: [],
  }))
})

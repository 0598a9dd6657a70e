/**
 * DeleteGroups 0-2 (KIP-229).
 * Kept: a group with members is NON_EMPTY_GROUP; its offsets go with a group.
 */
import { DeleteGroups } from '../../protocol/apis/42-delete-groups.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { askCoordinator } from './coordinator.ts'
import { defineHandler } from './handler.ts'

export const deleteGroups = defineHandler(DeleteGroups, [0, 2], (request, exchange) => {
  const errorCode = ErrorCode.NOT_COORDINATOR
  askCoordinator('delete-groups', request, exchange, () => ({
    results: request.groupsNames.map((groupId) => ({ groupId, errorCode })),
  }))
})

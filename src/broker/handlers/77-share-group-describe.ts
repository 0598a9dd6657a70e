/**
 * ShareGroupDescribe 1 (KIP-932).
 * Kept: GROUP_ID_NOT_FOUND for groups that are unknown or of another kind; topics that were deleted
 *   are left out of assignments.
 */
import { ShareGroupDescribe } from '../../protocol/apis/77-share-group-describe.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { askCoordinator } from './coordinator.ts'
import { defineHandler } from './handler.ts'
import { GROUP_OPERATIONS } from './operations.ts'

export const shareGroupDescribe = defineHandler(ShareGroupDescribe, [1, 1], (request, exchange) => {
  const lost = () => ({
    groups: request.groupIds.map((groupId) => {
      return { groupId, errorCode: ErrorCode.NOT_COORDINATOR }
    }),
  })
  askCoordinator('share-group-describe', request, exchange, lost, (answer) => {
    if (!request.includeAuthorizedOperations) return answer
    const groups = (answer.groups ?? []).map((group) => {
      const described = (group.errorCode ?? ErrorCode.NONE) === ErrorCode.NONE
      return described ? { ...group, authorizedOperations: GROUP_OPERATIONS } : group
    })
    return { groups }
  })
})

/**
 * StreamsGroupDescribe 0 (KIP-1071).
 * Kept: GROUP_ID_NOT_FOUND for groups that are unknown or of another kind; internal topics have
 *   their partition counts once all topics are there.
 */
import { StreamsGroupDescribe } from '../../protocol/apis/89-streams-group-describe.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { askCoordinator } from './coordinator.ts'
import { defineHandler } from './handler.ts'
import { GROUP_OPERATIONS } from './operations.ts'

export const streamsGroupDescribe = defineHandler(
  StreamsGroupDescribe,
  [0, 0],
  (request, exchange) => {
    const lost = () => ({
      groups: request.groupIds.map((groupId) => {
        return { groupId, errorCode: ErrorCode.NOT_COORDINATOR }
      }),
    })
    askCoordinator('streams-group-describe', request, exchange, lost, (answer) => {
      if (!request.includeAuthorizedOperations) return answer
      const groups = (answer.groups ?? []).map((group) => {
        const described = (group.errorCode ?? ErrorCode.NONE) === ErrorCode.NONE
        return described ? { ...group, authorizedOperations: GROUP_OPERATIONS } : group
      })
      return { groups }
    })
  },
)

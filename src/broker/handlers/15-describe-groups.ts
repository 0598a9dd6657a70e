/**
 * DescribeGroups 0-6 (v3 authorized operations KIP-430, v4 static members KIP-345, v6 unknown
 * groups KIP-1043).
 * Kept: an unknown group is Dead without an error before v6 and GROUP_ID_NOT_FOUND from then on,
 *   and so are groups that are not classic; what members say is told of stable groups only.
 */
import { describeFailure } from '../../coordinator/group/registry-views.ts'
import { DescribeGroups } from '../../protocol/apis/15-describe-groups.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { askCoordinator } from './coordinator.ts'
import { defineHandler } from './handler.ts'
import { GROUP_OPERATIONS } from './operations.ts'

export const describeGroups = defineHandler(DescribeGroups, [0, 6], (request, exchange) => {
  const lost = () => ({
    groups: request.groups.map((group) => describeFailure(group, ErrorCode.NOT_COORDINATOR)),
  })
  if (!request.includeAuthorizedOperations) {
    askCoordinator('describe-groups', request, exchange, lost)
    return
  }
  askCoordinator('describe-groups', request, exchange, lost, (answer) => ({
    groups: (answer.groups ?? []).map((group) => {
      if (group.errorCode !== ErrorCode.NONE) return group
      return { ...group, authorizedOperations: GROUP_OPERATIONS }
    }),
  }))
})

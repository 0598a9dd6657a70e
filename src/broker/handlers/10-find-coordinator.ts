/**
 * FindCoordinator 0-6 (v1 transactions, v4 batches KIP-699, v6 share groups KIP-932).
 * Kept: this node coordinates every group and transactional id; v1-3 carry the message "NONE" with
 *   success; a key type that is not known is INVALID_REQUEST; a malformed share key as well.
 * Differs: there is no share coordinator yet: well-formed share keys are COORDINATOR_NOT_AVAILABLE.
 */
import { isUuid } from '../../base/uuid.ts'
import { FindCoordinator } from '../../protocol/apis/10-find-coordinator.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { defineHandler } from './handler.ts'

const GROUP = 0
const TRANSACTION = 1
const SHARE = 2

const nowhere = { nodeId: -1, host: '', port: -1 }

export const findCoordinator = defineHandler(FindCoordinator, [0, 6], (request, exchange) => {
  const { apiVersion, endpoint, context } = exchange
  const here = { nodeId: context.image.nodeId, host: endpoint.host, port: endpoint.port }
  if (apiVersion >= 4) {
    exchange.reply({
      coordinators: request.coordinatorKeys.map((key) => {
        const { errorCode, errorMessage } = outcomeOf(request.keyType, key, apiVersion)
        const where = errorCode === ErrorCode.NONE ? here : nowhere
        return { key, errorCode, errorMessage, ...where }
      }),
    })
    return
  }
  const { errorCode, errorMessage } = outcomeOf(request.keyType, request.key, apiVersion)
  const where = errorCode === ErrorCode.NONE ? here : nowhere
  const message = errorCode === ErrorCode.NONE ? 'NONE' : errorMessage
  exchange.reply({ errorCode, errorMessage: message, ...where })
})

function outcomeOf(
  keyType: number,
  key: string,
  apiVersion: number,
): { errorCode: ErrorCode; errorMessage: string | null } {
  if (keyType === GROUP || keyType === TRANSACTION)
    return { errorCode: ErrorCode.NONE, errorMessage: '' }
  const errorMessage = null
  if (keyType !== SHARE || apiVersion < 6 || !isShareKey(key))
    return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage }
  return { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, errorMessage }
}

/** `groupId:topicId:partition`; the group id itself may hold colons. */
function isShareKey(key: string): boolean {
  const [partition, topicId, ...groupId] = key.split(':').reverse()
  if (partition === undefined || topicId === undefined || groupId.length === 0) return false
  return groupId.join(':') !== '' && isUuid(topicId) && /^\d{1,10}$/.test(partition)
}

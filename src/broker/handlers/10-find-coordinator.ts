/**
 * FindCoordinator 0-6 (v1 transactions, v4 batches KIP-699, v6 share groups KIP-932).
 * Kept: this node coordinates every group and transactional id; v1-3 carry the message "NONE" with
 *   success; a key type that is not known is INVALID_REQUEST; a malformed share key as well.
 * Differs: while there is no topic for groups yet, the answer waits until it is made, where Kafka
 *   says COORDINATOR_NOT_AVAILABLE and lets the client ask again. There is no share coordinator
 *   yet: well-formed share keys are COORDINATOR_NOT_AVAILABLE.
 */
import { isUuid } from '../../base/uuid.ts'
import { FindCoordinator } from '../../protocol/apis/10-find-coordinator.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { RequestOf, ResponseInput } from '../../protocol/schema.ts'
import { defineHandler, type Exchange } from './handler.ts'
import { INVALID_REQUEST_MESSAGE } from './kafka-messages.ts'

const GROUP = 0
const TRANSACTION = 1
const SHARE = 2

const keyTypes = [GROUP, TRANSACTION, SHARE]

const nowhere = { nodeId: -1, host: '', port: -1 }

type Request = RequestOf<typeof FindCoordinator>
type FindExchange = Exchange<ResponseInput<typeof FindCoordinator>>

export const findCoordinator = defineHandler(FindCoordinator, [0, 6], (request, exchange) => {
  if (request.keyType !== GROUP) {
    answer(request, exchange, ErrorCode.NONE)
    return
  }
  exchange.context.callCoordinator({ kind: 'ensure-offsets-topic' }, (result) => {
    answer(request, exchange, result?.errorCode ?? ErrorCode.COORDINATOR_NOT_AVAILABLE)
  })
})

/** `groups`: whether groups can be coordinated. */
function answer(request: Request, exchange: FindExchange, groups: ErrorCode): void {
  const { apiVersion, endpoint, context } = exchange
  const here = { nodeId: context.image.nodeId, host: endpoint.host, port: endpoint.port }
  const { keyType } = request
  if (apiVersion >= 4) {
    exchange.reply({
      coordinators: request.coordinatorKeys.map((key) => {
        const errorCode = errorOf(keyType, key, apiVersion, groups)
        const where = errorCode === ErrorCode.NONE ? here : nowhere
        const errorMessage = keyTypes.includes(keyType) ? '' : INVALID_REQUEST_MESSAGE
        return { key, errorCode, errorMessage, ...where }
      }),
    })
    return
  }
  const errorCode = errorOf(keyType, request.key, apiVersion, groups)
  const found = errorCode === ErrorCode.NONE
  const errorMessage = found ? 'NONE' : INVALID_REQUEST_MESSAGE
  exchange.reply({ errorCode, errorMessage, ...(found ? here : nowhere) })
}

function errorOf(keyType: number, key: string, apiVersion: number, groups: ErrorCode): ErrorCode {
  if (keyType === GROUP) return groups
  if (keyType === TRANSACTION) return ErrorCode.NONE
  if (keyType !== SHARE || apiVersion < 6 || !isShareKey(key)) return ErrorCode.INVALID_REQUEST
  return ErrorCode.COORDINATOR_NOT_AVAILABLE
}

/** `groupId:topicId:partition`; the group id itself may hold colons. */
function isShareKey(key: string): boolean {
  const [partition, topicId, ...groupId] = key.split(':').reverse()
  if (partition === undefined || topicId === undefined || groupId.length === 0) return false
  return groupId.join(':') !== '' && isUuid(topicId) && /^\d{1,10}$/.test(partition)
}

/**
 * FindCoordinator 0-6 (v1 transactions, v4 batches KIP-699, v6 share groups KIP-932).
 * Kept: this node coordinates every group, transactional id and share partition; v1-3 carry the
 *   message "NONE" with success; a key type that is not known is INVALID_REQUEST; a malformed share
 *   key as well.
 * Differs: while there is no topic for groups yet, the answer waits until it is made, where Kafka
 *   says COORDINATOR_NOT_AVAILABLE and lets the client ask again. The same for transactions and
 *   share partitions.
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
  const kind = topicNeeded(request)
  if (kind === undefined) {
    answer(request, exchange, ErrorCode.NONE)
    return
  }
  exchange.context.callCoordinator({ kind }, (result) => {
    answer(request, exchange, result?.errorCode ?? ErrorCode.COORDINATOR_NOT_AVAILABLE)
  })
})

/** How the topic is made sure of that the coordinator needs, if it needs one. */
function topicNeeded({ keyType, coordinatorKeys }: Request) {
  switch (keyType) {
    case GROUP:
      return 'ensure-offsets-topic'
    case TRANSACTION:
      return 'ensure-transaction-topic'
    default:
      return keyType === SHARE && coordinatorKeys.some(isShareKey)
        ? 'ensure-share-topic'
        : undefined
  }
}

/** `topic`: whether there is the topic that the coordinator needs. */
function answer(request: Request, exchange: FindExchange, topic: ErrorCode): void {
  const { apiVersion, endpoint, context } = exchange
  const here = { nodeId: context.image.nodeId, host: endpoint.host, port: endpoint.port }
  const { keyType } = request
  if (apiVersion >= 4) {
    exchange.reply({
      coordinators: request.coordinatorKeys.map((key) => {
        const errorCode = errorOf(keyType, key, apiVersion, topic)
        const where = errorCode === ErrorCode.NONE ? here : nowhere
        const errorMessage = keyTypes.includes(keyType) ? '' : INVALID_REQUEST_MESSAGE
        return { key, errorCode, errorMessage, ...where }
      }),
    })
    return
  }
  const errorCode = errorOf(keyType, request.key, apiVersion, topic)
  const found = errorCode === ErrorCode.NONE
  const errorMessage = found ? 'NONE' : INVALID_REQUEST_MESSAGE
  exchange.reply({ errorCode, errorMessage, ...(found ? here : nowhere) })
}

function errorOf(keyType: number, key: string, apiVersion: number, topic: ErrorCode): ErrorCode {
  if (keyType === GROUP || keyType === TRANSACTION) return topic
  if (keyType !== SHARE || apiVersion < 6 || !isShareKey(key)) return ErrorCode.INVALID_REQUEST
  return topic
}

/** `groupId:topicId:partition`; the group id itself may hold colons. */
function isShareKey(key: string): boolean {
  const [partition, topicId, ...groupId] = key.split(':').reverse()
  if (partition === undefined || topicId === undefined || groupId.length === 0) return false
  return groupId.join(':') !== '' && isUuid(topicId) && /^\d{1,10}$/.test(partition)
}

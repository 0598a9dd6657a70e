/**
 * DeleteTopics 1-6.
 * Kept: by name, or from v6 by id (KIP-516): unknown names are UNKNOWN_TOPIC_OR_PARTITION, unknown
 *   ids UNKNOWN_TOPIC_ID, both or neither or twice INVALID_REQUEST; delete.topic.enable. The name
 *   is free when the answer leaves.
 * Differs: the coordinators' own topics are refused with INVALID_REQUEST; Kafka deletes them, and
 *   with them the offsets of every group.
 */
import { ZERO_UUID } from '../../base/uuid.ts'
import { DeleteTopics } from '../../protocol/apis/20-delete-topics.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { controllerLost, timedOut } from './controller-lost.ts'
import { defineHandler } from './handler.ts'

export const deleteTopics = defineHandler(DeleteTopics, [1, 6], (request, exchange) => {
  const topics =
    exchange.apiVersion >= 6
      ? request.topics.map(({ name, topicId }) => ({ name, id: topicId }))
      : request.topicNames.map((name) => ({ name, id: ZERO_UUID }))
  const { context } = exchange
  if (request.timeoutMs <= 0) {
    exchange.reply({
      responses: topics.map(({ name, id }) => ({ name, topicId: id, ...timedOut })),
    })
    return
  }
  if (!context.config['delete.topic.enable'] && exchange.apiVersion < 3) {
    // TOPIC_DELETION_DISABLED came with version 3.
    const errorCode = ErrorCode.INVALID_REQUEST
    exchange.reply({ responses: topics.map(({ name }) => ({ name, errorCode })) })
    return
  }
  context.callController({ kind: 'delete-topics', topics }, (result) => {
    const answers = result ?? topics.map((topic) => ({ ...topic, ...controllerLost }))
    exchange.reply({
      responses: answers.map(({ name, id, errorCode, errorMessage }) => ({
        name,
        topicId: id,
        errorCode,
        errorMessage,
      })),
    })
  })
})

/**
 * ShareAcknowledge 1-2 (KIP-932; v2 renewals KIP-1222).
 * Kept: an acknowledgement is answered when it is kept; all of a partition's batches hold or none;
 *   what lies below the start offset is ignored; epoch -1 ends the session and gives back what the
 *   member has.
 */
import { ShareAcknowledge } from '../../protocol/apis/79-share-acknowledge.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { defineHandler } from './handler.ts'

export const shareAcknowledge = defineHandler(ShareAcknowledge, [1, 2], (request, exchange) => {
  if (request.groupId === null || request.memberId === null) {
    exchange.reply({ errorCode: ErrorCode.INVALID_REQUEST })
    return
  }
  const command = { kind: 'share-acknowledge', request } as const
  exchange.context.callCoordinator(command, (answer) => {
    if (answer === undefined || answer.errorCode !== ErrorCode.NONE) {
      exchange.reply({ errorCode: answer?.errorCode ?? ErrorCode.SHARE_SESSION_NOT_FOUND })
      return
    }
    const outcomes = answer.acknowledged
    const topicIds = [...new Set(outcomes.map(({ topicId }) => topicId))]
    exchange.reply({
      acquisitionLockTimeoutMs: answer.lockMs,
      responses: topicIds.map((id) => ({
        topicId: id,
        partitions: outcomes
          .filter(({ topicId }) => topicId === id)
          .map(({ partition: partitionIndex, errorCode, errorMessage }) => {
            return { partitionIndex, errorCode, errorMessage }
          }),
      })),
    })
  })
})

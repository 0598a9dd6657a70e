/**
 * DescribeShareGroupOffsets 0-1 (KIP-932; v1 lag).
 * Kept: -1 for partitions that were never read; no topics for groups that are unknown or of another
 *   kind. The lag leaves out what is done with above the start offset.
 * Differs: the start offset is the one that the group has reached; Kafka's follows with the next
 *   acknowledgement.
 */
import type { OffsetAsked, PartitionAnswers } from '../../actors/mailbox/partition.ts'
import { OffsetSpec } from '../../actors/mailbox/partition.ts'
import type { ShareOffsets } from '../../coordinator/group/commands.ts'
import { DescribeShareGroupOffsets } from '../../protocol/apis/90-describe-share-group-offsets.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import { askOwners, type OwnerQuestion } from './ask-owners.ts'
import { defineHandler, type Exchange } from './handler.ts'

type Response = ResponseInput<typeof DescribeShareGroupOffsets>
type Found = PartitionAnswers['list-offsets'][number]

export const describeShareGroupOffsets = defineHandler(
  DescribeShareGroupOffsets,
  [0, 1],
  (request, exchange) => {
    const { apiVersion, clientHost, context } = exchange
    const clientId = exchange.clientId ?? ''
    const kind = 'describe-share-group-offsets' as const
    context.callCoordinator({ kind, apiVersion, clientId, clientHost, request }, (offsets) => {
      if (offsets !== undefined) answer(exchange, offsets)
      else {
        exchange.reply({
          groups: request.groups.map(({ groupId }) => {
            return { groupId, errorCode: ErrorCode.NOT_COORDINATOR }
          }),
        })
      }
    })
  },
)

/** How far each start offset is from the end of its log is asked of the owners. */
function answer(exchange: Exchange<Response>, offsets: readonly ShareOffsets[]): void {
  const { context } = exchange
  const questions: OwnerQuestion<OffsetAsked, Found>[] = []
  const groups = offsets.map(({ groupId, errorCode = ErrorCode.NONE, topics }) => ({
    groupId,
    errorCode,
    topics: topics.map(({ topicName, topicId, partitions }) => ({
      topicName,
      topicId,
      partitions: partitions.map((progress) => {
        const { partition: partitionIndex, startOffset, leaderEpoch } = progress
        const one = { partitionIndex, startOffset, leaderEpoch, lag: -1, errorCode: 0 as ErrorCode }
        one.errorCode = progress.errorCode
        const image = context.image.topicById(topicId)?.partitions[partitionIndex]
        if (startOffset === -1 || image === undefined) return one
        questions.push({
          thread: image.thread,
          item: { slot: image.slot, timestamp: OffsetSpec.latest, currentLeaderEpoch: -1 },
          onAnswer: (found) => {
            if (found === undefined || found.offset < 0) return
            one.lag = found.offset - startOffset - progress.deliveryCompleteCount
          },
        })
        return one
      }),
    })),
  }))
  const kind = 'list-offsets' as const
  askOwners(
    questions,
    (thread, partitions, done) =>
      context.callPartitions(thread, { kind, readCommitted: false, partitions }, done),
    () => exchange.reply({ groups }),
  )
}

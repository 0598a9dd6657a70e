/**
 * DeleteRecords 0-2 (KIP-107).
 * Kept: -1 deletes up to the high watermark; an offset below the log start succeeds and changes
 *   nothing; a topic that is compacted only is POLICY_VIOLATION; internal topics are
 *   INVALID_TOPIC_EXCEPTION. The new log start is on disk before the answer leaves.
 * Differs: a partition named twice is done and answered twice, where Kafka takes the last only.
 */
import type { PartitionAnswers } from '../../actors/mailbox/partition.ts'
import type { ClusterImage } from '../../cluster/image.ts'
import { DeleteRecords } from '../../protocol/apis/21-delete-records.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { completeByOwners, type OpenAnswer } from './ask-owners.ts'
import { defineHandler } from './handler.ts'

type Answer = PartitionAnswers['delete-records'][number]

export const deleteRecords = defineHandler(DeleteRecords, [0, 2], (request, exchange) => {
  const { context } = exchange
  const open: OpenAnswer<{ slot: number; offset: number }, Answer>[] = []
  const asked = request.topics.filter(({ partitions }) => partitions.length > 0)
  const topics = asked.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, offset }) => {
      const errorCode = problemOf(context.image, name, partitionIndex)
      const answer = { partitionIndex, errorCode, lowWatermark: -1 }
      const image = context.image.topic(name)?.partitions[partitionIndex]
      if (image !== undefined && errorCode === ErrorCode.NONE) {
        open.push({ thread: image.thread, item: { slot: image.slot, offset }, into: answer })
      }
      return answer
    }),
  }))
  completeByOwners(
    open,
    LOST,
    (thread, partitions, answer) =>
      context.callPartitions(thread, { kind: 'delete-records', partitions }, answer),
    () => exchange.reply({ topics }),
  )
})

const LOST: Answer = { errorCode: ErrorCode.KAFKA_STORAGE_ERROR, lowWatermark: -1 }

function problemOf(image: ClusterImage, name: string, partitionIndex: number): ErrorCode {
  const topic = image.topic(name)
  if (topic?.partitions[partitionIndex] === undefined) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  return topic.internal ? ErrorCode.INVALID_TOPIC_EXCEPTION : ErrorCode.NONE
}

/**
 * DescribeProducers 0 (KIP-664).
 * Kept: every producer id that the partition remembers, with the first offset of its open
 *   transaction; an invalid topic name is INVALID_TOPIC_EXCEPTION.
 * Differs: a partition that is offline is KAFKA_STORAGE_ERROR.
 */
import type { PartitionAnswers } from '../../actors/mailbox/partition.ts'
import { topicNameProblem } from '../../cluster/topic-name.ts'
import { DescribeProducers } from '../../protocol/apis/61-describe-producers.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import { askOwners, type OwnerQuestion } from './ask-owners.ts'
import { defineHandler } from './handler.ts'

type Response = ResponseInput<typeof DescribeProducers>
type PartitionAnswer = NonNullable<NonNullable<Response['topics']>[number]['partitions']>[number]
type Answer = PartitionAnswers['describe-producers'][number]

export const describeProducers = defineHandler(DescribeProducers, [0, 0], (request, exchange) => {
  const { context } = exchange
  const questions: OwnerQuestion<number, Answer>[] = []
  const topics = request.topics.map(({ name, partitionIndexes }) => {
    const topic = context.image.topic(name)
    const nameProblem = topicNameProblem(name)
    const partitions: PartitionAnswer[] = partitionIndexes.map((partitionIndex, at) => {
      if (nameProblem !== null)
        return { partitionIndex, ...INVALID_NAME, errorMessage: nameProblem }
      if (topic === undefined) return { partitionIndex, ...UNKNOWN, errorMessage: NOT_HOSTED }
      const image = topic.partitions[partitionIndex]
      if (image === undefined) return { partitionIndex, ...UNKNOWN }
      questions.push({
        thread: image.thread,
        item: image.slot,
        onAnswer: ({ errorCode, producers } = LOST) => {
          partitions[at] = { partitionIndex, errorCode, activeProducers: producers }
        },
      })
      return { partitionIndex, errorCode: LOST.errorCode }
    })
    return { name, partitions }
  })
  askOwners(
    questions,
    (thread, slots, answer) =>
      context.callPartitions(thread, { kind: 'describe-producers', slots }, answer),
    () => exchange.reply({ topics }),
  )
})

const INVALID_NAME = { errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION }
const UNKNOWN = { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
const NOT_HOSTED = 'This server does not host this topic-partition.'
const LOST: Answer = { errorCode: ErrorCode.KAFKA_STORAGE_ERROR, producers: [] }

/**
 * ListOffsets 1-11 (KIP-79; v2 KIP-98, v4 KIP-320, v7 KIP-734, v8 KIP-405, v9 KIP-1005, v11
 * KIP-1023).
 * Kept: a named place that the version lacks is UNSUPPORTED_VERSION for its partition; a
 *   partition asked twice is INVALID_REQUEST, answered once; a time behind the last record, or
 *   behind the last stable offset for read_committed, is -1 without error.
 * Differs: a search by time goes on in the next segment where Kafka, which looks into one, answers
 *   -1 because its late records were deleted (DeleteRecords); the largest timestamp is that of the
 *   records still there, where Kafka may name a deleted one; damaged batches are stepped over.
 */
import {
  type OffsetAsked,
  OffsetSpec,
  type PartitionAnswers,
} from '../../actors/mailbox/partition.ts'
import { ListOffsets } from '../../protocol/apis/02-list-offsets.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { RequestOf } from '../../protocol/schema.ts'
import { askOwners, type OwnerQuestion } from './ask-owners.ts'
import { defineHandler } from './handler.ts'

type Request = RequestOf<typeof ListOffsets>
type Asked = Request['topics'][number]['partitions'][number]
type Answer = PartitionAnswers['list-offsets'][number]

const READ_COMMITTED = 1
/** From this version on the answer tells the leader epoch. KIP-320. */
const LEADER_EPOCH_FROM = 4
/** The first version that knows a named place. */
const NAMED_FROM = new Map<number, number>([
  [OffsetSpec.latest, 1],
  [OffsetSpec.earliest, 1],
  [OffsetSpec.maxTimestamp, 7],
  [OffsetSpec.earliestLocal, 8],
  [OffsetSpec.latestTiered, 9],
  [OffsetSpec.earliestPendingUpload, 11],
])

export const listOffsets = defineHandler(ListOffsets, [1, 11], (request, exchange) => {
  const { context, apiVersion } = exchange
  const questions: OwnerQuestion<OffsetAsked, Answer>[] = []
  const topics = [...partitionsByTopic(request)].map(([name, partitions]) => ({
    name,
    partitions: [...partitions].map(([partitionIndex, asked]) => {
      const image = context.image.topic(name)?.partitions[partitionIndex]
      const answer = { partitionIndex, errorCode: ErrorCode.NONE as number, ...NOT_FOUND }
      if (asked === 'twice') answer.errorCode = ErrorCode.INVALID_REQUEST
      else if (isUnknown(asked.timestamp, apiVersion)) {
        answer.errorCode = ErrorCode.UNSUPPORTED_VERSION
      } else if (image === undefined) answer.errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      else {
        const { timestamp, currentLeaderEpoch } = asked
        questions.push({
          thread: image.thread,
          item: { slot: image.slot, timestamp, currentLeaderEpoch },
          onAnswer: (found = LOST) => {
            Object.assign(answer, found)
            if (apiVersion < LEADER_EPOCH_FROM) answer.leaderEpoch = -1
          },
        })
      }
      return answer
    }),
  }))
  // A replica reads to the end of the log, whatever it says of isolation.
  const readCommitted = request.isolationLevel === READ_COMMITTED && request.replicaId < 0
  askOwners(
    questions,
    (thread, partitions, answer) =>
      context.callPartitions(thread, { kind: 'list-offsets', readCommitted, partitions }, answer),
    () => exchange.reply({ topics }),
  )
})

const NOT_FOUND = { timestamp: -1, offset: -1, leaderEpoch: -1 }
const LOST: Answer = { errorCode: ErrorCode.KAFKA_STORAGE_ERROR, ...NOT_FOUND }

function isUnknown(timestamp: number, apiVersion: number): boolean {
  return timestamp < 0 && apiVersion < (NAMED_FROM.get(timestamp) ?? Number.POSITIVE_INFINITY)
}

/**
 * Each topic with partitions and each partition once, in the order in which they are named first.
 */
function partitionsByTopic(request: Request): Map<string, Map<number, Asked | 'twice'>> {
  const topics = new Map<string, Map<number, Asked | 'twice'>>()
  for (const { name, partitions } of request.topics) {
    if (partitions.length === 0) continue
    let byIndex = topics.get(name)
    if (byIndex === undefined) {
      byIndex = new Map()
      topics.set(name, byIndex)
    }
    for (const asked of partitions) {
      const { partitionIndex } = asked
      byIndex.set(partitionIndex, byIndex.has(partitionIndex) ? 'twice' : asked)
    }
  }
  return topics
}

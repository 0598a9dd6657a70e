/**
 * ElectLeaders 0-2 (KIP-183, v1 KIP-460).
 * Kept: the only replica leads already, so each partition asked for is ELECTION_NOT_NEEDED; null
 *   asks for all, which leaves out the partitions where nothing was to do and names their topics;
 *   a request that grants no time is REQUEST_TIMED_OUT.
 */
import type { Outcome } from '../../cluster/commands.ts'
import type { ClusterImage } from '../../cluster/image.ts'
import { ElectLeaders } from '../../protocol/apis/43-elect-leaders.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { RequestOf } from '../../protocol/schema.ts'
import { timedOut } from './controller-lost.ts'
import { defineHandler } from './handler.ts'

const notNeeded = {
  errorCode: ErrorCode.ELECTION_NOT_NEEDED,
  errorMessage: 'Leader election not needed for topic partition.',
}

export const electLeaders = defineHandler(ElectLeaders, [0, 2], (request, exchange) => {
  const { apiVersion, context } = exchange
  const { image } = context
  if (!electionTypes.includes(request.electionType)) {
    exchange.reply(refusalOf(request, apiVersion, unknownType(request.electionType)))
    return
  }
  if (request.timeoutMs <= 0) {
    exchange.reply(refusalOf(request, apiVersion, timedOut))
    return
  }
  if (request.topicPartitions === null) {
    const topics = image.topics().map(({ name }) => ({ topic: name, partitionResult: [] }))
    exchange.reply({ replicaElectionResults: topics })
    return
  }
  exchange.reply({
    replicaElectionResults: request.topicPartitions.map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map((partitionId) => ({
        partitionId,
        ...outcomeOf(image, topic, partitionId),
      })),
    })),
  })
})

/** PREFERRED and UNCLEAN. */
const electionTypes = [0, 1]

function unknownType(electionType: number): Outcome {
  const errorMessage = `Unknown election type ${electionType}`
  return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage }
}

/** The same answer for each partition and, from v1 on, for the request. */
function refusalOf(
  { topicPartitions }: RequestOf<typeof ElectLeaders>,
  apiVersion: number,
  outcome: Outcome,
) {
  const results = (topicPartitions ?? []).map(({ topic, partitions }) => ({
    topic,
    partitionResult: partitions.map((partitionId) => ({ partitionId, ...outcome })),
  }))
  const errorCode = apiVersion >= 1 ? outcome.errorCode : ErrorCode.NONE
  return { errorCode, replicaElectionResults: results }
}

function outcomeOf(image: ClusterImage, name: string, partitionId: number) {
  const topic = image.topic(name)
  if (topic?.partitions[partitionId]) return notNeeded
  return {
    errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    errorMessage: topic
      ? `No such partition as ${name}-${partitionId}`
      : `No such topic as ${name}`,
  }
}

/**
 * DescribeTopicPartitions 0 (KIP-966).
 * Kept: topics sorted by name, no list is all topics; at most as many partitions as the request
 *   and `max.request.partition.size.limit` allow, and a cursor where it was cut; a cursor outside
 *   of the list is INVALID_REQUEST.
 * Differs: a name that is there twice is answered once, where Kafka fails with
 * UNKNOWN_SERVER_ERROR.
 */
import type { TopicImage } from '../../cluster/image.ts'
import { internalTopicNames, topicNameProblem } from '../../cluster/topic-name.ts'
import { DescribeTopicPartitions } from '../../protocol/apis/75-describe-topic-partitions.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { RequestOf, ResponseInput } from '../../protocol/schema.ts'
import type { BrokerContext } from '../context.ts'
import { defineHandler } from './handler.ts'
import { TOPIC_OPERATIONS } from './operations.ts'

type Request = RequestOf<typeof DescribeTopicPartitions>
type Response = ResponseInput<typeof DescribeTopicPartitions>
type TopicAnswer = NonNullable<Response['topics']>[number]

export const describeTopicPartitions = defineHandler(
  DescribeTopicPartitions,
  [0, 0],
  (request, exchange) => {
    exchange.reply(describe(request, exchange.context))
  },
)

function describe(request: Request, context: BrokerContext): Response {
  const { image } = context
  const { cursor } = request
  if (!isCursorValid(request)) return invalidCursor(request)
  const names = namesFrom(request, context)
  const limitOfBroker = context.config['max.request.partition.size.limit']
  let room = Math.max(1, Math.min(limitOfBroker, request.responsePartitionLimit))
  const topics: TopicAnswer[] = []
  for (const name of names) {
    if (room === 0) return { topics, nextCursor: { topicName: name, partitionIndex: 0 } }
    const topic = image.topic(name)
    if (!topic) {
      topics.push(unknown(name))
      continue
    }
    const first = cursor?.topicName === name ? cursor.partitionIndex : 0
    const end = Math.min(topic.partitions.length, first + room)
    topics.push(described(topic, { first, end, nodeId: image.nodeId }))
    room -= Math.max(0, end - first)
    if (end < topic.partitions.length)
      return { topics, nextCursor: { topicName: name, partitionIndex: end } }
  }
  return { topics, nextCursor: null }
}

/** A cursor points into the list that is asked for; into all topics also where one is gone. */
function isCursorValid({ topics, cursor }: Request): boolean {
  if (!cursor) return true
  if (cursor.partitionIndex < 0) return false
  return topics.length === 0 || topics.some(({ name }) => name === cursor.topicName)
}

function invalidCursor({ topics }: Request): Response {
  const errorCode = ErrorCode.INVALID_REQUEST
  return { topics: topics.map(({ name }) => ({ errorCode, name })), nextCursor: null }
}

/** Each name once, sorted, from the cursor's on. */
function namesFrom({ topics, cursor }: Request, { image }: BrokerContext): readonly string[] {
  const asked = topics.length > 0 ? new Set(topics.map(({ name }) => name)) : undefined
  const names = asked ? [...asked].sort() : image.topics().map(({ name }) => name)
  return cursor ? names.filter((name) => name >= cursor.topicName) : names
}

function unknown(name: string): TopicAnswer {
  const errorCode =
    topicNameProblem(name) === null
      ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      : ErrorCode.INVALID_TOPIC_EXCEPTION
  return {
    errorCode,
    name,
    isInternal: internalTopicNames.has(name),
    topicAuthorizedOperations: TOPIC_OPERATIONS,
  }
}

function described(
  topic: TopicImage,
  { first, end, nodeId }: { first: number; end: number; nodeId: number },
): TopicAnswer {
  const replicas = [nodeId]
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.internal,
    partitions: topic.partitions.slice(first, end).map(({ index, leaderEpoch }) => ({
      errorCode: ErrorCode.NONE,
      partitionIndex: index,
      leaderId: nodeId,
      leaderEpoch,
      replicaNodes: replicas,
      isrNodes: replicas,
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
      offlineReplicas: [],
    })),
    topicAuthorizedOperations: TOPIC_OPERATIONS,
  }
}

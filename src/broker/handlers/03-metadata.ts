/**
 * Metadata 0-13.
 * Kept: v0 takes an empty list for all topics, later ones null; a topic is answered once however
 *   often it is asked; ids from v10, null names with ids from v12 (KIP-516); authorized operations
 *   only on request (KIP-430); invalid names are INVALID_TOPIC_EXCEPTION.
 * Differs: a topic that is created on first use is answered complete, where Kafka says
 *   UNKNOWN_TOPIC_OR_PARTITION and lets the client ask again. A topic with neither name nor id is
 *   INVALID_REQUEST, where Kafka fails with UNKNOWN_SERVER_ERROR.
 */
import { ZERO_UUID } from '../../base/uuid.ts'
import type { CreatedTopic } from '../../cluster/commands.ts'
import type { TopicImage } from '../../cluster/image.ts'
import { newTopicOnFirstUse } from '../../cluster/internal-topics.ts'
import { internalTopicNames, topicNameProblem } from '../../cluster/topic-name.ts'
import { Metadata } from '../../protocol/apis/03-metadata.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { RequestOf, ResponseInput } from '../../protocol/schema.ts'
import type { BrokerContext } from '../context.ts'
import { defineHandler, type Exchange } from './handler.ts'
import { CLUSTER_OPERATIONS, OPERATIONS_NOT_ASKED, TOPIC_OPERATIONS } from './operations.ts'
import { rackOf } from './rack.ts'

type Request = RequestOf<typeof Metadata>
type Response = ResponseInput<typeof Metadata>
type TopicAnswer = NonNullable<Response['topics']>[number]

export const metadata = defineHandler(Metadata, [0, 13], (request, exchange) => {
  const { context, apiVersion } = exchange
  const asked = request.topics
  if (asked === null || (apiVersion === 0 && asked.length === 0)) {
    const topics = context.image.topics().map((topic) => described(topic, request, context))
    exchange.reply(response(exchange, request, topics))
    return
  }
  if (asked.some((topic) => !isNamed(topic, apiVersion))) {
    exchange.reply(invalidRequest(asked))
    return
  }
  const missing =
    context.config['auto.create.topics.enable'] && request.allowAutoTopicCreation
      ? creatable(asked, context)
      : []
  if (missing.length === 0) {
    exchange.reply(response(exchange, request, answers(asked, request, context, [])))
    return
  }
  const topics = missing.map((name) => newTopicOnFirstUse(name, context.image.brokerConfig))
  const command = { kind: 'create-topics', topics, validateOnly: false } as const
  context.callController(command, (created = []) => {
    exchange.reply(response(exchange, request, answers(asked, request, context, created)))
  })
})

/** By name, or from version 12 on by id; by id comes first where both are given. */
function isNamed(topic: { name: string | null; topicId: string }, apiVersion: number): boolean {
  if (topic.topicId !== ZERO_UUID) return apiVersion >= 12
  return topic.name !== null
}

/** Names that are asked for, valid and free. */
function creatable(asked: NonNullable<Request['topics']>, context: BrokerContext): string[] {
  const names = new Set<string>()
  for (const { name, topicId } of asked) {
    if (name === null || topicId !== ZERO_UUID || context.image.topic(name)) continue
    if (topicNameProblem(name) === null) names.add(name)
  }
  return [...names]
}

function answers(
  asked: NonNullable<Request['topics']>,
  request: Request,
  context: BrokerContext,
  created: readonly CreatedTopic[],
): TopicAnswer[] {
  const answered = new Set<string>()
  const topics: TopicAnswer[] = []
  for (const { name, topicId } of asked) {
    const byId = topicId !== ZERO_UUID
    const topic = byId ? context.image.topicById(topicId) : context.image.topic(name ?? '')
    const key = topic ? `id ${topic.id}` : byId ? `id ${topicId}` : `name ${name}`
    if (answered.has(key)) continue
    answered.add(key)
    if (topic) topics.push(described(topic, request, context))
    else if (byId) topics.push({ errorCode: ErrorCode.UNKNOWN_TOPIC_ID, name: null, topicId })
    else topics.push(unknown(name ?? '', created, request))
  }
  return topics
}

function unknown(name: string, created: readonly CreatedTopic[], request: Request): TopicAnswer {
  const isInternal = internalTopicNames.has(name)
  const topicAuthorizedOperations = topicOperations(request)
  if (topicNameProblem(name) !== null)
    return {
      errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION,
      name,
      isInternal,
      topicAuthorizedOperations,
    }
  const refusal = created.find((topic) => topic.name === name)?.errorCode ?? ErrorCode.NONE
  // Somebody else may have created and deleted it meanwhile: then it is unknown.
  const errorCode = refusal === ErrorCode.NONE ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : refusal
  return { errorCode, name, isInternal, topicAuthorizedOperations }
}

function described(topic: TopicImage, request: Request, { image }: BrokerContext): TopicAnswer {
  const replicas = [image.nodeId]
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.internal,
    partitions: topic.partitions.map(({ index, leaderEpoch }) => ({
      errorCode: ErrorCode.NONE,
      partitionIndex: index,
      leaderId: image.nodeId,
      leaderEpoch,
      replicaNodes: replicas,
      isrNodes: replicas,
      offlineReplicas: [],
    })),
    topicAuthorizedOperations: topicOperations(request),
  }
}

function topicOperations({ includeTopicAuthorizedOperations: asked }: Request): number {
  return asked ? TOPIC_OPERATIONS : OPERATIONS_NOT_ASKED
}

function response(
  { context, endpoint }: Exchange<Response>,
  request: Request,
  topics: readonly TopicAnswer[],
): Response {
  const { nodeId, clusterId } = context.image
  return {
    brokers: [{ nodeId, host: endpoint.host, port: endpoint.port, rack: rackOf(context) }],
    clusterId,
    controllerId: nodeId,
    topics,
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
      ? CLUSTER_OPERATIONS
      : OPERATIONS_NOT_ASKED,
  }
}

/** The request as a whole is wrong, which only version 13 can say in one place. */
function invalidRequest(asked: NonNullable<Request['topics']>): Response {
  const topics = asked.map(({ name, topicId }) => ({
    errorCode: ErrorCode.INVALID_REQUEST,
    name: name ?? '',
    topicId,
  }))
  return { topics, errorCode: ErrorCode.INVALID_REQUEST }
}

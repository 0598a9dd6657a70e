/**
 * DescribeConfigs 1-4 (KIP-133; v1 synonyms KIP-226, v3 types and documentation KIP-569).
 * Kept: topics, this broker by its id, the dynamic defaults of all brokers as '', groups and client
 *   metrics subscriptions also when they set nothing; keys that do not exist are left out; a
 *   password's value is null.
 * Differs: there are no loggers by name, so that list is empty.
 */
import { describeClientMetrics } from '../../cluster/client-metrics.ts'
import { ConfigResourceType } from '../../cluster/commands.ts'
import { topicNameProblem } from '../../cluster/topic-name.ts'
import {
  type DescribeAsk,
  describeBroker,
  describeBrokerDefaults,
  describeGroup,
  describeTopic,
} from '../../config/describe.ts'
import { DescribeConfigs } from '../../protocol/apis/32-describe-configs.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { RequestOf, ResponseInput } from '../../protocol/schema.ts'
import type { BrokerContext } from '../context.ts'
import { defineHandler } from './handler.ts'
import { INVALID_REQUEST_MESSAGE } from './kafka-messages.ts'

type Resource = RequestOf<typeof DescribeConfigs>['resources'][number]
type Result = NonNullable<ResponseInput<typeof DescribeConfigs>['results']>[number]
type Described = { configs: NonNullable<Result['configs']> } | Refusal

interface Refusal {
  errorCode: ErrorCode
  errorMessage: string
}

const resourceTypes: readonly number[] = [
  ConfigResourceType.TOPIC,
  ConfigResourceType.BROKER,
  ConfigResourceType.BROKER_LOGGER,
  ConfigResourceType.CLIENT_METRICS,
  ConfigResourceType.GROUP,
]

const noConfigs: ReadonlyMap<string, string> = new Map()

export const describeConfigs = defineHandler(DescribeConfigs, [1, 4], (request, exchange) => {
  if (request.resources.some(({ resourceType }) => !resourceTypes.includes(resourceType))) {
    exchange.reply(malformed(request.resources))
    return
  }
  const { includeSynonyms, includeDocumentation } = request
  const results = request.resources.map((resource): Result => {
    const { resourceType, resourceName, configurationKeys: keys } = resource
    // No keys at all are all keys to Kafka.
    const names = keys?.length === 0 ? null : keys
    const ask = { names, includeSynonyms, includeDocumentation }
    const described = describe(resource, ask, exchange.context)
    return { resourceType, resourceName, errorMessage: '', ...described }
  })
  exchange.reply({ results })
})

function describe(resource: Resource, ask: DescribeAsk, { image }: BrokerContext): Described {
  const { resourceType, resourceName: name } = resource
  const broker = image.brokerConfig
  const ownId = String(image.nodeId)
  switch (resourceType) {
    case ConfigResourceType.TOPIC: {
      const topic = image.topic(name)
      return topic ? { configs: describeTopic(topic.configs, broker, ask) } : unknownTopic(name)
    }
    case ConfigResourceType.BROKER:
      if (!isNodeId(name)) return refused(`Broker id must be an integer, but it is: ${name}`)
      if (name === '') return { configs: describeBrokerDefaults(broker, ask) }
      if (name === ownId) return { configs: describeBroker(broker, ask) }
      return refused(
        `Unexpected broker id, expected ${ownId} or empty string, but received ${name}`,
      )
    case ConfigResourceType.BROKER_LOGGER:
      if (name === '') return refused('Broker id must not be empty')
      if (name === ownId) return { configs: [] }
      return refused(`Unexpected broker id, expected ${ownId} but received ${name}`)
    case ConfigResourceType.GROUP:
      if (name === '') return refused('Group name must not be empty')
      return { configs: describeGroup(image.groupConfigs.get(name) ?? noConfigs, broker, ask) }
    case ConfigResourceType.CLIENT_METRICS:
      if (name === '') return refused('Client metrics subscription name must not be empty')
      return { configs: describeClientMetrics(image.clientMetrics.get(name) ?? noConfigs, ask) }
    default:
      return refused(`Unsupported resource type: ${resourceType}`)
  }
}

/** Kafka fails the request as a whole over a type that it does not know. */
function malformed(resources: readonly Resource[]) {
  const errorCode = ErrorCode.INVALID_REQUEST
  const errorMessage = INVALID_REQUEST_MESSAGE
  return {
    results: resources.map(({ resourceType, resourceName }) => ({
      errorCode,
      errorMessage,
      resourceType,
      resourceName,
    })),
  }
}

/** '' stands for all brokers. */
function isNodeId(name: string): boolean {
  return name === '' || /^-?\d{1,10}$/.test(name)
}

function unknownTopic(name: string): Refusal {
  const problem = topicNameProblem(name)
  return problem === null
    ? { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: '' }
    : { errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION, errorMessage: problem }
}

function refused(errorMessage: string): Refusal {
  return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage }
}

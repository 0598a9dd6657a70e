/**
 * The decision of AlterConfigs and IncrementalAlterConfigs: what becomes of the configurations of
 * topics, brokers, groups and client metrics subscriptions. All or nothing for each resource.
 */
import { type Altered, alterBroker, alterGroup, alterTopic } from '../config/alter.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { alterClientMetrics } from './client-metrics.ts'
import {
  type AlteredResource,
  ConfigResourceType,
  type Decision,
  type ResourceAlteration,
} from './commands.ts'
import { CONFIG_LENGTH_MAX, CONFIGURED_RESOURCES_MAX, configsOutgrown } from './config-limits.ts'
import type { ConfigEntries, MetadataDelta } from './delta.ts'
import type { ClusterImage } from './image.ts'
import { topicNameProblem } from './topic-name.ts'

/** One request. Not `incremental`: what a resource does not name is reset (AlterConfigs). */
export interface AlterConfigs {
  readonly incremental: boolean
  readonly validateOnly: boolean
  readonly resources: readonly ResourceAlteration[]
}

const none: ReadonlyMap<string, string> = new Map()

/** A resource that is there twice is refused, once for each time. */
export function alterConfigs(
  image: ClusterImage,
  request: AlterConfigs,
): Decision<AlteredResource> {
  const counts = new Map<string, number>()
  for (const { type, name } of request.resources) {
    const key = `${type} ${name}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const answers: AlteredResource[] = []
  const deltas: MetadataDelta[] = []
  for (const resource of request.resources) {
    const { type, name } = resource
    const twice = (counts.get(`${type} ${name}`) ?? 0) > 1
    const decided = twice ? duplicate : alterResource(image, resource, request.incremental)
    if (decided.kind === 'refused') {
      const errorCode = decided.errorCode as ErrorCode
      answers.push({ type, name, errorCode, errorMessage: decided.message })
      continue
    }
    answers.push({ type, name, errorCode: ErrorCode.NONE, errorMessage: null })
    deltas.push(decided.delta)
  }
  return { answers, deltas: request.validateOnly ? [] : deltas }
}

type Refused = Altered & { kind: 'refused' }
type Decided = { kind: 'delta'; delta: MetadataDelta } | Refused

function alterResource(
  image: ClusterImage,
  resource: ResourceAlteration,
  incremental: boolean,
): Decided {
  switch (resource.type) {
    case ConfigResourceType.TOPIC:
      return alterTopicResource(image, resource, incremental)
    case ConfigResourceType.BROKER:
      return alterBrokerResource(image, resource, incremental)
    case ConfigResourceType.GROUP: {
      const { name, alterations } = resource
      if (name === '') return defaultNotAllowed('group')
      if (full(image.groupConfigs, name)) return tooManyResources
      const current = incremental ? (image.groupConfigs.get(name) ?? none) : none
      const altered = alterGroup(current, alterations, image.brokerConfig)
      return toDelta(altered, (configs) => ({ kind: 'group-configs-set', group: name, configs }))
    }
    case ConfigResourceType.CLIENT_METRICS: {
      const { name, alterations } = resource
      if (name === '') return refused(ErrorCode.INVALID_REQUEST, "Subscription name can't be empty")
      if (full(image.clientMetrics, name)) return tooManyResources
      const current = incremental ? (image.clientMetrics.get(name) ?? none) : none
      const altered = alterClientMetrics(current, alterations)
      return toDelta(altered, (configs) => ({
        kind: 'client-metrics-set',
        subscription: name,
        configs,
      }))
    }
    case ConfigResourceType.BROKER_LOGGER:
      return incremental ? alterLoggers(image, resource) : unknownType(resource)
    default:
      return unknownType(resource)
  }
}

function alterTopicResource(
  image: ClusterImage,
  { name, alterations }: ResourceAlteration,
  incremental: boolean,
): Decided {
  if (name === '') return defaultNotAllowed('topic')
  const problem = topicNameProblem(name)
  if (problem !== null) return refused(ErrorCode.INVALID_TOPIC_EXCEPTION, problem)
  const topic = image.topic(name)
  if (!topic) {
    const message = `The topic '${name}' does not exist.`
    return refused(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, message)
  }
  const altered = alterTopic(incremental ? topic.configs : none, alterations, image.brokerConfig)
  return toDelta(altered, (configs) => ({ kind: 'topic-configs-set', name, id: topic.id, configs }))
}

function alterBrokerResource(
  image: ClusterImage,
  { name, alterations }: ResourceAlteration,
  incremental: boolean,
): Decided {
  if (name !== '' && name !== String(image.nodeId)) {
    return wrongNode(name, `Unexpected broker id, expected ${image.nodeId}, but received ${name}`)
  }
  const layer = name === '' ? 'dynamicDefault' : 'dynamicBroker'
  const altered = alterBroker(image.brokerConfig.layers, layer, alterations, !incremental)
  return toDelta(altered, (configs) => ({ kind: 'broker-configs-set', broker: name, configs }))
}

/** This broker's log has levels but no loggers by name, so no change of one can be obeyed. */
function alterLoggers(image: ClusterImage, { name, alterations }: ResourceAlteration): Decided {
  if (name !== String(image.nodeId))
    return wrongNode(name, `Unexpected node id. Expected ${image.nodeId}, but received ${name}`)
  const logger = alterations[0]?.name ?? ''
  return refused(ErrorCode.INVALID_CONFIG, `Logger ${logger} does not exist!`)
}

function toDelta(altered: Altered, deltaOf: (configs: ConfigEntries) => MetadataDelta): Decided {
  if (altered.kind === 'refused') return altered
  const configs = [...altered.texts]
  if (configsOutgrown(configs)) {
    const message = `The configuration exceeds ${CONFIG_LENGTH_MAX} characters.`
    return refused(ErrorCode.INVALID_CONFIG, message)
  }
  return { kind: 'delta', delta: deltaOf(configs) }
}

function full(resources: ReadonlyMap<string, unknown>, name: string): boolean {
  return resources.size >= CONFIGURED_RESOURCES_MAX && !resources.has(name)
}

function wrongNode(name: string, message: string): Refused {
  const isNumber = /^-?\d{1,10}$/.test(name)
  const notANumber = `Node id must be an integer, but it is: ${name}`
  return refused(ErrorCode.INVALID_REQUEST, isNumber ? message : notANumber)
}

function defaultNotAllowed(kind: string): Refused {
  return refused(ErrorCode.INVALID_REQUEST, `Default ${kind} resources are not allowed.`)
}

function unknownType({ type }: ResourceAlteration): Refused {
  return refused(ErrorCode.INVALID_REQUEST, `Unknown resource type ${type}`)
}

function refused(errorCode: ErrorCode, message: string): Refused {
  return { kind: 'refused', errorCode, message }
}

const duplicate = refused(ErrorCode.INVALID_REQUEST, 'Each resource must appear at most once.')

const tooManyResources = refused(
  ErrorCode.POLICY_VIOLATION,
  `At most ${CONFIGURED_RESOURCES_MAX} resources of a type have a configuration of their own.`,
)

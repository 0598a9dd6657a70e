/** The decision of CreateTopics: which of the wanted topics come to be, and as what. */
import { assert } from '../base/assert.ts'
import { ZERO_UUID } from '../base/uuid.ts'
import type { BrokerConfig } from '../config/broker.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { CreatedTopic, Decision, NewTopic } from './commands.ts'
import type { ConfigEntries, MetadataDelta, PartitionRecord } from './delta.ts'
import type { ClusterImage } from './image.ts'
import { topicConfigsOf } from './topic-configs.ts'
import {
  CLUSTER_METADATA_TOPIC,
  collisionKey,
  internalTopicNames,
  topicNameProblem,
} from './topic-name.ts'

/** Partitions that one request may ask for in all; Kafka's bound as well. */
export const PARTITIONS_PER_REQUEST_MAX = 10_000

/** Slots are u32. */
const SLOT_MAX = 0xffff_ffff

/** One CreateTopics request. */
export interface CreateTopics {
  readonly topics: readonly NewTopic[]
  readonly validateOnly: boolean
}

/** What was decided, and which topics get fewer replicas than were asked for. */
export interface CreateTopicsDecision extends Decision<CreatedTopic> {
  readonly lowered: readonly string[]
}

interface Shape {
  partitions: number
  replicationFactor: number
}

interface Refusal {
  errorCode: ErrorCode
  errorMessage: string
}

/**
 * Each topic is decided for itself, except that a request for too many partitions in all is refused
 * as a whole. `newTopicId` gives an id that was never used; it is asked when only validating too,
 * since Kafka answers an id then as well.
 */
export function createTopics(
  image: ClusterImage,
  request: CreateTopics,
  newTopicId: () => string,
): CreateTopicsDecision {
  const tooMany = partitionsAsked(request.topics, image.brokerConfig) > PARTITIONS_PER_REQUEST_MAX
  if (tooMany) {
    return {
      answers: request.topics.map((topic) => refused(topic, tooManyPerRequest)),
      deltas: [],
      lowered: [],
    }
  }
  const lowered: string[] = []
  const answers: CreatedTopic[] = []
  const deltas: MetadataDelta[] = []
  const repeated = repeatedNames(request.topics)
  const taken = new Map<string, string>()
  let nextSlot = image.nextSlot
  let partitionCount = image.partitionCount
  for (const topic of request.topics) {
    if (repeated.has(topic.name)) continue
    const decided = decideTopic(image, topic, { taken, partitionCount, nextSlot })
    if ('errorCode' in decided) {
      answers.push(refused(topic, decided))
      continue
    }
    const { shape, configs } = decided
    const id = newTopicId()
    answers.push({ name: topic.name, id, ...created, ...shape, configs })
    if (factorAsked(topic, image.brokerConfig) > shape.replicationFactor) lowered.push(topic.name)
    const key = collisionKey(topic.name)
    if (key !== undefined) taken.set(key, topic.name)
    partitionCount += shape.partitions
    const partitions = newPartitions(nextSlot, shape.partitions, image.startCount)
    nextSlot += shape.partitions
    const internal = internalTopicNames.has(topic.name)
    deltas.push({ kind: 'topic-created', name: topic.name, id, internal, partitions, configs })
  }
  // Kafka answers a name once, however often it was asked.
  for (const topic of repeated.values()) answers.push(refused(topic, duplicateName))
  return request.validateOnly ? { answers, deltas: [], lowered: [] } : { answers, deltas, lowered }
}

/** Partitions with consecutive slots, so that they spread evenly over the threads. */
export function newPartitions(
  firstSlot: number,
  count: number,
  startCount: number,
): PartitionRecord[] {
  assert(firstSlot + count - 1 <= SLOT_MAX, 'slots last longer than any disk')
  const partitions: PartitionRecord[] = []
  for (let index = 0; index < count; index++)
    partitions.push({ slot: firstSlot + index, createdAtStart: startCount })
  return partitions
}

/** The checks of one topic, in Kafka's order: name, existence, configurations, shape. */
function decideTopic(
  image: ClusterImage,
  topic: NewTopic,
  soFar: { taken: ReadonlyMap<string, string>; partitionCount: number; nextSlot: number },
): { shape: Shape; configs: ConfigEntries } | Refusal {
  const nameRefusal = refuseName(image, topic.name, soFar.taken)
  if (nameRefusal) return nameRefusal
  const configs = topicConfigsOf(image, topic.configs)
  if ('errorCode' in configs) return configs
  const shape =
    topic.assignments.length > 0
      ? assignedShape(image, topic)
      : plainShape(image.brokerConfig, topic)
  if ('errorCode' in shape) return shape
  const partitionsMax = image.brokerConfig['odradek.partitions.max']
  const full =
    soFar.partitionCount + shape.partitions > partitionsMax ||
    soFar.nextSlot + shape.partitions > SLOT_MAX
  return full ? tooManyInAll(partitionsMax) : { shape, configs: configs.entries }
}

function refuseName(
  image: ClusterImage,
  name: string,
  taken: ReadonlyMap<string, string>,
): Refusal | undefined {
  if (name === CLUSTER_METADATA_TOPIC) return clusterMetadata
  const problem = topicNameProblem(name)
  if (problem !== null)
    return { errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION, errorMessage: problem }
  if (image.topic(name)) {
    const errorMessage = `Topic '${name}' already exists.`
    return { errorCode: ErrorCode.TOPIC_ALREADY_EXISTS, errorMessage }
  }
  const key = collisionKey(name)
  if (key === undefined) return undefined
  const other = image.topicColliding(key) ?? taken.get(key)
  if (other === undefined) return undefined
  const errorMessage = `Topic '${name}' collides with existing topic: ${other}`
  return { errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION, errorMessage }
}

function plainShape(config: BrokerConfig, topic: NewTopic): Shape | Refusal {
  const { numPartitions, replicationFactor } = topic
  if (replicationFactor < -1 || replicationFactor === 0) return badReplicationFactor
  if (numPartitions < -1 || numPartitions === 0) return badPartitionCount
  const partitions = numPartitions === -1 ? config['num.partitions'] : numPartitions
  const factor = factorAsked(topic, config)
  if (factor > 1 && config['odradek.profile'] === 'strict') return tooFewBrokers(factor)
  return { partitions, replicationFactor: 1 }
}

function factorAsked({ assignments, replicationFactor }: NewTopic, config: BrokerConfig): number {
  if (assignments.length > 0) return 1
  return replicationFactor === -1 ? config['default.replication.factor'] : replicationFactor
}

/** One node: every partition's replicas are `[nodeId]`, or the assignment is wrong. */
function assignedShape(image: ClusterImage, topic: NewTopic): Shape | Refusal {
  if (topic.replicationFactor !== -1) return assignedWith('replication factor')
  if (topic.numPartitions !== -1) return assignedWith('numPartitions')
  const seen = new Set<number>()
  for (const { partitionIndex, brokerIds } of topic.assignments) {
    if (seen.has(partitionIndex))
      return badAssignment(
        `Found multiple manual partition assignments for partition ${partitionIndex}`,
      )
    seen.add(partitionIndex)
    const problem = replicasProblem(image.nodeId, brokerIds)
    if (problem !== null) return badAssignment(problem)
  }
  for (let index = 0; index < seen.size; index++) {
    if (!seen.has(index))
      return badAssignment('partitions should be a consecutive 0-based integer sequence')
  }
  return { partitions: seen.size, replicationFactor: 1 }
}

/** Why a manual list of replicas cannot be served by this one node, or null. */
export function replicasProblem(nodeId: number, brokerIds: readonly number[]): string | null {
  if (brokerIds.length === 0)
    return 'The manual partition assignment includes an empty replica list.'
  const seen = new Set<number>()
  for (const id of [...brokerIds].sort((a, b) => a - b)) {
    if (id !== nodeId)
      return `The manual partition assignment includes broker ${id}, but no such broker is registered.`
    if (seen.has(id))
      return `The manual partition assignment includes the broker ${id} more than once.`
    seen.add(id)
  }
  return null
}

function partitionsAsked(topics: readonly NewTopic[], config: BrokerConfig): number {
  let asked = 0
  for (const { assignments, numPartitions } of topics) {
    if (assignments.length > 0) asked += assignments.length
    else asked += numPartitions === -1 ? config['num.partitions'] : Math.max(0, numPartitions)
  }
  return asked
}

/** The topics whose names are asked more than once, by name. */
function repeatedNames(topics: readonly NewTopic[]): Map<string, NewTopic> {
  const seen = new Set<string>()
  const repeated = new Map<string, NewTopic>()
  for (const topic of topics) {
    if (seen.has(topic.name)) repeated.set(topic.name, topic)
    seen.add(topic.name)
  }
  return repeated
}

const created = { errorCode: ErrorCode.NONE, errorMessage: null } as const

function refused(topic: NewTopic, refusal: Refusal): CreatedTopic {
  const none = { id: ZERO_UUID, partitions: -1, replicationFactor: -1, configs: [] }
  return { name: topic.name, ...refusal, ...none }
}

const duplicateName: Refusal = {
  errorCode: ErrorCode.INVALID_REQUEST,
  errorMessage: 'Duplicate topic name.',
}
const clusterMetadata: Refusal = {
  errorCode: ErrorCode.INVALID_REQUEST,
  errorMessage: `Creation of internal topic ${CLUSTER_METADATA_TOPIC} is prohibited.`,
}
const tooManyPerRequest: Refusal = {
  errorCode: ErrorCode.POLICY_VIOLATION,
  errorMessage: 'Excessively large number of partitions per request.',
}
const badReplicationFactor: Refusal = {
  errorCode: ErrorCode.INVALID_REPLICATION_FACTOR,
  errorMessage: 'Replication factor must be larger than 0, or -1 to use the default value.',
}
const badPartitionCount: Refusal = {
  errorCode: ErrorCode.INVALID_PARTITIONS,
  errorMessage: 'Number of partitions was set to an invalid non-positive value.',
}

function tooFewBrokers(factor: number): Refusal {
  return {
    errorCode: ErrorCode.INVALID_REPLICATION_FACTOR,
    errorMessage:
      `Unable to replicate the partition ${factor} time(s): The target replication factor of ` +
      `${factor} cannot be reached because only 1 broker(s) are registered or some brokers have all their log directories cordoned.`,
  }
}

/** The named limit of the control plane is reached. */
export function tooManyInAll(partitionsMax: number): Refusal {
  return {
    errorCode: ErrorCode.POLICY_VIOLATION,
    errorMessage: `The broker holds at most ${partitionsMax} partitions (odradek.partitions.max).`,
  }
}

function assignedWith(what: string): Refusal {
  return {
    errorCode: ErrorCode.INVALID_REQUEST,
    errorMessage: `A manual partition assignment was specified, but ${what} was not set to -1.`,
  }
}

function badAssignment(errorMessage: string): Refusal {
  return { errorCode: ErrorCode.INVALID_REPLICA_ASSIGNMENT, errorMessage }
}

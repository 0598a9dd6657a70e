/** The decision of CreatePartitions: a topic gets more partitions, never fewer. */
import { ErrorCode } from '../protocol/errors.ts'
import type { Decision, GrownTopic, MorePartitions } from './commands.ts'
import {
  newPartitions,
  PARTITIONS_PER_REQUEST_MAX,
  replicasProblem,
  tooManyInAll,
} from './create-topics.ts'
import type { MetadataDelta } from './delta.ts'
import type { ClusterImage, TopicImage } from './image.ts'

interface Refusal {
  errorCode: ErrorCode
  errorMessage: string | null
}

/** Each topic is decided for itself; a name that is there twice is refused. */
export function createPartitions(
  image: ClusterImage,
  topics: readonly MorePartitions[],
  validateOnly: boolean,
): Decision<GrownTopic> {
  if (partitionsAsked(image, topics) > PARTITIONS_PER_REQUEST_MAX)
    return { answers: topics.map(({ name }) => ({ name, ...tooManyPerRequest })), deltas: [] }
  const counts = new Map<string, number>()
  for (const { name } of topics) counts.set(name, (counts.get(name) ?? 0) + 1)
  const answers: GrownTopic[] = []
  const deltas: MetadataDelta[] = []
  let nextSlot = image.nextSlot
  let added = 0
  for (const [name, count] of counts) {
    if (count > 1) answers.push({ name, ...duplicateName })
  }
  for (const asked of topics) {
    if ((counts.get(asked.name) ?? 0) > 1) continue
    const topic = image.topic(asked.name)
    const refusal = refuse(image, { topic, asked, added })
    if (refusal || !topic) {
      answers.push({ name: asked.name, ...(refusal ?? unknownTopic) })
      continue
    }
    const firstIndex = topic.partitions.length
    const more = asked.count - firstIndex
    const partitions = newPartitions(nextSlot, more, image.startCount)
    nextSlot += more
    added += more
    const { name, id } = topic
    answers.push({ name, errorCode: ErrorCode.NONE, errorMessage: null })
    deltas.push({ kind: 'partitions-added', name, id, firstIndex, partitions })
  }
  return { answers, deltas: validateOnly ? [] : deltas }
}

function refuse(
  image: ClusterImage,
  { topic, asked, added }: { topic: TopicImage | undefined; asked: MorePartitions; added: number },
): Refusal | undefined {
  if (!topic) return unknownTopic
  if (topic.internal) return internalTopic
  const now = topic.partitions.length
  if (asked.count === now) return invalidCount(`Topic already has ${now} partition(s).`)
  if (asked.count < now) {
    return invalidCount(
      `The topic ${topic.name} currently has ${now} partition(s); ${asked.count} would not be an increase.`,
    )
  }
  const more = asked.count - now
  if (asked.assignments) {
    const problem = assignmentsProblem(image.nodeId, asked.assignments, more)
    if (problem !== null)
      return { errorCode: ErrorCode.INVALID_REPLICA_ASSIGNMENT, errorMessage: problem }
  }
  const partitionsMax = image.brokerConfig['odradek.partitions.max']
  const full = image.partitionCount + added + more > partitionsMax
  return full ? tooManyInAll(partitionsMax) : undefined
}

function partitionsAsked(image: ClusterImage, topics: readonly MorePartitions[]): number {
  let asked = 0
  for (const { name, count } of topics) {
    const now = image.topic(name)?.partitions.length
    if (now !== undefined) asked += Math.max(0, count - now)
  }
  return asked
}

function assignmentsProblem(
  nodeId: number,
  assignments: NonNullable<MorePartitions['assignments']>,
  more: number,
): string | null {
  if (assignments.length !== more) {
    return (
      `Attempted to add ${more} additional partition(s), but only ${assignments.length} ` +
      'assignment(s) were specified.'
    )
  }
  for (const { brokerIds } of assignments) {
    const problem = replicasProblem(nodeId, brokerIds)
    if (problem !== null) return problem
  }
  return null
}

function invalidCount(errorMessage: string): Refusal {
  return { errorCode: ErrorCode.INVALID_PARTITIONS, errorMessage }
}

const duplicateName: Refusal = {
  errorCode: ErrorCode.INVALID_REQUEST,
  errorMessage: 'Duplicate topic name.',
}
const unknownTopic: Refusal = {
  errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  errorMessage: null,
}
const internalTopic: Refusal = {
  errorCode: ErrorCode.INVALID_REQUEST,
  errorMessage:
    'The partitions of an internal topic decide which coordinator serves a key; their number is fixed.',
}
const tooManyPerRequest: Refusal = {
  errorCode: ErrorCode.POLICY_VIOLATION,
  errorMessage: 'Excessively large number of partitions per request.',
}

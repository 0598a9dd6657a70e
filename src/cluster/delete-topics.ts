/**
 * The decision of DeleteTopics. The coordinators' own topics are not deleted: Kafka lets anyone
 * destroy the committed offsets of all groups that way, which is nobody's wish.
 */
import { ZERO_UUID } from '../base/uuid.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { Decision, DeletedTopic, TopicToDelete } from './commands.ts'
import type { MetadataDelta } from './delta.ts'
import type { ClusterImage, TopicImage } from './image.ts'

/** Each topic is decided for itself; a topic named twice, by name or by id, is left alone. */
export function deleteTopics(
  image: ClusterImage,
  topics: readonly TopicToDelete[],
): Decision<DeletedTopic> {
  const first = new Map<string, TopicToDelete>()
  const twins = new Map<string, TopicToDelete>()
  for (const topic of topics) {
    const key = keyOf(image, topic)
    if (key === undefined) continue
    const other = twins.get(key) ?? first.get(key)
    if (other) twins.set(key, bothOf(other, topic))
    else first.set(key, topic)
  }
  const answers: DeletedTopic[] = []
  const deltas: MetadataDelta[] = []
  const answeredTwins = new Set<string>()
  for (const asked of topics) {
    const key = keyOf(image, asked)
    const twin = key === undefined ? undefined : twins.get(key)
    if (key !== undefined && twin !== undefined) {
      // What was asked twice is answered once.
      if (!answeredTwins.has(key)) answers.push(duplicate(twin))
      answeredTwins.add(key)
      continue
    }
    const found = find(image, asked)
    if ('errorCode' in found) {
      answers.push(found)
      continue
    }
    answers.push({ name: found.name, id: found.id, errorCode: ErrorCode.NONE, errorMessage: null })
    deltas.push({ kind: 'topic-deleted', name: found.name, id: found.id })
  }
  return { answers, deltas }
}

function find(image: ClusterImage, asked: TopicToDelete): TopicImage | DeletedTopic {
  const { name, id } = asked
  if (name !== null && id !== ZERO_UUID)
    return refused(
      asked,
      ErrorCode.INVALID_REQUEST,
      'You may not specify both topic name and topic id.',
    )
  if (name === null && id === ZERO_UUID)
    return refused(asked, ErrorCode.INVALID_REQUEST, 'Neither topic name nor id were specified.')
  const topic = name === null ? image.topicById(id) : image.topic(name)
  if (!topic && name === null) return refused(asked, ErrorCode.UNKNOWN_TOPIC_ID, unknownId)
  if (!topic) return refused(asked, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, unknownName)
  if (topic.internal) {
    const answer = refused(asked, ErrorCode.INVALID_REQUEST, internalTopic)
    return { ...answer, name: topic.name, id: topic.id }
  }
  return topic
}

/** By what a topic counts as asked twice: a name and the id of the same topic are one. */
function keyOf(image: ClusterImage, asked: TopicToDelete): string | undefined {
  if (asked.name !== null && asked.id !== ZERO_UUID) return undefined
  if (asked.name !== null) return image.topic(asked.name)?.id ?? `name ${asked.name}`
  return asked.id === ZERO_UUID ? undefined : asked.id
}

/** One topic as two requests name it: by its name, by its id, or by both. */
function bothOf(one: TopicToDelete, other: TopicToDelete): TopicToDelete {
  return { name: one.name ?? other.name, id: one.id === ZERO_UUID ? other.id : one.id }
}

function duplicate(asked: TopicToDelete): DeletedTopic {
  const what = asked.name === null ? 'Duplicate topic id.' : 'Duplicate topic name.'
  return refused(asked, ErrorCode.INVALID_REQUEST, what)
}

function refused(asked: TopicToDelete, errorCode: ErrorCode, errorMessage: string): DeletedTopic {
  return { name: asked.name, id: asked.id, errorCode, errorMessage }
}

const unknownName = 'This server does not host this topic-partition.'
const unknownId = 'This server does not host this topic ID.'
const internalTopic = 'An internal topic holds the state of the coordinators and is not deleted.'

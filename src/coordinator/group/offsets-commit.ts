/** OffsetCommit and OffsetDelete. Source: Kafka's OffsetMetadataManager. */
import type { ClusterImage, TopicImage } from '../../cluster/image.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Reply, Turn } from '../runtime.ts'
import { ClassicGroup } from './classic.ts'
import { continueSession } from './classic-rebalance.ts'
import type { CommandOf, GroupAnswers } from './commands.ts'
import type { GroupCoordinator } from './coordinator.ts'
import { offsetRecord, offsetTombstone } from './records.ts'
import type { Group, OffsetClient } from './registry.ts'

/** From this version on topics are named by their id. */
const TOPIC_IDS_FROM = 10
/** From this version on a group may be unknown in so many words. KIP-848. */
const GROUP_NOT_FOUND_FROM = 9

type CommitCommand = CommandOf<'offset-commit'>
type CommitAnswer = GroupAnswers['offset-commit']
type DeleteAnswer = GroupAnswers['offset-delete']

export function commitFailure(
  errorCode: ErrorCode,
  request: CommitCommand['request'],
): CommitAnswer {
  return {
    topics: request.topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }
}

export function commitOffsets(
  coordinator: GroupCoordinator,
  turn: Turn,
  command: CommitCommand,
  reply: Reply<CommitAnswer>,
): void {
  const { request, apiVersion } = command
  const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch } = request
  const client = {
    memberId,
    groupInstanceId,
    generationOrEpoch: generationIdOrMemberEpoch,
    apiVersion,
    transactional: false,
  }
  const group = coordinator.groups.get(groupId)
  const problem = commitProblem(group, client)
  const failed = (errorCode: ErrorCode) => commitFailure(errorCode, request)
  if (problem !== ErrorCode.NONE) {
    turn.answer(reply, refusal(coordinator, command, problem), failed)
    return
  }
  if (group instanceof ClassicGroup) {
    const member = group.members.get(memberId)
    if (member !== undefined) continueSession(coordinator, turn, group, member)
  }
  const topics = request.topics.map((topic) => {
    const { name, topicId } = topic
    const found = topicOf(coordinator.parts.image, apiVersion, topic)
    const partitions = topic.partitions.map((one) => {
      const { partitionIndex } = one
      const refused = found && group?.partitionCommitProblem?.(client, found, partitionIndex)
      const errorCode = refused || commitOne(coordinator, turn, request, found, one, apiVersion)
      return { partitionIndex, errorCode }
    })
    return { name, topicId, partitions }
  })
  turn.answer(reply, { topics }, failed)
}

export function deleteOffsetsFailure(errorCode: ErrorCode): DeleteAnswer {
  return { errorCode, topics: [] }
}

export function deleteOffsets(
  coordinator: GroupCoordinator,
  turn: Turn,
  { request }: CommandOf<'offset-delete'>,
  reply: Reply<DeleteAnswer>,
): void {
  const { groupId } = request
  const group = groupId === '' ? undefined : coordinator.groups.get(groupId)
  const unknown = groupId === '' ? ErrorCode.INVALID_GROUP_ID : ErrorCode.GROUP_ID_NOT_FOUND
  const problem = group?.offsetDeleteProblem() ?? unknown
  if (group === undefined || problem !== ErrorCode.NONE) {
    turn.answer(reply, deleteOffsetsFailure(problem), deleteOffsetsFailure)
    return
  }
  const { image } = coordinator.parts
  const topics = request.topics.map(({ name, partitions }) => {
    const subscribed = group.isSubscribedTo(name)
    return {
      name,
      partitions: partitions.map(({ partitionIndex }) => {
        if (image.topic(name)?.partitions[partitionIndex] === undefined) {
          return { partitionIndex, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
        }
        if (subscribed) return { partitionIndex, errorCode: ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC }
        const key = { group: groupId, topic: name, partition: partitionIndex }
        if (coordinator.offsets.get(groupId, name, partitionIndex) !== undefined) {
          turn.change(offsetTombstone(key))
        }
        return { partitionIndex, errorCode: ErrorCode.NONE }
      }),
    }
  })
  turn.answer(reply, { topics }, deleteOffsetsFailure)
}

/** A partition that does not exist is said before what is wrong with the member. */
function refusal(
  coordinator: GroupCoordinator,
  { request, apiVersion }: CommitCommand,
  problem: ErrorCode,
): CommitAnswer {
  return {
    topics: request.topics.map((topic) => {
      const { name, topicId } = topic
      const found = topicOf(coordinator.parts.image, apiVersion, topic)
      const partitions = topic.partitions.map(({ partitionIndex }) => {
        const missing = missingProblem(found, partitionIndex, apiVersion)
        return { partitionIndex, errorCode: missing === ErrorCode.NONE ? problem : missing }
      })
      return { name, topicId, partitions }
    }),
  }
}

function missingProblem(
  topic: TopicImage | undefined,
  partitionIndex: number,
  apiVersion: number,
): ErrorCode {
  if (topic === undefined && apiVersion >= TOPIC_IDS_FROM) return ErrorCode.UNKNOWN_TOPIC_ID
  const exists = topic?.partitions[partitionIndex] !== undefined
  return exists ? ErrorCode.NONE : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
}

function commitProblem(group: Group | undefined, client: OffsetClient): ErrorCode {
  if (group !== undefined) return group.commitProblem(client)
  // Offsets without membership need no group: it comes to be with them.
  if (client.generationOrEpoch < 0) return ErrorCode.NONE
  const named = client.apiVersion >= GROUP_NOT_FOUND_FROM
  return named ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.ILLEGAL_GENERATION
}

/** Logs one offset, or says why not; `topic`: undefined where there is none. */
export function commitOne(
  coordinator: GroupCoordinator,
  turn: Turn,
  { groupId, retentionTimeMs }: Pick<CommitCommand['request'], 'groupId' | 'retentionTimeMs'>,
  topic: TopicImage | undefined,
  one: CommitCommand['request']['topics'][number]['partitions'][number],
  apiVersion = 0,
): ErrorCode {
  const { partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata } = one
  const missing = missingProblem(topic, partitionIndex, apiVersion)
  if (topic === undefined || missing !== ErrorCode.NONE) return missing
  const metadata = committedMetadata ?? ''
  if (metadata.length > coordinator.config['offset.metadata.max.bytes']) {
    return ErrorCode.OFFSET_METADATA_TOO_LARGE
  }
  const key = { group: groupId, topic: topic.name, partition: partitionIndex }
  const record = offsetRecord(key, {
    offset: committedOffset,
    leaderEpoch: committedLeaderEpoch,
    metadata,
    commitTimestampMs: turn.nowMs,
    expireTimestampMs: retentionTimeMs < 0 ? -1 : turn.nowMs + retentionTimeMs,
    topicId: topic.id,
  })
  turn.change(record)
  return ErrorCode.NONE
}

function topicOf(
  image: ClusterImage,
  apiVersion: number,
  { name, topicId }: { name: string; topicId: string },
): TopicImage | undefined {
  return apiVersion >= TOPIC_IDS_FROM ? image.topicById(topicId) : image.topic(name)
}

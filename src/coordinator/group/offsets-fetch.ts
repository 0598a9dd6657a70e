/** OffsetFetch. Source: Kafka's OffsetMetadataManager. */
import { ErrorCode } from '../../protocol/errors.ts'
import type { CommandOf, GroupAnswers } from './commands.ts'
import type { GroupCoordinator } from './coordinator.ts'
import type { CommittedOffset } from './offsets.ts'

/** From this version on several groups are asked at once. KIP-709. */
export const SEVERAL_GROUPS_FROM = 8
/** From this version on topics are named by their id. */
const TOPIC_IDS_FROM = 10

type FetchRequest = CommandOf<'offset-fetch'>['request']
type FetchAnswer = GroupAnswers['offset-fetch']
type GroupAnswer = NonNullable<FetchAnswer['groups']>[number]
type TopicAnswer = NonNullable<GroupAnswer['topics']>[number]
type PartitionAnswer = NonNullable<TopicAnswer['partitions']>[number]

/** What is asked of one group; null: all topics with committed offsets. */
export type GroupAsked = FetchRequest['groups'][number]

/** The groups asked, in one form for all versions. */
export function groupsAsked(request: FetchRequest, apiVersion: number): readonly GroupAsked[] {
  if (apiVersion >= SEVERAL_GROUPS_FROM) return request.groups
  const { groupId, topics } = request
  const noId = ''
  const named = topics?.map((topic) => ({ ...topic, topicId: noId })) ?? null
  return [{ groupId, memberId: null, memberEpoch: -1, topics: named }]
}

/** The groups' answers in the form of the version. */
export function fetchAnswer(apiVersion: number, groups: readonly GroupAnswer[]): FetchAnswer {
  if (apiVersion >= SEVERAL_GROUPS_FROM) return { groups }
  const only = groups[0] as GroupAnswer
  const errorCode = only.errorCode ?? ErrorCode.NONE
  const topics = (only.topics ?? []).map(({ name = '', partitions = [] }) => ({ name, partitions }))
  return { errorCode, topics }
}

/** A group that cannot be answered. Before v2 each partition carries the error. */
export function fetchFailure(
  errorCode: ErrorCode,
  { groupId, topics }: GroupAsked,
  apiVersion: number,
): GroupAnswer {
  if (apiVersion >= 2) return { groupId, errorCode, topics: [] }
  const failed = (topics ?? []).map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partitionIndex) => nothing(partitionIndex, errorCode)),
  }))
  return { groupId, errorCode, topics: failed }
}

/** The committed offsets of one group. */
export function fetchOffsets(
  coordinator: GroupCoordinator,
  asked: GroupAsked,
  options: { apiVersion: number; requireStable: boolean },
): GroupAnswer {
  const { groupId, memberId, memberEpoch } = asked
  const group = coordinator.groups.get(groupId)
  const problem = group?.fetchProblem(memberId, memberEpoch) ?? ErrorCode.NONE
  if (problem !== ErrorCode.NONE) return fetchFailure(problem, asked, options.apiVersion)
  const topics =
    asked.topics === null
      ? allTopics(coordinator, groupId, options)
      : asked.topics.map((topic) => oneTopic(coordinator, groupId, topic, options))
  return { groupId, errorCode: ErrorCode.NONE, topics }
}

function oneTopic(
  coordinator: GroupCoordinator,
  groupId: string,
  { name, topicId, partitionIndexes }: NonNullable<GroupAsked['topics']>[number],
  { apiVersion, requireStable }: { apiVersion: number; requireStable: boolean },
): TopicAnswer {
  const byId = apiVersion >= TOPIC_IDS_FROM
  const found = byId ? coordinator.parts.image.topicById(topicId)?.name : name
  const partitions = partitionIndexes.map((partition) => {
    if (found === undefined) return nothing(partition, ErrorCode.UNKNOWN_TOPIC_ID)
    return oneOffset(coordinator, { group: groupId, topic: found, partition }, requireStable)
  })
  return { name: found ?? name, topicId, partitions }
}

function allTopics(
  coordinator: GroupCoordinator,
  groupId: string,
  { apiVersion, requireStable }: { apiVersion: number; requireStable: boolean },
): TopicAnswer[] {
  const answers: TopicAnswer[] = []
  for (const [topic, offsets] of coordinator.offsets.ofGroup(groupId) ?? []) {
    const topicId = coordinator.parts.image.topic(topic)?.id
    if (apiVersion >= TOPIC_IDS_FROM && topicId === undefined) continue
    const partitions = [...offsets.keys()].map((partition) => {
      return oneOffset(coordinator, { group: groupId, topic, partition }, requireStable)
    })
    answers.push({ name: topic, ...(topicId === undefined ? {} : { topicId }), partitions })
  }
  return answers
}

function oneOffset(
  { offsets }: GroupCoordinator,
  key: { group: string; topic: string; partition: number },
  requireStable: boolean,
): PartitionAnswer {
  const { group, topic, partition } = key
  if (requireStable && offsets.hasPending(key)) {
    return nothing(partition, ErrorCode.UNSTABLE_OFFSET_COMMIT)
  }
  const committed = offsets.get(group, topic, partition)
  return committed === undefined
    ? nothing(partition, ErrorCode.NONE)
    : something(partition, committed)
}

function something(partitionIndex: number, committed: CommittedOffset): PartitionAnswer {
  const { offset, leaderEpoch, metadata } = committed
  return {
    partitionIndex,
    committedOffset: offset,
    committedLeaderEpoch: leaderEpoch,
    metadata,
    errorCode: ErrorCode.NONE,
  }
}

function nothing(partitionIndex: number, errorCode: ErrorCode): PartitionAnswer {
  return {
    partitionIndex,
    committedOffset: -1,
    committedLeaderEpoch: -1,
    metadata: '',
    errorCode,
  }
}

/**
 * Where share groups are: DescribeShareGroupOffsets, AlterShareGroupOffsets,
 * DeleteShareGroupOffsets, and the deletion of a group or of a topic. KIP-932.
 */
import { ZERO_UUID } from '../../base/uuid.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Reply, Turn } from '../runtime.ts'
import type { CommandOf, GroupAnswers, ShareOffsets } from './commands.ts'
import { isRefusal, type Refusal, refuse } from './consumer-refusal.ts'
import type { GroupCoordinator } from './coordinator.ts'
import { ShareGroup, shareGroup } from './share-group.ts'
import { shareEpochRecord, shareTopicsRecord } from './share-records.ts'
import { afterwards, goOn, type ShareStart } from './share-states.ts'
import {
  listed,
  NO_SHARE_TOPICS,
  type SharePlace,
  type ShareTopic,
  type ShareTopics,
  withDeleted,
  withDeleting,
  withInitialized,
  withInitializing,
} from './share-topics.ts'

const NO_SUCH_PARTITION = {
  errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  errorMessage: 'This server does not host this topic-partition.',
}

const NO_OFFSETS = {
  errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  errorMessage: 'There is no offset information to delete.',
}

type AskedGroup = CommandOf<'describe-share-group-offsets'>['request']['groups'][number]

/** One group of DescribeShareGroupOffsets; one that is unknown or shares nothing was nowhere. */
export function describeShareOffsets(
  coordinator: GroupCoordinator,
  { groupId, topics }: AskedGroup,
  done: (described: ShareOffsets) => void,
): void {
  const group = shareGroup(coordinator.groups, groupId)
  const asked = topicsAsked(coordinator, group?.topics ?? NO_SHARE_TOPICS, topics)
  const places = asked.flatMap(({ topicId, known }) => {
    return known.map((partition) => ({ topicId, partition }))
  })
  coordinator.parts.shareStates.progress(groupId, places, (progress) => {
    const found = new Map(places.map((place, i) => [keyOf(place), progress[i]!]))
    done({
      groupId,
      topics: asked.map(({ topicName, topicId, partitions }) => ({
        topicName,
        topicId,
        partitions: partitions.map((partition) => ({
          partition,
          ...(found.get(keyOf({ topicId, partition })) ?? NEVER_READ),
        })),
      })),
    })
  })
}

const NEVER_READ = {
  errorCode: ErrorCode.NONE,
  startOffset: -1,
  leaderEpoch: 0,
  deliveryCompleteCount: 0,
}

/** Topics with the partitions that are asked for, and with those of them that have a state. */
function topicsAsked(
  { parts }: GroupCoordinator,
  { initialized }: ShareTopics,
  topics: AskedGroup['topics'],
): { topicName: string; topicId: string; partitions: readonly number[]; known: number[] }[] {
  if (topics === null) {
    return [...initialized].map(([topicId, { name, partitions }]) => {
      return { topicName: name, topicId, partitions, known: [...partitions] }
    })
  }
  return topics.map(({ topicName, partitions }) => {
    const topicId = parts.image.topic(topicName)?.id ?? ZERO_UUID
    const known = initialized.get(topicId)?.partitions ?? []
    return {
      topicName,
      topicId,
      partitions,
      known: partitions.filter((one) => known.includes(one)),
    }
  })
}

/** Sets where an empty group begins; one that is unknown is made. */
export function alterShareOffsets(
  coordinator: GroupCoordinator,
  turn: Turn,
  { request }: CommandOf<'alter-share-group-offsets'>,
  reply: Reply<GroupAnswers['alter-share-group-offsets']>,
): void {
  const { groupId } = request
  const known = coordinator.groups.get(groupId)
  const isNew = known === undefined && groupId !== ''
  const group = isNew ? new ShareGroup(groupId) : emptyGroup(coordinator, groupId)
  const failed = (errorCode: ErrorCode) => reply({ errorCode })
  if (isRefusal(group)) {
    turn.answer(reply, group, (errorCode) => ({ errorCode }))
    return
  }
  const { responses, begun, starts } = startsAsked(coordinator, request)
  if (starts.length === 0) {
    turn.answer(reply, { responses }, (errorCode) => ({ errorCode }))
    return
  }
  if (isNew) turn.change(shareEpochRecord(groupId, group.epoch, 0))
  turn.change(shareTopicsRecord(groupId, withInitializing(group.topics, begun)))
  const to = { stateEpoch: group.epoch, onlyNew: false, starts }
  afterwards(turn, failed, () => {
    coordinator.parts.shareStates.initialize(groupId, to, (errorCode) => {
      goOn(turn, errorCode, failed, (later) => {
        const current = shareGroup(coordinator.groups, groupId)
        if (current !== undefined) {
          later.change(shareTopicsRecord(groupId, withInitialized(current.topics, begun)))
        }
        later.answer(reply, { responses }, (code) => ({ errorCode: code }))
      })
    })
  })
}

/** What a request says of each partition, and what is to be done of it. */
function startsAsked(
  { parts }: GroupCoordinator,
  { topics }: CommandOf<'alter-share-group-offsets'>['request'],
) {
  const begun = new Map<string, ShareTopic>()
  const starts: ShareStart[] = []
  const responses = topics.map(({ topicName, partitions }) => {
    const topic = parts.image.topic(topicName)
    const good = partitions.filter(({ partitionIndex }) => topic?.partitions[partitionIndex])
    if (topic !== undefined && good.length > 0) {
      const { id: topicId } = topic
      const indexes = good.map(({ partitionIndex }) => partitionIndex)
      begun.set(topicId, { name: topicName, partitions: indexes })
      for (const { partitionIndex: partition, startOffset } of good) {
        starts.push({ topicId, partition, startOffset })
      }
    }
    return {
      topicName,
      topicId: topic?.id ?? ZERO_UUID,
      partitions: partitions.map((asked) => {
        const { partitionIndex } = asked
        return good.includes(asked) ? { partitionIndex } : { partitionIndex, ...NO_SUCH_PARTITION }
      }),
    }
  })
  return { responses, begun, starts }
}

/** Forgets topics of an empty group. */
export function deleteShareOffsets(
  coordinator: GroupCoordinator,
  turn: Turn,
  { request }: CommandOf<'delete-share-group-offsets'>,
  reply: Reply<GroupAnswers['delete-share-group-offsets']>,
): void {
  const { groupId, topics } = request
  const group = emptyGroup(coordinator, groupId)
  if (isRefusal(group)) {
    turn.answer(reply, group, (errorCode) => ({ errorCode }))
    return
  }
  const gone: string[] = []
  const responses = topics.map(({ topicName }) => {
    const topicId = coordinator.parts.image.topic(topicName)?.id
    if (topicId === undefined) return { topicName, topicId: ZERO_UUID, ...NO_SUCH_PARTITION }
    if (!group.topics.initialized.has(topicId)) {
      return { topicName, topicId: ZERO_UUID, ...NO_OFFSETS }
    }
    gone.push(topicId)
    return { topicName, topicId }
  })
  forgetShareTopics(coordinator, turn, group, gone, (errorCode) => {
    reply(errorCode === ErrorCode.NONE ? { responses } : { errorCode })
  })
}

/** Deletes an empty group with all that is kept of its partitions. `done` is called once. */
export function deleteShareGroup(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ShareGroup,
  done: (errorCode: ErrorCode) => void,
): void {
  const { groupId, topics } = group
  if (!group.isEmpty()) {
    turn.onEnd((errorCode) => done(errorCode || ErrorCode.NON_EMPTY_GROUP))
    return
  }
  const all = [...topics.initializing.keys(), ...topics.initialized.keys()]
  forgetShareTopics(coordinator, turn, group, [...new Set(all)], (errorCode) => {
    goOn(turn, errorCode, done, (later) => {
      const current = shareGroup(coordinator.groups, groupId)
      const problem = current?.deleteProblem() ?? ErrorCode.NONE
      if (problem === ErrorCode.NONE) {
        for (const record of current?.tombstones() ?? []) later.change(record)
      }
      later.onEnd((code) => done(code || problem))
    })
  })
}

/** What is kept of these topics is deleted, before the group forgets them. `done`: called once. */
export function forgetShareTopics(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ShareGroup,
  topicIds: readonly string[],
  done: (errorCode: ErrorCode) => void,
): void {
  const { groupId, topics } = group
  const places = [...listed(topics.initializing), ...listed(topics.initialized)]
  const gone = places.filter(({ topicId }) => topicIds.includes(topicId))
  if (topicIds.length === 0) {
    turn.onEnd(done)
    return
  }
  turn.change(shareTopicsRecord(groupId, withDeleting(topics, topicIds)))
  afterwards(turn, done, () => {
    coordinator.parts.shareStates.delete(groupId, gone, (errorCode) => {
      goOn(turn, errorCode, done, (later) => {
        const current = shareGroup(coordinator.groups, groupId)
        if (current !== undefined) {
          later.change(shareTopicsRecord(groupId, withDeleted(current.topics, topicIds)))
        }
        later.onEnd(done)
      })
    })
  })
}

function emptyGroup({ groups }: GroupCoordinator, groupId: string): ShareGroup | Refusal {
  if (groupId === '') return refuse(ErrorCode.INVALID_GROUP_ID, "GroupId can't be empty.")
  const group = groups.get(groupId)
  if (!(group instanceof ShareGroup)) {
    const message =
      group === undefined ? `Group ${groupId} not found.` : `Group ${groupId} is not a share group.`
    return refuse(ErrorCode.GROUP_ID_NOT_FOUND, message)
  }
  if (group.isEmpty()) return group
  return refuse(ErrorCode.NON_EMPTY_GROUP, 'The group is not empty.')
}

function keyOf({ topicId, partition }: SharePlace): string {
  return `${topicId}/${partition}`
}

/**
 * ShareGroupHeartbeat: a member of a share group comes, stays, goes. KIP-932.
 * Differs from Kafka: partitions get their state before the answer leaves, so that a member has
 * them with the first one.
 */
import { ErrorCode } from '../../protocol/errors.ts'
import type { Reply, Turn } from '../runtime.ts'
import type { CommandOf, GroupAnswers } from './commands.ts'
import { sameNames, topicNames } from './consumer-member.ts'
import { invalid, isRefusal, type Refusal, refuse } from './consumer-refusal.ts'
import type { GroupCoordinator } from './coordinator.ts'
import { namesWith, removeShareMember } from './share-fence.ts'
import { newShareMember, ShareGroup, type ShareMember } from './share-group.ts'
import { shareEpochRecord, shareTopicsRecord } from './share-records.ts'
import { afterwards, goOn } from './share-states.ts'
import {
  listed,
  type ShareTopic,
  uninitialized,
  withInitialized,
  withInitializing,
} from './share-topics.ts'
import { updateShareMember } from './share-update.ts'

type Heartbeat = CommandOf<'share-group-heartbeat'>
type Answer = GroupAnswers['share-group-heartbeat']

/** The epoch with which a member goes. */
const LEAVE_EPOCH = -1

/** One heartbeat; `reply` is called once. A refusal changes nothing. */
export function heartbeatShareMember(
  coordinator: GroupCoordinator,
  turn: Turn,
  command: Heartbeat,
  reply: Reply<Answer>,
): void {
  const failed = (errorCode: ErrorCode) => ({ errorCode })
  const refusal = requestRefusal(command)
  if (refusal || command.request.memberEpoch === LEAVE_EPOCH) {
    turn.answer(reply, refusal ?? leave(coordinator, turn, command), failed)
    return
  }
  const caller = callerOf(coordinator, command)
  if (isRefusal(caller)) {
    turn.answer(reply, caller, failed)
    return
  }
  const { group, member } = caller
  const next = withNews(member, command)
  const missing = missingStates(coordinator, group, member, next)
  if (missing.size === 0) {
    const answer = updateShareMember({ coordinator, turn, group, before: member, next }, command)
    turn.answer(reply, answer, failed)
    return
  }
  initialize(coordinator, turn, group, missing, (errorCode, later) => {
    if (later === undefined) reply({ errorCode })
    else heartbeatShareMember(coordinator, later, command, reply)
  })
}

/**
 * Gives partitions a state, and calls `then` once: in a turn in which the group knows of it, or
 * with what failed.
 */
function initialize(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ShareGroup,
  missing: ReadonlyMap<string, ShareTopic>,
  then: (errorCode: ErrorCode, later?: Turn) => void,
): void {
  const { groupId } = group
  // A group is made by its epoch: its other records come behind.
  if (coordinator.groups.get(groupId) === undefined) {
    turn.change(shareEpochRecord(groupId, group.epoch, 0))
  }
  turn.change(shareTopicsRecord(groupId, withInitializing(group.topics, missing)))
  const stateEpoch = group.epoch + 1
  const starts = listed(missing).map((place) => ({ ...place, startOffset: -1 }))
  const to = { stateEpoch, onlyNew: true, starts }
  afterwards(turn, then, () => {
    coordinator.parts.shareStates.initialize(groupId, to, (errorCode) => {
      goOn(turn, errorCode, then, (later) => {
        const current = coordinator.groups.get(groupId)
        if (current instanceof ShareGroup) {
          later.change(shareTopicsRecord(groupId, withInitialized(current.topics, missing)))
        }
        afterwards(later, then, (last) => then(ErrorCode.NONE, last))
      })
    })
  })
}

/** Partitions that the group reads once `next` is in, and that have no state yet. */
function missingStates(
  coordinator: GroupCoordinator,
  group: ShareGroup,
  before: ShareMember,
  next: ShareMember,
): ReadonlyMap<string, ShareTopic> {
  const { image } = coordinator.parts
  const wanted = new Map<string, ShareTopic>()
  if (before === next && group.topicsChecked === image.changeCount) return wanted
  for (const name of namesWith(group, next.memberId, next)) {
    const topic = image.topic(name)
    if (topic === undefined) continue
    wanted.set(topic.id, { name, partitions: topic.partitions.map((_, index) => index) })
  }
  return uninitialized(group.topics, wanted)
}

/** What is wrong with the request, whatever group there is. */
function requestRefusal({ request }: Heartbeat): Refusal | Answer | undefined {
  const { memberEpoch, memberId, groupId, rackId, subscribedTopicNames } = request
  if (memberId.trim() === '') return { errorCode: ErrorCode.INVALID_REQUEST }
  if (groupId.trim() === '') return invalid("GroupId can't be empty.")
  if (rackId?.trim() === '') return invalid("RackId can't be empty.")
  if (memberEpoch < LEAVE_EPOCH) return invalid('MemberEpoch is invalid.')
  if (memberEpoch === 0 && (subscribedTopicNames ?? []).length === 0) {
    return invalid('SubscribedTopicNames must be set in first request.')
  }
  return undefined
}

function callerOf(
  coordinator: GroupCoordinator,
  { request }: Heartbeat,
): { group: ShareGroup; member: ShareMember } | Refusal {
  const { groupId, memberId, memberEpoch } = request
  const joins = memberEpoch === 0
  const known = coordinator.groups.get(groupId)
  const group =
    known === undefined && joins ? new ShareGroup(groupId) : shareGroupThatIs(known, groupId)
  if (isRefusal(group)) return group
  const max = coordinator.config['group.share.max.size']
  const member = group.members.get(memberId)
  if (group.members.size >= max && member === undefined) {
    return refuse(
      ErrorCode.GROUP_MAX_SIZE_REACHED,
      `The share group has reached its maximum capacity of ${max} members.`,
    )
  }
  if (member === undefined) {
    return joins ? { group, member: newShareMember(memberId) } : unknownMember(groupId, memberId)
  }
  return epochMismatch(member, memberEpoch) ?? { group, member }
}

/** `noun`: how Kafka calls the one that is missing. */
function shareGroupThatIs(
  known: object | undefined,
  groupId: string,
  noun: 'Group' | 'Share group' = 'Share group',
): ShareGroup | Refusal {
  if (known instanceof ShareGroup) return known
  const message =
    known === undefined ? `${noun} ${groupId} not found.` : `Group ${groupId} is not a share group.`
  return refuse(ErrorCode.GROUP_ID_NOT_FOUND, message)
}

/** The answer with a new epoch may have been lost: then the member still comes with the old one. */
function epochMismatch(member: ShareMember, memberEpoch: number): Refusal | undefined {
  if (memberEpoch === 0 || memberEpoch === member.memberEpoch) return undefined
  if (memberEpoch === member.previousMemberEpoch) return undefined
  const greater = memberEpoch > member.memberEpoch
  const previous = greater
    ? ''
    : `, and it does not match the previous member epoch (${member.previousMemberEpoch})`
  return refuse(
    ErrorCode.FENCED_MEMBER_EPOCH,
    `The share group member has a ${greater ? 'greater' : 'smaller'} member epoch ` +
      `(${memberEpoch}) than the one known by the group coordinator (${member.memberEpoch})` +
      `${previous}. The member must abandon all its partitions and rejoin.`,
  )
}

/** What a heartbeat does not name stays as it was; the same object when it names nothing. */
function withNews(member: ShareMember, { request, clientId, clientHost }: Heartbeat): ShareMember {
  const { rackId, subscribedTopicNames } = request
  const names =
    subscribedTopicNames === null ? member.subscribedTopicNames : topicNames(subscribedTopicNames)
  const unchanged =
    (rackId === null || rackId === member.rackId) &&
    sameNames(names, member.subscribedTopicNames) &&
    member.clientId === clientId &&
    member.clientHost === clientHost
  if (unchanged) return member
  return {
    ...member,
    rackId: rackId ?? member.rackId,
    subscribedTopicNames: names,
    clientId,
    clientHost,
  }
}

function leave(coordinator: GroupCoordinator, turn: Turn, { request }: Heartbeat): Answer {
  const { groupId, memberId, memberEpoch } = request
  const group = shareGroupThatIs(coordinator.groups.get(groupId), groupId, 'Group')
  if (isRefusal(group)) return group
  if (!group.members.has(memberId)) return unknownMember(groupId, memberId)
  removeShareMember(coordinator, turn, group, memberId)
  return { memberId, memberEpoch }
}

function unknownMember(groupId: string, memberId: string): Refusal {
  const message = `Member ${memberId} is not a member of group ${groupId}.`
  return refuse(ErrorCode.UNKNOWN_MEMBER_ID, message)
}

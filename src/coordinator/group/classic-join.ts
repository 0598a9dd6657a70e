/** JoinGroup of classic groups. Source: Kafka's classicGroupJoinToClassicGroup. */
import { newUuid, uuidToHex } from '../../base/uuid.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Reply, Turn } from '../runtime.ts'
import {
  ClassicGroup,
  type ClassicMember,
  type JoinAnswer,
  type MemberProtocol,
  timerKey,
} from './classic.ts'
import {
  answerJoin,
  answerSync,
  completeIfAllJoined,
  endSession,
  joinFailure,
  joinSuccess,
  rebalanceOrComplete,
  restartSession,
  startFirstSession,
  syncFailure,
} from './classic-rebalance.ts'
import { classicGroupRecord } from './classic-records.ts'
import type { CommandOf } from './commands.ts'
import type { GroupCoordinator } from './coordinator.ts'

/** From this version on a client has to know its id before it joins. KIP-394. */
const MEMBER_ID_REQUIRED_FROM = 4
/** From this version on a leader can be told not to assign. KIP-814. */
const SKIP_ASSIGNMENT_FROM = 9

type JoinCommand = CommandOf<'join-group'>

/** One JoinGroup on its way through the checks. */
interface Joining {
  readonly coordinator: GroupCoordinator
  readonly turn: Turn
  readonly group: ClassicGroup
  readonly command: JoinCommand
  readonly reply: Reply<JoinAnswer>
}

/** `group`: the classic group of that id, undefined when there is no group. */
export function joinClassicGroup(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ClassicGroup | undefined,
  command: JoinCommand,
  reply: Reply<JoinAnswer>,
): void {
  const { groupId, memberId } = command.request
  if (group === undefined && memberId !== '') {
    turn.answer(reply, joinFailure(ErrorCode.UNKNOWN_MEMBER_ID, memberId), failureOf(memberId))
    return
  }
  const joined = group ?? new ClassicGroup(groupId, turn.nowMs)
  if (group === undefined) coordinator.groups.set(joined)
  const joining = { coordinator, turn, group: joined, command, reply }
  if (!hasRoom(joining)) {
    joined.remove(memberId)
    refuse(joining, ErrorCode.GROUP_MAX_SIZE_REACHED)
  } else if (memberId === '') {
    joinNew(joining)
  } else {
    joinKnown(joining)
  }
  // So that a group is in the log from its beginning, also if it never gets a generation.
  if (group === undefined && turn.records.length === 0) turn.persist(newGroupRecord(joined))
}

/** Why a JoinGroup is refused before its group is looked at. */
export function joinProblem(coordinator: GroupCoordinator, { request }: JoinCommand): ErrorCode {
  const { groupId, sessionTimeoutMs } = request
  if (groupId === '') return ErrorCode.INVALID_GROUP_ID
  const min = coordinator.config['group.min.session.timeout.ms']
  const max = coordinator.config['group.max.session.timeout.ms']
  const fits = sessionTimeoutMs >= min && sessionTimeoutMs <= max
  return fits ? ErrorCode.NONE : ErrorCode.INVALID_SESSION_TIMEOUT
}

function refuse(joining: Joining, errorCode: ErrorCode, memberId?: string): void {
  const id = memberId ?? joining.command.request.memberId
  joining.turn.answer(joining.reply, joinFailure(errorCode, id), failureOf(id))
}

function failureOf(memberId: string): (errorCode: ErrorCode) => JoinAnswer {
  return (errorCode) => joinFailure(errorCode, memberId)
}

function succeed({ turn, reply }: Joining, answer: JoinAnswer): void {
  turn.answer(reply, answer, failureOf(answer.memberId ?? ''))
}

function hasRoom({ coordinator, group, command }: Joining): boolean {
  const { memberId } = command.request
  const max = coordinator.config['group.max.size']
  switch (group.state) {
    case 'PreparingRebalance':
      return group.members.get(memberId)?.awaitingJoin !== undefined || group.joinedCount() < max
    case 'CompletingRebalance':
    case 'Stable':
      return group.members.has(memberId) || group.members.size < max
    default:
      return true
  }
}

/** A record without protocol and members, as Kafka writes it for a group that has just begun. */
function newGroupRecord(group: ClassicGroup) {
  const empty = new ClassicGroup(group.groupId, group.stateSinceMs)
  return classicGroupRecord(empty)
}

function joinNew(joining: Joining): void {
  const { coordinator, turn, group, command } = joining
  const { request, apiVersion, clientId } = command
  const { groupInstanceId, protocolType, protocols } = request
  if (group.state === 'Dead') {
    refuse(joining, ErrorCode.COORDINATOR_NOT_AVAILABLE)
    return
  }
  if (!group.supports(protocolType, protocols)) {
    refuse(joining, ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    return
  }
  const newId = `${groupInstanceId ?? clientId}-${uuidToHex(newUuid(coordinator.parts.random))}`
  if (groupInstanceId !== null) {
    const knownId = group.staticMemberId(groupInstanceId)
    if (knownId === undefined) addMember(joining, newId)
    else returnStaticMember(joining, knownId, newId)
    return
  }
  if (apiVersion < MEMBER_ID_REQUIRED_FROM) {
    addMember(joining, newId)
    return
  }
  group.pendingJoins.add(newId)
  const { groupId, sessionTimeoutMs } = request
  turn.setTimer(timerKey('session', groupId, newId), sessionTimeoutMs, (later) => {
    if (!group.pendingJoins.delete(newId)) return
    completeIfAllJoined(coordinator, later, group)
  })
  refuse(joining, ErrorCode.MEMBER_ID_REQUIRED, newId)
}

function joinKnown(joining: Joining): void {
  const { group, command } = joining
  const { memberId, groupInstanceId, protocolType, protocols } = command.request
  if (group.state === 'Dead') {
    refuse(joining, ErrorCode.COORDINATOR_NOT_AVAILABLE)
    return
  }
  if (!group.supports(protocolType, protocols)) {
    refuse(joining, ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    return
  }
  if (group.pendingJoins.has(memberId)) {
    addMember(joining, memberId)
    return
  }
  const problem = group.memberProblem(memberId, groupInstanceId)
  if (problem !== ErrorCode.NONE) {
    refuse(joining, problem)
    return
  }
  const member = group.members.get(memberId) as ClassicMember
  if (rejoinsUnchanged(group, member, protocols)) {
    restartSession(joining.coordinator, joining.turn, group, member)
    succeed(joining, joinSuccess(group, member))
    return
  }
  updateMember(joining, member)
  rebalanceOrComplete(joining.coordinator, joining.turn, group)
}

/** The present generation is told again: an answer was lost, or a follower asks for nothing new. */
function rejoinsUnchanged(
  group: ClassicGroup,
  member: ClassicMember,
  protocols: readonly MemberProtocol[],
): boolean {
  if (group.state === 'CompletingRebalance') return sameProtocols(member.protocols, protocols)
  if (group.state !== 'Stable' || member.memberId === group.leaderId) return false
  return sameProtocols(member.protocols, protocols)
}

function addMember(joining: Joining, memberId: string): void {
  const { coordinator, turn, group, command, reply } = joining
  const { groupInstanceId, protocolType } = command.request
  const member: ClassicMember = {
    memberId,
    groupInstanceId,
    clientId: command.clientId,
    clientHost: command.clientHost,
    ...timeoutsOf(command),
    protocols: ownProtocols(command),
    assignment: Buffer.alloc(0),
    isNew: true,
    awaitingJoin: reply,
    awaitingSync: undefined,
  }
  if (group.initialRebalance) group.newMemberAdded = true
  group.add(member, protocolType)
  startFirstSession(coordinator, turn, group, member)
  rebalanceOrComplete(coordinator, turn, group)
}

/** Takes over what the member says now; its request waits for the rebalance. */
function updateMember({ turn, command, reply }: Joining, member: ClassicMember): void {
  const { rebalanceTimeoutMs, sessionTimeoutMs } = timeoutsOf(command)
  member.rebalanceTimeoutMs = rebalanceTimeoutMs
  member.sessionTimeoutMs = sessionTimeoutMs
  member.protocols = ownProtocols(command)
  // A client has one join under way: nobody waits for the answer to an older one.
  answerJoin(turn, member, joinFailure(ErrorCode.REBALANCE_IN_PROGRESS, member.memberId))
  member.awaitingJoin = reply
}

/** A static member restarted: it takes its place under a new id. KIP-345. */
function returnStaticMember(joining: Joining, oldId: string, newId: string): void {
  const { coordinator, turn, group, command } = joining
  const { apiVersion } = command
  const oldLeader = group.leaderId ?? ''
  const old = group.members.get(oldId) as ClassicMember
  endSession(turn, group, oldId)
  answerJoin(turn, old, joinFailure(ErrorCode.FENCED_INSTANCE_ID, oldId))
  answerSync(turn, old, syncFailure(ErrorCode.FENCED_INSTANCE_ID))
  const before = { ...old, awaitingJoin: undefined, awaitingSync: undefined }
  const member = group.replaceStaticMember(oldId, newId)
  updateMember(joining, member)
  restartSession(coordinator, turn, group, member)
  if (group.state !== 'Stable') {
    if (group.state === 'CompletingRebalance') rebalanceOrComplete(coordinator, turn, group)
    else completeIfAllJoined(coordinator, turn, group)
    return
  }
  if (group.selectProtocol() !== group.protocolName) {
    rebalanceOrComplete(coordinator, turn, group)
    return
  }
  const isLeader = group.leaderId === newId
  const skips = apiVersion >= SKIP_ASSIGNMENT_FROM
  turn.persist(classicGroupRecord(group))
  // Told its old id as the leader's, an older client takes itself for a follower and does not
  // assign anew.
  const answer = skips
    ? joinSuccess(group, member, { skipAssignment: isLeader })
    : joinSuccess(group, member, { leader: oldLeader, members: false })
  member.awaitingJoin = undefined
  turn.answer(joining.reply, answer, failureOf(newId))
  turn.followedBy((later, errorCode) => {
    if (errorCode === ErrorCode.NONE || group.members.get(newId) !== member) return
    // It was not written: the old one goes on, and the client tries again.
    endSession(later, group, newId)
    Object.assign(group.replaceStaticMember(newId, oldId), { ...before, memberId: oldId })
    restartSession(coordinator, later, group, member)
  })
}

/** v0 has one timeout for both. */
function timeoutsOf({ request, apiVersion }: JoinCommand) {
  const { sessionTimeoutMs, rebalanceTimeoutMs } = request
  return {
    sessionTimeoutMs,
    rebalanceTimeoutMs: apiVersion === 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
  }
}

/** Copies: a request's bytes do not outlive it. */
function ownProtocols({ request }: JoinCommand): MemberProtocol[] {
  return request.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) }))
}

function sameProtocols(a: readonly MemberProtocol[], b: readonly MemberProtocol[]): boolean {
  if (a.length !== b.length) return false
  return a.every((one, i) => {
    const other = b[i] as MemberProtocol
    return one.name === other.name && one.metadata.equals(other.metadata)
  })
}

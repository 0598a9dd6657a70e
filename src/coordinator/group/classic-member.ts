/** SyncGroup, Heartbeat and LeaveGroup of classic groups. */
import { ErrorCode } from '../../protocol/errors.ts'
import type { Reply, Turn } from '../runtime.ts'
import type { ClassicGroup, ClassicMember, SyncAnswer } from './classic.ts'
import { timerKey } from './classic.ts'
import {
  answerSync,
  completeIfAllJoined,
  continueSession,
  endSession,
  prepareRebalance,
  rebalanceWithout,
  removeMember,
  restartSession,
  syncFailure,
} from './classic-rebalance.ts'
import { classicGroupRecord } from './classic-records.ts'
import type { CommandOf, GroupAnswers } from './commands.ts'
import type { GroupCoordinator } from './coordinator.ts'

/** From this version on LeaveGroup names several members, each with an answer of its own. */
const LEAVES_SEVERAL_FROM = 3

const NO_BYTES = Buffer.alloc(0)

type SyncRequest = CommandOf<'sync-group'>['request']
type LeaveCommand = CommandOf<'leave-group'>
type MemberAnswer = NonNullable<GroupAnswers['leave-group']['members']>[number]

export function syncClassicGroup(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ClassicGroup,
  { request }: CommandOf<'sync-group'>,
  reply: Reply<SyncAnswer>,
): void {
  const problem = syncProblem(group, request)
  if (problem !== ErrorCode.NONE) {
    turn.answer(reply, syncFailure(problem), syncFailure)
    return
  }
  const member = group.members.get(request.memberId) as ClassicMember
  group.pendingSyncs.delete(member.memberId)
  restartSession(coordinator, turn, group, member)
  if (group.state === 'Stable') {
    if (group.pendingSyncs.size === 0) turn.cancelTimer(timerKey('sync', group.groupId))
    turn.answer(reply, syncSuccess(group, member), syncFailure)
    return
  }
  answerSync(turn, member, syncFailure(ErrorCode.REBALANCE_IN_PROGRESS))
  member.awaitingSync = reply
  if (member.memberId === group.leaderId) takeAssignments(coordinator, turn, group, request)
}

// hot
export function heartbeatClassicGroup(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ClassicGroup,
  { request }: CommandOf<'heartbeat'>,
): ErrorCode {
  const { memberId, groupInstanceId, generationId } = request
  if (group.state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
  const member = group.members.get(memberId)
  if (member === undefined || groupInstanceId !== null) {
    const problem = group.memberProblem(memberId, groupInstanceId)
    if (problem !== ErrorCode.NONE) return problem
  }
  if (generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION
  continueSession(coordinator, turn, group, member as ClassicMember)
  const rebalances = group.state === 'PreparingRebalance'
  return rebalances ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
}

export function leaveClassicGroup(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ClassicGroup,
  command: LeaveCommand,
): GroupAnswers['leave-group'] {
  const leaving = leavingMembers(command)
  let left = 0
  const members: MemberAnswer[] = []
  for (const { memberId, groupInstanceId } of leaving) {
    const before = group.members.size
    const errorCode = leaveOne(turn, group, memberId, groupInstanceId)
    left += before - group.members.size
    members.push({ memberId, groupInstanceId, errorCode })
  }
  if (left > 0) rebalanceWithout(coordinator, turn, group)
  else completeIfAllJoined(coordinator, turn, group)
  return leaveAnswer(command, members)
}

/** The answer for members that all fail in the same way: there is no such group. */
export function leaveFailure(command: LeaveCommand, errorCode: ErrorCode) {
  const members = leavingMembers(command).map(({ memberId, groupInstanceId }) => {
    return { memberId, groupInstanceId, errorCode }
  })
  return leaveAnswer(command, members)
}

/** The members that a request names. Before v3 it is the one at the top. */
export function leavingMembers({ request, apiVersion }: LeaveCommand) {
  if (apiVersion >= LEAVES_SEVERAL_FROM) return request.members
  return [{ memberId: request.memberId, groupInstanceId: null, reason: null }]
}

/** Before v3 the answer is that of the one member. */
export function leaveAnswer(
  { apiVersion }: LeaveCommand,
  members: readonly MemberAnswer[],
): GroupAnswers['leave-group'] {
  if (apiVersion >= LEAVES_SEVERAL_FROM) return { errorCode: ErrorCode.NONE, members }
  return { errorCode: members[0]?.errorCode ?? ErrorCode.NONE }
}

function leaveOne(
  turn: Turn,
  group: ClassicGroup,
  memberId: string,
  groupInstanceId: string | null,
): ErrorCode {
  if (memberId === '') {
    const known = groupInstanceId !== null ? group.staticMemberId(groupInstanceId) : undefined
    if (known === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
    removeMember(turn, group, known)
    return ErrorCode.NONE
  }
  if (group.pendingJoins.has(memberId)) {
    endSession(turn, group, memberId)
    group.remove(memberId)
    return ErrorCode.NONE
  }
  const problem = group.memberProblem(memberId, groupInstanceId)
  if (problem === ErrorCode.NONE) removeMember(turn, group, memberId)
  return problem
}

function syncProblem(group: ClassicGroup, request: SyncRequest): ErrorCode {
  const { memberId, groupInstanceId, generationId, protocolType, protocolName } = request
  if (group.state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
  const problem = group.memberProblem(memberId, groupInstanceId)
  if (problem !== ErrorCode.NONE) return problem
  if (generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION
  if (protocolType !== null && protocolType !== group.type) {
    return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
  }
  if (protocolName !== null && protocolName !== group.protocolName) {
    return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
  }
  if (group.state === 'PreparingRebalance') return ErrorCode.REBALANCE_IN_PROGRESS
  return group.state === 'Empty' ? ErrorCode.UNKNOWN_MEMBER_ID : ErrorCode.NONE
}

function syncSuccess(group: ClassicGroup, member: ClassicMember): SyncAnswer {
  return {
    errorCode: ErrorCode.NONE,
    protocolType: group.type,
    protocolName: group.protocolName,
    assignment: member.assignment,
  }
}

/** The leader assigned: members hear of it once it is in the log. */
function takeAssignments(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ClassicGroup,
  request: SyncRequest,
): void {
  const given = new Map(request.assignments.map((one) => [one.memberId, one.assignment]))
  const assignments = new Map<string, Buffer>()
  for (const memberId of group.members.keys()) {
    assignments.set(memberId, Buffer.from(given.get(memberId) ?? NO_BYTES))
  }
  const { generationId } = group
  turn.persist(classicGroupRecord(group, assignments))
  turn.followedBy((later, errorCode) => {
    if (group.state !== 'CompletingRebalance' || group.generationId !== generationId) return
    if (errorCode === ErrorCode.NONE) {
      giveAssignments(coordinator, later, group, assignments)
      return
    }
    for (const member of group.members.values()) answerSync(later, member, syncFailure(errorCode))
    prepareRebalance(coordinator, later, group)
  })
}

function giveAssignments(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ClassicGroup,
  assignments: ReadonlyMap<string, Buffer>,
): void {
  group.transitionTo('Stable', turn.nowMs)
  if (group.pendingSyncs.size === 0) turn.cancelTimer(timerKey('sync', group.groupId))
  for (const member of group.members.values()) {
    member.assignment = assignments.get(member.memberId) ?? NO_BYTES
    if (member.awaitingSync === undefined) continue
    answerSync(turn, member, syncSuccess(group, member))
    restartSession(coordinator, turn, group, member)
  }
}

/**
 * The rebalance of a classic group: waiting for joins, the new generation, waiting for syncs, and
 * members who fall silent. Source: Kafka's GroupMetadataManager.
 */
import { ErrorCode } from '../../protocol/errors.ts'
import type { Turn } from '../runtime.ts'
import {
  type ClassicGroup,
  type ClassicMember,
  type JoinAnswer,
  type SyncAnswer,
  timerKey,
} from './classic.ts'
import { classicGroupRecord } from './classic-records.ts'
import type { GroupCoordinator } from './coordinator.ts'

/** A member that waits for its first rebalance is taken for lost after this. */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60 * 1000

const NO_BYTES = Buffer.alloc(0)

export function joinFailure(errorCode: ErrorCode, memberId: string): JoinAnswer {
  return { errorCode, memberId, generationId: -1, protocolName: null, leader: '', members: [] }
}

export function syncFailure(errorCode: ErrorCode): SyncAnswer {
  return { errorCode, assignment: NO_BYTES }
}

/** Answers a held JoinGroup. */
export function answerJoin(turn: Turn, member: ClassicMember, answer: JoinAnswer): void {
  const reply = member.awaitingJoin
  if (reply === undefined) return
  member.awaitingJoin = undefined
  turn.answer(reply, answer, (errorCode) => joinFailure(errorCode, member.memberId))
}

/** Answers a held SyncGroup. */
export function answerSync(turn: Turn, member: ClassicMember, answer: SyncAnswer): void {
  const reply = member.awaitingSync
  if (reply === undefined) return
  member.awaitingSync = undefined
  turn.answer(reply, answer, syncFailure)
}

/** The member gave a sign of life. */
export function restartSession(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ClassicGroup,
  member: ClassicMember,
): void {
  setSession(coordinator, turn, group, member, member.sessionTimeoutMs)
}

/**
 * As restartSession, for a member that has a session already: of all requests the most, and nothing
 * new is made for them. A closure that replaces an older one costs a collection of old objects.
 */
// hot
export function continueSession(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ClassicGroup,
  member: ClassicMember,
): void {
  if (turn.restartTimer(member.sessionTimer, member.sessionTimeoutMs)) return
  restartSession(coordinator, turn, group, member)
}

/** As restartSession, for one that waits for its first rebalance. */
export function startFirstSession(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ClassicGroup,
  member: ClassicMember,
): void {
  setSession(coordinator, turn, group, member, NEW_MEMBER_JOIN_TIMEOUT_MS)
}

export function endSession(turn: Turn, group: ClassicGroup, memberId: string): void {
  turn.cancelTimer(timerKey('session', group.groupId, memberId))
}

/** Members were replayed from the log: their sessions start now. */
export function onClassicLoaded(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ClassicGroup,
): void {
  for (const member of group.members.values()) restartSession(coordinator, turn, group, member)
  const isTooLarge = group.members.size > coordinator.config['group.max.size']
  // See unsettledGroupRecord.
  const isUnsettled = group.state === 'Stable' && group.leaderId === null
  if (isTooLarge || isUnsettled) prepareRebalance(coordinator, turn, group)
}

/** Begins a rebalance, or goes on with the one that is under way. */
export function rebalanceOrComplete(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ClassicGroup,
): void {
  switch (group.state) {
    case 'Stable':
    case 'CompletingRebalance':
    case 'Empty':
      prepareRebalance(coordinator, turn, group)
      return
    case 'PreparingRebalance':
      completeIfAllJoined(coordinator, turn, group)
      return
    default:
  }
}

export function prepareRebalance(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ClassicGroup,
): void {
  if (group.state === 'CompletingRebalance') {
    for (const member of group.members.values()) {
      member.assignment = NO_BYTES
      answerSync(turn, member, syncFailure(ErrorCode.REBALANCE_IN_PROGRESS))
    }
  }
  turn.cancelTimer(timerKey('sync', group.groupId))
  group.initialRebalance = group.state === 'Empty'
  group.transitionTo('PreparingRebalance', turn.nowMs)
  if (group.initialRebalance) {
    const delayMs = coordinator.config['group.initial.rebalance.delay.ms']
    const leftMs = Math.max(group.rebalanceTimeoutMs() - delayMs, 0)
    waitInitially(coordinator, turn, group, delayMs, leftMs)
    return
  }
  if (group.hasAllMembersJoined()) {
    completeJoins(coordinator, turn, group)
    return
  }
  waitForJoins(coordinator, turn, group)
}

/** Ends the phase of joining when nobody is missing any more. */
export function completeIfAllJoined(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ClassicGroup,
): void {
  // The first rebalance of an empty group lasts as long as its delay says.
  if (group.state !== 'PreparingRebalance' || group.initialRebalance) return
  if (group.hasAllMembersJoined()) completeJoins(coordinator, turn, group)
}

/** Takes out a member, or an id that was given out, and lets the others go on without it. */
export function removeAndRebalance(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ClassicGroup,
  memberId: string,
): void {
  removeMember(turn, group, memberId)
  rebalanceWithout(coordinator, turn, group)
}

/** Answers what the member waits for and forgets it. */
export function removeMember(turn: Turn, group: ClassicGroup, memberId: string): void {
  endSession(turn, group, memberId)
  const member = group.members.get(memberId)
  if (member !== undefined) {
    answerJoin(turn, member, joinFailure(ErrorCode.UNKNOWN_MEMBER_ID, memberId))
    answerSync(turn, member, syncFailure(ErrorCode.UNKNOWN_MEMBER_ID))
  }
  group.remove(memberId)
}

/** After members left: the others rebalance, or are complete now. */
export function rebalanceWithout(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ClassicGroup,
): void {
  if (group.state === 'Empty' || group.state === 'Dead') return
  rebalanceOrComplete(coordinator, turn, group)
}

/** What a member is told of the present generation. */
export function joinSuccess(
  group: ClassicGroup,
  member: ClassicMember,
  own: { leader?: string; skipAssignment?: boolean; members?: boolean } = {},
): JoinAnswer {
  const leader = own.leader ?? group.leaderId ?? ''
  const lists = own.members ?? member.memberId === leader
  return {
    errorCode: ErrorCode.NONE,
    memberId: member.memberId,
    generationId: group.generationId,
    protocolType: group.type,
    protocolName: group.protocolName,
    leader,
    skipAssignment: own.skipAssignment ?? false,
    members: lists ? [...group.members.values()].map((one) => memberSeen(group, one)) : [],
  }
}

function memberSeen(group: ClassicGroup, member: ClassicMember) {
  const { memberId, groupInstanceId } = member
  return { memberId, groupInstanceId, metadata: group.metadataOf(member) }
}

function setSession(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ClassicGroup,
  member: ClassicMember,
  timeoutMs: number,
): void {
  const { memberId } = member
  const key = timerKey('session', group.groupId, memberId)
  member.sessionTimer = turn.setTimer(key, timeoutMs, (later) => {
    onSessionEnd(coordinator, later, group, memberId)
  })
}

function onSessionEnd(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ClassicGroup,
  memberId: string,
): void {
  const member = group.members.get(memberId)
  const current: unknown = coordinator.groups.get(group.groupId)
  if (member === undefined || current !== group) return
  // Who waits for the others is alive; its time starts when it gets its answer.
  const waits = member.awaitingJoin !== undefined || member.awaitingSync !== undefined
  if (waits && !member.isNew) return
  removeAndRebalance(coordinator, turn, group, memberId)
}

/** Waits for more first members: each new one prolongs that, up to the rebalance timeout. */
function waitInitially(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ClassicGroup,
  delayMs: number,
  leftMs: number,
): void {
  if (delayMs === 0) {
    completeJoins(coordinator, turn, group)
    return
  }
  turn.setTimer(timerKey('join', group.groupId), delayMs, (later) => {
    if (!group.newMemberAdded || leftMs === 0) {
      completeJoins(coordinator, later, group)
      return
    }
    group.newMemberAdded = false
    const initialMs = coordinator.config['group.initial.rebalance.delay.ms']
    const nextMs = Math.min(initialMs, leftMs)
    waitInitially(coordinator, later, group, nextMs, Math.max(leftMs - delayMs, 0))
  })
}

function waitForJoins(coordinator: GroupCoordinator, turn: Turn, group: ClassicGroup): void {
  turn.setTimer(timerKey('join', group.groupId), group.rebalanceTimeoutMs(), (later) => {
    completeJoins(coordinator, later, group)
  })
}

/** The phase of joining is over: who is missing is out, the others get the new generation. */
function completeJoins(coordinator: GroupCoordinator, turn: Turn, group: ClassicGroup): void {
  if (group.state !== 'PreparingRebalance') return
  turn.cancelTimer(timerKey('join', group.groupId))
  group.initialRebalance = false
  group.newMemberAdded = false
  for (const member of [...group.members.values()]) {
    // Static members stay until their session ends. KIP-345.
    if (member.awaitingJoin !== undefined || member.groupInstanceId !== null) continue
    removeMember(turn, group, member.memberId)
  }
  if (group.members.size > 0 && !group.electLeader()) {
    waitForJoins(coordinator, turn, group)
    return
  }
  group.beginGeneration(turn.nowMs)
  if (group.members.size === 0) {
    turn.persist(classicGroupRecord(group))
    return
  }
  for (const member of group.members.values()) {
    answerJoin(turn, member, joinSuccess(group, member))
    member.isNew = false
    group.pendingSyncs.add(member.memberId)
    restartSession(coordinator, turn, group, member)
  }
  waitForSyncs(coordinator, turn, group)
}

/** Members that do not send SyncGroup within the rebalance timeout are out. */
function waitForSyncs(coordinator: GroupCoordinator, turn: Turn, group: ClassicGroup): void {
  const { generationId } = group
  turn.setTimer(timerKey('sync', group.groupId), group.rebalanceTimeoutMs(), (later) => {
    if (group.generationId !== generationId || group.pendingSyncs.size === 0) return
    if (group.state !== 'CompletingRebalance' && group.state !== 'Stable') return
    for (const memberId of [...group.pendingSyncs]) removeMember(later, group, memberId)
    prepareRebalance(coordinator, later, group)
  })
}

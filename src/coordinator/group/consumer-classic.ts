/**
 * Members of a consumer group that speak the classic protocol: JoinGroup is their step towards the
 * target, SyncGroup tells them their partitions, Heartbeat whether to join again. KIP-848; source:
 * Kafka's classicGroupJoinToConsumerGroup and its likes.
 */
import { newUuid } from '../../base/uuid.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { CoordinatorRecord, Reply, Turn } from '../runtime.ts'
import { CONSUMER_PROTOCOL_TYPE, type JoinAnswer, type SyncAnswer } from './classic.ts'
import { leaveAnswer, leavingMembers } from './classic-member.ts'
import { joinFailure, syncFailure } from './classic-rebalance.ts'
import { decodeSubscription } from './classic-subscription.ts'
import type { CommandOf, GroupAnswers } from './commands.ts'
import { canDowngrade, downgrade } from './consumer-downgrade.ts'
import {
  cancelTimers,
  endClassicStep,
  hasClassicStep,
  removeMembers,
  startClassicStep,
  startSession,
} from './consumer-fence.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerMember, MemberState, newMember, topicNames } from './consumer-member.ts'
import { listOfEpochs } from './consumer-partitions.ts'
import { byId, encodeAssignment } from './consumer-protocol.ts'
import { isRefusal } from './consumer-refusal.ts'
import { instanceRefusal, replacement } from './consumer-static.ts'
import { updateMember } from './consumer-update.ts'
import type { GroupCoordinator } from './coordinator.ts'

/** From this version on a client has to know its id before it joins. KIP-394. */
const MEMBER_ID_REQUIRED_FROM = 4

type JoinCommand = CommandOf<'join-group'>

/** The member that a JoinGroup is of, and the one in whose place it comes. */
interface Joining {
  readonly member: ConsumerMember
  readonly replaced: ConsumerMember | undefined
}

/** JoinGroup into a consumer group that has members. Answers in its own turn. */
export function joinConsumerGroup(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ConsumerGroup,
  command: JoinCommand,
  reply: Reply<JoinAnswer>,
): void {
  const { request, apiVersion } = command
  const given = request.memberId
  const memberId = given === '' ? newUuid(coordinator.parts.random) : given
  const refuseJoin = (errorCode: ErrorCode, id = given) => {
    turn.answer(reply, joinFailure(errorCode, id), (failure) => joinFailure(failure, id))
  }
  const problem = joinProblem(coordinator, group, command, memberId)
  if (problem !== ErrorCode.NONE) {
    refuseJoin(problem)
    return
  }
  const needsId = apiVersion >= MEMBER_ID_REQUIRED_FROM && request.groupInstanceId === null
  if (needsId && given === '') {
    refuseJoin(ErrorCode.MEMBER_ID_REQUIRED, memberId)
    return
  }
  const records: CoordinatorRecord[] = []
  const joining = joiningMember(group, command, memberId, records)
  if (typeof joining === 'number') {
    refuseJoin(joining)
    return
  }
  const outcome = takeStep(coordinator, turn, { group, command, joining, records })
  if (typeof outcome === 'number') {
    refuseJoin(outcome)
    return
  }
  const { memberEpoch, classic } = outcome
  const answer: JoinAnswer = {
    errorCode: ErrorCode.NONE,
    memberId,
    generationId: memberEpoch,
    protocolType: CONSUMER_PROTOCOL_TYPE,
    protocolName: classic?.supportedProtocols[0]?.name ?? '',
  }
  turn.answer(reply, answer, (errorCode) => joinFailure(errorCode, memberId))
}

function joinProblem(
  { config }: GroupCoordinator,
  group: ConsumerGroup,
  { request }: JoinCommand,
  memberId: string,
): ErrorCode {
  const { protocolType, protocols } = request
  if (config['group.consumer.migration.policy'].toLowerCase() === 'disabled') {
    return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
  }
  const full = group.members.size >= config['group.consumer.max.size']
  if (full && !group.members.has(memberId)) return ErrorCode.GROUP_MAX_SIZE_REACHED
  const names = protocols.map(({ name }) => name)
  const fits = protocolType === CONSUMER_PROTOCOL_TYPE && group.supportsClassic(names)
  if (!fits || decodeSubscription(protocols[0]!.metadata) === undefined) {
    return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
  }
  return ErrorCode.NONE
}

function joiningMember(
  group: ConsumerGroup,
  { request }: JoinCommand,
  memberId: string,
  records: CoordinatorRecord[],
): Joining | ErrorCode {
  const { groupInstanceId: instanceId } = request
  if (instanceId === null) {
    const known = group.members.get(memberId)
    return { member: known ?? newMember(memberId), replaced: known }
  }
  const known = group.staticMember(instanceId)
  if (request.memberId !== '') {
    const refusal = instanceRefusal(known, { memberId, instanceId })
    if (refusal) return refusal.errorCode
    return { member: known!, replaced: known }
  }
  if (known === undefined) return { member: newMember(memberId), replaced: undefined }
  const member = { ...known, memberId, memberEpoch: 0, previousMemberEpoch: 0 }
  records.push(...replacement(group, known, member))
  return { member, replaced: known }
}

/** Takes in what the member says, moves it on, logs that. */
function takeStep(
  coordinator: GroupCoordinator,
  turn: Turn,
  parts: {
    group: ConsumerGroup
    command: JoinCommand
    joining: Joining
    records: CoordinatorRecord[]
  },
): ConsumerMember | ErrorCode {
  const { group, command, joining, records } = parts
  const { member: before, replaced } = joining
  const { groupId } = group
  const subscription = decodeSubscription(command.request.protocols[0]!.metadata)!
  const next = withNews(before, command, subscription)
  const leaving = replaced === undefined ? [] : [replaced]
  // Only a static member can come back with another protocol.
  const returns = replaced !== undefined && next.instanceId !== null
  const downgrades = returns && canDowngrade(coordinator, { group, leaving, returning: next })
  const owned = byId(subscription.ownedPartitions, coordinator.parts.image)
  const update = { coordinator, turn, group, replaced, before, next, owned, records }
  const updated = updateMember({ ...update, keepTarget: downgrades })
  if (isRefusal(updated)) return updated.errorCode
  const { member, groupEpoch } = updated
  if (downgrades) {
    const rebalances = group.targetEpoch < groupEpoch
    for (const { memberId } of group.members.values()) cancelTimers(turn, { groupId, memberId })
    downgrade(coordinator, turn, { group, leaving, returning: member, rebalances })
    return member
  }
  for (const record of records) turn.change(record)
  const place = { groupId, memberId: member.memberId }
  endClassicStep(turn, 'join', place)
  startSession(coordinator, turn, groupId, member)
  const delayMs = member.rebalanceTimeoutMs
  startClassicStep(coordinator, turn, { ...place, kind: 'sync', delayMs })
  return member
}

function withNews(
  member: ConsumerMember,
  { request, apiVersion, clientId, clientHost }: JoinCommand,
  subscription: NonNullable<ReturnType<typeof decodeSubscription>>,
): ConsumerMember {
  const { sessionTimeoutMs, groupInstanceId } = request
  return {
    ...member,
    instanceId: groupInstanceId ?? member.instanceId,
    rackId: subscription.rackId ?? member.rackId,
    // v0 has one timeout for both.
    rebalanceTimeoutMs: apiVersion === 0 ? sessionTimeoutMs : request.rebalanceTimeoutMs,
    clientId,
    clientHost,
    subscribedTopicNames: topicNames(subscription.topics),
    subscribedTopicRegex: '',
    classic: {
      sessionTimeoutMs,
      supportedProtocols: request.protocols.map(({ name, metadata }) => ({
        name,
        metadata: Buffer.from(metadata),
      })),
    },
  }
}

/** SyncGroup of a member of a consumer group. */
export function syncConsumerGroup(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ConsumerGroup,
  { request }: CommandOf<'sync-group'>,
): SyncAnswer {
  const { protocolType, protocolName } = request
  const member = classicMember(group, request)
  if (typeof member === 'number') return syncFailure(member)
  const { memberId } = member
  const protocol = member.classic?.supportedProtocols[0]
  const otherType = protocolType !== null && protocolType !== CONSUMER_PROTOCOL_TYPE
  const otherName = protocolName !== null && protocolName !== protocol?.name
  if (otherType || otherName) return syncFailure(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  // One that has to give partitions up has joined already: it ends that first.
  const behind = group.epoch > member.memberEpoch
  if (behind && member.state !== MemberState.UNREVOKED_PARTITIONS) {
    awaitJoin(coordinator, turn, group, member)
    return syncFailure(ErrorCode.REBALANCE_IN_PROGRESS)
  }
  endClassicStep(turn, 'sync', { groupId: group.groupId, memberId })
  startSession(coordinator, turn, group.groupId, member)
  const list = listOfEpochs(member.assigned)
  return {
    errorCode: ErrorCode.NONE,
    protocolType,
    protocolName,
    assignment: encodeAssignment(list, protocol?.metadata, coordinator.parts.image),
  }
}

/** Heartbeat of a member of a consumer group. */
export function heartbeatConsumerGroup(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ConsumerGroup,
  { request }: CommandOf<'heartbeat'>,
): ErrorCode {
  const member = classicMember(group, request)
  if (typeof member === 'number') return member
  startSession(coordinator, turn, group.groupId, member)
  const { memberEpoch, state } = member
  const canGetMore = state === MemberState.UNRELEASED_PARTITIONS && !group.waitsForOthers(member)
  const mustRevoke = state === MemberState.UNREVOKED_PARTITIONS
  if (memberEpoch >= group.epoch && !mustRevoke && !canGetMore) return ErrorCode.NONE
  awaitJoin(coordinator, turn, group, member)
  return ErrorCode.REBALANCE_IN_PROGRESS
}

/** LeaveGroup from a consumer group: of classic members, or an administrator's of any. */
export function leaveConsumerGroup(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ConsumerGroup,
  command: CommandOf<'leave-group'>,
): GroupAnswers['leave-group'] {
  const leaving = new Set<ConsumerMember>()
  const answers = leavingMembers(command).map(({ memberId, groupInstanceId }) => {
    const errorCode = leaveProblem(group, memberId, groupInstanceId)
    if (errorCode === ErrorCode.NONE) {
      const known = groupInstanceId === null ? group.members.get(memberId) : undefined
      leaving.add(known ?? group.staticMember(groupInstanceId)!)
    }
    return { memberId, groupInstanceId, errorCode }
  })
  removeMembers(coordinator, turn, group, [...leaving])
  return leaveAnswer(command, answers)
}

function leaveProblem(
  group: ConsumerGroup,
  memberId: string,
  instanceId: string | null,
): ErrorCode {
  if (instanceId === null) {
    return group.members.has(memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID
  }
  const known = group.staticMember(instanceId)
  const id = memberId === '' ? (known?.memberId ?? '') : memberId
  return instanceRefusal(known, { memberId: id, instanceId })?.errorCode ?? ErrorCode.NONE
}

/** The member that a request is of, with the right generation; else why it is refused. */
function classicMember(
  group: ConsumerGroup,
  request: { memberId: string; groupInstanceId: string | null; generationId: number },
): ConsumerMember | ErrorCode {
  const { memberId, groupInstanceId: instanceId, generationId } = request
  const known = instanceId === null ? group.members.get(memberId) : group.staticMember(instanceId)
  if (instanceId !== null) {
    const refusal = instanceRefusal(known, { memberId, instanceId })
    if (refusal) return refusal.errorCode
  }
  if (known === undefined || known.classic === null) return ErrorCode.UNKNOWN_MEMBER_ID
  return generationId === known.memberEpoch ? known : ErrorCode.ILLEGAL_GENERATION
}

/** The member was told to join again: its rebalance timeout runs from the first time. */
function awaitJoin(
  coordinator: GroupCoordinator,
  turn: Turn,
  { groupId }: ConsumerGroup,
  { memberId, rebalanceTimeoutMs }: ConsumerMember,
): void {
  const place = { groupId, memberId }
  if (hasClassicStep(turn, 'join', place)) return
  startClassicStep(coordinator, turn, { ...place, kind: 'join', delayMs: rebalanceTimeoutMs })
}

/**
 * ConsumerGroupHeartbeat: a member of a consumer group comes, stays, goes. KIP-848.
 * Differs from Kafka: a regular expression is resolved in the turn that brings it, so that its
 * member has its partitions with the first answer.
 */
import { newUuid } from '../../base/uuid.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { CoordinatorRecord, Turn } from '../runtime.ts'
import { ClassicGroup } from './classic.ts'
import type { CommandOf, GroupAnswers } from './commands.ts'
import { removeMembers, startSession } from './consumer-fence.ts'
import { ConsumerGroup, consumerGroup } from './consumer-group.ts'
import { type ConsumerMember, LEFT_FOR_A_WHILE, newMember, topicNames } from './consumer-member.ts'
import {
  listOfEpochs,
  listWithin,
  NO_PARTITIONS,
  sameEpochs,
  targetOf,
  withEpoch,
} from './consumer-partitions.ts'
import { assignmentRecord } from './consumer-records.ts'
import { invalid, isRefusal, type Refusal, refuse } from './consumer-refusal.ts'
import { instanceRefusal, replacement } from './consumer-static.ts'
import { updateMember } from './consumer-update.ts'
import { afterUpgrade, upgrade } from './consumer-upgrade.ts'
import type { GroupCoordinator } from './coordinator.ts'

type Heartbeat = CommandOf<'consumer-group-heartbeat'>
type Answer = GroupAnswers['consumer-group-heartbeat']

/** The epoch with which a member goes for good. */
const LEAVE_EPOCH = -1

/** One heartbeat. What it changes is logged in `turn`; a refusal changes nothing. */
export function heartbeatConsumerMember(
  coordinator: GroupCoordinator,
  turn: Turn,
  command: Heartbeat,
): Answer {
  const { memberEpoch } = command.request
  const refusal = requestRefusal(coordinator, command)
  if (refusal) return refusal
  if (memberEpoch === LEAVE_EPOCH || memberEpoch === LEFT_FOR_A_WHILE) {
    return leave(coordinator, turn, command)
  }
  return stay(coordinator, turn, command)
}

/** What is wrong with the request, whatever group there is. */
function requestRefusal(
  coordinator: GroupCoordinator,
  { apiVersion, request }: Heartbeat,
): Refusal | undefined {
  const { memberEpoch, instanceId, rackId, serverAssignor } = request
  const { config } = coordinator
  if (config['group.coordinator.rebalance.protocols']?.includes('consumer') === false) {
    return refuse(ErrorCode.UNSUPPORTED_VERSION, 'The consumer group protocol is not enabled.')
  }
  const needsId = apiVersion >= 1 || memberEpoch > 0 || memberEpoch === LEAVE_EPOCH
  if (needsId && request.memberId.trim() === '') return invalid("MemberId can't be empty.")
  if (request.groupId.trim() === '') return invalid("GroupId can't be empty.")
  if (instanceId?.trim() === '') return invalid("InstanceId can't be empty.")
  if (rackId?.trim() === '') return invalid("RackId can't be empty.")
  const refusal = epochRefusal(request)
  if (refusal) return refusal
  const names: readonly string[] = config['group.consumer.assignors']
  if (serverAssignor !== null && !names.includes(serverAssignor)) {
    const supported = names.join(', ')
    return refuse(
      ErrorCode.UNSUPPORTED_ASSIGNOR,
      `ServerAssignor ${serverAssignor} is not supported. Supported assignors: ${supported}.`,
    )
  }
  return undefined
}

function epochRefusal(request: Heartbeat['request']): Refusal | undefined {
  const { memberEpoch, topicPartitions } = request
  if (memberEpoch === LEFT_FOR_A_WHILE && request.instanceId === null) {
    return invalid("InstanceId can't be null.")
  }
  if (memberEpoch < LEFT_FOR_A_WHILE) return invalid('MemberEpoch is invalid.')
  if (memberEpoch !== 0) return undefined
  if (request.rebalanceTimeoutMs === -1) {
    return invalid('RebalanceTimeoutMs must be provided in first request.')
  }
  if (topicPartitions === null || topicPartitions.length > 0) {
    return invalid('TopicPartitions must be empty when (re-)joining.')
  }
  if (request.subscribedTopicNames === null && request.subscribedTopicRegex === null) {
    return invalid(
      'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.',
    )
  }
  return undefined
}

/** As nearly all heartbeats. */
function saysNothing(request: Heartbeat['request']): boolean {
  return (
    request.subscribedTopicNames === null &&
    request.subscribedTopicRegex === null &&
    request.rebalanceTimeoutMs === -1 &&
    request.serverAssignor === null &&
    request.rackId === null
  )
}

function sameClient(member: ConsumerMember, command: Heartbeat): boolean {
  const { instanceId } = command.request
  return (
    member.clientId === command.clientId &&
    member.clientHost === command.clientHost &&
    (instanceId === null || instanceId === member.instanceId) &&
    member.classic === null
  )
}

/** Who a heartbeat is of, before anything that it says is taken in. */
interface Caller {
  readonly group: ConsumerGroup
  readonly member: ConsumerMember
  /** The member of the group in whose place it is. */
  readonly replaced: ConsumerMember | undefined
}

function stay(coordinator: GroupCoordinator, turn: Turn, command: Heartbeat): Answer {
  const { request } = command
  const records: CoordinatorRecord[] = []
  const caller = callerOf(coordinator, command, records)
  if (isRefusal(caller)) return caller
  const { group, member, replaced } = caller
  const next = withNews(member, command)
  const owned = request.topicPartitions
  const before = member
  const update = { coordinator, turn, group, replaced, before, next, owned, records }
  const updated = updateMember(update)
  if (isRefusal(updated)) return updated
  const classic = coordinator.groups.get(group.groupId)
  if (classic instanceof ClassicGroup) leaveClassicProtocol(coordinator, turn, classic, group)
  for (const record of records) turn.change(record)
  startSession(coordinator, turn, group.groupId, updated.member)
  const { memberId, memberEpoch, assigned } = updated.member
  const full =
    request.memberEpoch === 0 ||
    (request.rebalanceTimeoutMs !== -1 &&
      (request.subscribedTopicNames !== null || request.subscribedTopicRegex !== null) &&
      owned !== null)
  const config = coordinator.parts.groupConfig(group.groupId)
  return {
    memberId,
    memberEpoch,
    heartbeatIntervalMs: config['consumer.heartbeat.interval.ms'],
    assignment:
      full || !sameEpochs(member.assigned, assigned)
        ? { topicPartitions: listOfEpochs(assigned) }
        : null,
  }
}

/** The members of an upgraded group have sessions of the consumer group from now on. */
function leaveClassicProtocol(
  coordinator: GroupCoordinator,
  turn: Turn,
  classic: ClassicGroup,
  group: ConsumerGroup,
): void {
  afterUpgrade(coordinator, turn, classic)
  for (const member of group.members.values()) {
    startSession(coordinator, turn, group.groupId, member)
  }
}

/** What a heartbeat does not name stays as it was; the same object when it names nothing. */
function withNews(member: ConsumerMember, command: Heartbeat): ConsumerMember {
  const { request, clientId, clientHost } = command
  if (saysNothing(request) && sameClient(member, command)) return member
  const { instanceId, rackId, rebalanceTimeoutMs, serverAssignor } = request
  const { subscribedTopicNames, subscribedTopicRegex } = request
  return {
    ...member,
    instanceId: instanceId ?? member.instanceId,
    rackId: rackId ?? member.rackId,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : rebalanceTimeoutMs,
    serverAssignor: serverAssignor ?? member.serverAssignor,
    subscribedTopicNames:
      subscribedTopicNames === null
        ? member.subscribedTopicNames
        : topicNames(subscribedTopicNames),
    subscribedTopicRegex: subscribedTopicRegex ?? member.subscribedTopicRegex,
    clientId,
    clientHost,
    classic: null,
  }
}

function callerOf(
  coordinator: GroupCoordinator,
  { request }: Heartbeat,
  records: CoordinatorRecord[],
): Caller | Refusal {
  const { groupId, memberEpoch, instanceId } = request
  const joins = memberEpoch === 0
  const group = joins
    ? groupToJoin(coordinator, groupId, records)
    : groupThatIs(coordinator, groupId)
  if (isRefusal(group)) return group
  const max = coordinator.config['group.consumer.max.size']
  if (group.members.size >= max && !group.members.has(request.memberId)) {
    return refuse(
      ErrorCode.GROUP_MAX_SIZE_REACHED,
      `The consumer group has reached its maximum capacity of ${max} members.`,
    )
  }
  // Only version 0 lets the broker choose.
  const memberId = request.memberId || newUuid(coordinator.parts.random)
  if (instanceId !== null) return staticCaller(group, { ...request, instanceId, memberId }, records)
  const known = group.members.get(memberId)
  if (known === undefined && !joins) return unknownMember(groupId, memberId)
  const member = known ?? newMember(memberId)
  const refusal = epochMismatch(member, request)
  return refusal ?? { group, member, replaced: known }
}

/** The group of a member that has joined. `noun`: how Kafka calls the one that is missing. */
function groupThatIs(
  coordinator: GroupCoordinator,
  groupId: string,
  noun: 'Group' | 'Consumer group' = 'Consumer group',
): ConsumerGroup | Refusal {
  const group = consumerGroup(coordinator.groups, groupId)
  if (group !== undefined) return group
  return coordinator.groups.get(groupId) === undefined
    ? notFound(`${noun} ${groupId} not found.`)
    : notFound(`Group ${groupId} is not a consumer group.`)
}

/** As groupThatIs; a join makes the group, of a classic one where there is one. */
function groupToJoin(
  coordinator: GroupCoordinator,
  groupId: string,
  records: CoordinatorRecord[],
): ConsumerGroup | Refusal {
  const known = coordinator.groups.get(groupId)
  if (known !== undefined && !(known instanceof ClassicGroup)) {
    return groupThatIs(coordinator, groupId)
  }
  const made = new ConsumerGroup(groupId)
  if (known === undefined) return made
  if (known.isEmpty()) {
    records.push(...known.tombstones())
    return made
  }
  return upgrade(coordinator, known, made, records) ?? made
}

/** KIP-345: an instance is the same member under whatever id it comes back. */
function staticCaller(
  group: ConsumerGroup,
  request: Heartbeat['request'] & { instanceId: string },
  records: CoordinatorRecord[],
): Caller | Refusal {
  const { memberId, instanceId, memberEpoch } = request
  const known = group.staticMember(instanceId)
  if (memberEpoch !== 0) {
    const refusal = instanceRefusal(known, request)
    if (refusal) return refusal
    return epochMismatch(known!, request) ?? { group, member: known!, replaced: known }
  }
  if (known === undefined) {
    const sameId = group.members.get(memberId)
    return { group, member: sameId ?? newMember(memberId), replaced: sameId }
  }
  if (known.classic === null && known.memberEpoch !== LEFT_FOR_A_WHILE) {
    return refuse(
      ErrorCode.UNRELEASED_INSTANCE_ID,
      `Static member ${memberId} with instance id ${instanceId} cannot join the group because` +
        ` the instance id is owned by ${known.memberId} member.`,
    )
  }
  const member = { ...known, memberId, memberEpoch: 0, previousMemberEpoch: 0 }
  records.push(...replacement(group, known, member))
  return { group, member, replaced: known }
}

/** The answer with a new epoch may have been lost: then the member still comes with the old one. */
function epochMismatch(
  member: ConsumerMember,
  { memberEpoch, topicPartitions }: Heartbeat['request'],
): Refusal | undefined {
  if (memberEpoch === 0 || memberEpoch === member.memberEpoch) return undefined
  const greater = memberEpoch > member.memberEpoch
  const lostAnswer =
    !greater &&
    memberEpoch === member.previousMemberEpoch &&
    topicPartitions !== null &&
    listWithin(topicPartitions, member.assigned)
  if (lostAnswer) return undefined
  return refuse(
    ErrorCode.FENCED_MEMBER_EPOCH,
    `The consumer group member has a ${greater ? 'greater' : 'smaller'} member epoch ` +
      `(${memberEpoch}) than the one known by the group coordinator (${member.memberEpoch}). ` +
      'The member must abandon all its partitions and rejoin.',
  )
}

function leave(coordinator: GroupCoordinator, turn: Turn, { request }: Heartbeat): Answer {
  const { groupId, memberId, memberEpoch, instanceId } = request
  const group = groupThatIs(coordinator, groupId, 'Group')
  if (isRefusal(group)) return group
  const known = instanceId === null ? group.members.get(memberId) : group.staticMember(instanceId)
  if (instanceId !== null) {
    const refusal = instanceRefusal(known, { memberId, instanceId })
    if (refusal) return refusal
  }
  if (known === undefined) return unknownMember(groupId, memberId)
  if (memberEpoch === LEFT_FOR_A_WHILE && instanceId !== null) {
    turn.change(assignmentRecord(groupId, away(known)))
  } else removeMembers(coordinator, turn, group, [known])
  return { memberId, memberEpoch }
}

/** A static member that keeps its partitions while it is away; whoever returns may commit them. */
function away(member: ConsumerMember): ConsumerMember {
  const assigned = withEpoch(targetOf(listOfEpochs(member.assigned)), 0)
  return {
    ...member,
    memberEpoch: LEFT_FOR_A_WHILE,
    assigned,
    pendingRevocation: NO_PARTITIONS,
  }
}

function notFound(errorMessage: string): Refusal {
  return refuse(ErrorCode.GROUP_ID_NOT_FOUND, errorMessage)
}

function unknownMember(groupId: string, memberId: string): Refusal {
  return refuse(
    ErrorCode.UNKNOWN_MEMBER_ID,
    `Member ${memberId} is not a member of group ${groupId}.`,
  )
}

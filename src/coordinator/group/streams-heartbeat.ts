/**
 * StreamsGroupHeartbeat: a member of a streams group comes, stays, goes. KIP-1071.
 * As in Kafka 4.3 there are no static members, no warm-up tasks, no regular expressions, and a
 * topology cannot be changed while the group exists.
 */
import { internalTopicNames, topicNameProblem } from '../../cluster/topic-name.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { CoordinatorRecord, Turn } from '../runtime.ts'
import { ClassicGroup } from './classic.ts'
import type { CommandOf, GroupAnswers } from './commands.ts'
import { invalid, isRefusal, type Refusal, refuse } from './consumer-refusal.ts'
import type { GroupCoordinator } from './coordinator.ts'
import { removeStreamsMember } from './streams-fence.ts'
import { StreamsGroup } from './streams-group.ts'
import { newStreamsMember, type StreamsMember, saysTheSame, tagsOf } from './streams-member.ts'
import { hasTask, type TaskList, type TaskSet } from './streams-tasks.ts'
import { updateStreamsMember } from './streams-update.ts'

type Heartbeat = CommandOf<'streams-group-heartbeat'>
type Request = Heartbeat['request']
type Answer = GroupAnswers['streams-group-heartbeat']

/** The epochs with which a member goes. */
const LEAVE_EPOCH = -1
const LEFT_FOR_A_WHILE = -2

/** One heartbeat. What it changes is logged in `turn`; a refusal changes nothing. */
export function heartbeatStreamsMember(
  coordinator: GroupCoordinator,
  turn: Turn,
  command: Heartbeat,
): Answer {
  const { request } = command
  const protocols: readonly string[] = coordinator.config['group.coordinator.rebalance.protocols']
  if (!protocols.includes('streams')) {
    return refuse(ErrorCode.UNSUPPORTED_VERSION, 'The version of API is not supported.')
  }
  const refusal = nameRefusal(request) ?? featureRefusal(request) ?? requestRefusal(request)
  if (refusal) return refusal
  if (request.memberEpoch === LEAVE_EPOCH) return leave(coordinator, turn, request)
  return stay(coordinator, turn, command)
}

/** Names of topics that no application may use. */
function nameRefusal({ topology }: Request): Refusal | undefined {
  if (topology === null) return undefined
  const names = new Set<string>()
  for (const one of topology.subtopologies) {
    for (const name of [...one.sourceTopics, ...one.repartitionSinkTopics]) names.add(name)
    for (const { name } of one.repartitionSourceTopics) names.add(name)
    for (const { name } of one.stateChangelogTopics) names.add(name)
  }
  const internal = [...names].filter((name) => internalTopicNames.has(name))
  if (internal.length > 0) {
    const message = `Use of Kafka internal topics ${internal.join(',')} in a Kafka Streams topology`
    return refuse(ErrorCode.STREAMS_INVALID_TOPOLOGY, `${message} is prohibited.`)
  }
  const wrong = [...names].filter((name) => topicNameProblem(name) !== null)
  if (wrong.length === 0) return undefined
  const message = `Topic names ${wrong.join(',')} are not valid topic names.`
  return refuse(ErrorCode.STREAMS_INVALID_TOPOLOGY, message)
}

/** What Kafka 4.3 does not serve yet. */
function featureRefusal(request: Request): Refusal | undefined {
  const { instanceId, taskOffsets, taskEndOffsets, warmupTasks, topology } = request
  if (instanceId !== null) return invalid('Static membership is not yet supported.')
  if (taskOffsets !== null) return invalid('TaskOffsets are not supported yet.')
  if (taskEndOffsets !== null) return invalid('TaskEndOffsets are not supported yet.')
  if ((warmupTasks ?? []).length > 0) return invalid('WarmupTasks are not supported yet.')
  if (topology?.subtopologies.some(({ sourceTopicRegex }) => sourceTopicRegex.length > 0)) {
    return invalid('Regular expressions for source topics are not supported yet.')
  }
  return undefined
}

/** What is wrong with the request, whatever group there is. */
function requestRefusal(request: Request): Refusal | undefined {
  const { memberId, groupId, rackId, memberEpoch, topology } = request
  if (memberId.trim() === '') return invalid("MemberId can't be empty.")
  if (groupId.trim() === '') return invalid("GroupId can't be empty.")
  if (rackId?.trim() === '') return invalid("RackId can't be empty.")
  if (memberEpoch === 0) {
    const refusal = joinRefusal(request)
    if (refusal) return refusal
  }
  // Only static members may leave for a while.
  if (memberEpoch === LEFT_FOR_A_WHILE) return invalid("InstanceId can't be null.")
  if (memberEpoch < LEFT_FOR_A_WHILE) {
    return invalid(`MemberEpoch is ${memberEpoch}, but must be greater than or equal to -2.`)
  }
  const told = [request.activeTasks, request.standbyTasks, request.warmupTasks].filter(Boolean)
  if (told.length === 1 || told.length === 2) {
    return invalid('If one task-type is non-null, all must be non-null.')
  }
  if (memberEpoch !== 0 && topology !== null) {
    return invalid('Topology can only be provided when (re-)joining.')
  }
  return undefined
}

function joinRefusal(request: Request): Refusal | undefined {
  if (request.rebalanceTimeoutMs === -1) {
    return invalid('RebalanceTimeoutMs must be provided in first request.')
  }
  for (const kind of ['Active', 'Standby', 'Warmup'] as const) {
    const tasks = request[`${lowered(kind)}Tasks`]
    if (tasks === null || tasks.length > 0) {
      return invalid(`${kind}Tasks must be empty when (re-)joining.`)
    }
  }
  const { topology } = request
  if (topology === null) return invalid('Topology must be non-null when (re-)joining.')
  for (const { stateChangelogTopics } of topology.subtopologies) {
    const fixed = stateChangelogTopics.find(({ partitions }) => partitions !== 0)
    if (fixed === undefined) continue
    return refuse(
      ErrorCode.STREAMS_INVALID_TOPOLOGY,
      `Changelog topic ${fixed.name} must have an undefined partition count, but it is set to` +
        ` ${fixed.partitions}.`,
    )
  }
  return undefined
}

function lowered<K extends 'Active' | 'Standby' | 'Warmup'>(kind: K): Uncapitalize<K> {
  return kind.toLowerCase() as Uncapitalize<K>
}

function stay(coordinator: GroupCoordinator, turn: Turn, command: Heartbeat): Answer {
  const { request } = command
  const { groupId, memberId, memberEpoch } = request
  const records: CoordinatorRecord[] = []
  const joins = memberEpoch === 0
  const group = joins
    ? groupToJoin(coordinator, groupId, records)
    : streamsGroupThatIs(coordinator, groupId, 'Streams group')
  if (isRefusal(group)) return group
  const max = coordinator.config['group.streams.max.size']
  if (joins && group.members.size >= max) {
    return refuse(
      ErrorCode.GROUP_MAX_SIZE_REACHED,
      `The streams group has reached its maximum capacity of ${max} members.`,
    )
  }
  const known = group.members.get(memberId)
  if (known === undefined && !joins) return unknownMember(groupId, memberId)
  const member = known ?? newStreamsMember(memberId)
  const refusal = epochMismatch(member, request)
  if (refusal) return refusal
  const next = withNews(member, command)
  return updateStreamsMember({ coordinator, turn, group, before: member, next, request, records })
}

/** `noun`: how Kafka calls the one that is missing. */
function streamsGroupThatIs(
  coordinator: GroupCoordinator,
  groupId: string,
  noun: 'Group' | 'Streams group',
): StreamsGroup | Refusal {
  const known = coordinator.groups.get(groupId)
  if (known instanceof StreamsGroup) return known
  const message =
    known === undefined
      ? `${noun} ${groupId} not found.`
      : `Group ${groupId} is not a streams group.`
  return refuse(ErrorCode.GROUP_ID_NOT_FOUND, message)
}

/** As streamsGroupThatIs; a join makes the group, also of a classic one without members. */
function groupToJoin(
  coordinator: GroupCoordinator,
  groupId: string,
  records: CoordinatorRecord[],
): StreamsGroup | Refusal {
  const known = coordinator.groups.get(groupId)
  if (known === undefined) return new StreamsGroup(groupId)
  if (known instanceof ClassicGroup && known.isEmpty()) {
    records.push(...known.tombstones())
    return new StreamsGroup(groupId)
  }
  return streamsGroupThatIs(coordinator, groupId, 'Streams group')
}

/** The answer with a new epoch may have been lost: then the member still comes with the old one. */
function epochMismatch(member: StreamsMember, request: Request): Refusal | undefined {
  const { memberEpoch } = request
  if (memberEpoch === 0 || memberEpoch === member.memberEpoch) return undefined
  const greater = memberEpoch > member.memberEpoch
  const lostAnswer =
    !greater && memberEpoch === member.previousMemberEpoch && ownsWithin(request, member)
  if (lostAnswer) return undefined
  return refuse(
    ErrorCode.FENCED_MEMBER_EPOCH,
    `The streams group member has a ${greater ? 'greater' : 'smaller'} member epoch ` +
      `(${memberEpoch}) than the one known by the group coordinator (${member.memberEpoch}). ` +
      'The member must abandon all its partitions and rejoin.',
  )
}

function ownsWithin({ activeTasks, standbyTasks, warmupTasks }: Request, member: StreamsMember) {
  const { active, standby, warmup } = member.assigned
  const within = (set: TaskSet) => (subtopologyId: string, partition: number) =>
    hasTask(set, subtopologyId, partition)
  return (
    listWithin(activeTasks, (id, partition) => active.get(id)?.has(partition) ?? false) &&
    listWithin(standbyTasks, within(standby)) &&
    listWithin(warmupTasks, within(warmup))
  )
}

function listWithin(
  list: TaskList | null,
  has: (subtopologyId: string, partition: number) => boolean,
): boolean {
  if (list === null) return false
  return list.every(({ subtopologyId, partitions }) => {
    return partitions.every((partition) => has(subtopologyId, partition))
  })
}

/** As nearly all heartbeats. */
function saysNothing(request: Request): boolean {
  return (
    request.rackId === null &&
    request.rebalanceTimeoutMs === -1 &&
    request.topology === null &&
    request.processId === null &&
    request.userEndpoint === null &&
    request.clientTags === null
  )
}

/** What a heartbeat does not name stays as it was; the same object when it names nothing new. */
function withNews(member: StreamsMember, command: Heartbeat): StreamsMember {
  const { request, clientId, clientHost } = command
  const sameClient = member.clientId === clientId && member.clientHost === clientHost
  if (sameClient && saysNothing(request)) return member
  const { rackId, rebalanceTimeoutMs, topology, processId, userEndpoint, clientTags } = request
  const next: StreamsMember = {
    ...member,
    rackId: rackId ?? member.rackId,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : rebalanceTimeoutMs,
    topologyEpoch: topology?.epoch ?? member.topologyEpoch,
    processId: processId ?? member.processId,
    userEndpoint: userEndpoint ?? member.userEndpoint,
    clientTags: clientTags === null ? member.clientTags : tagsOf(clientTags),
    clientId,
    clientHost,
  }
  return saysTheSame(member, next) ? member : next
}

function leave(coordinator: GroupCoordinator, turn: Turn, request: Request): Answer {
  const { groupId, memberId, memberEpoch, shutdownApplication } = request
  const group = streamsGroupThatIs(coordinator, groupId, 'Group')
  if (isRefusal(group)) return group
  if (shutdownApplication) group.shutdownMemberId ??= memberId
  if (!group.members.has(memberId)) return unknownMember(groupId, memberId)
  removeStreamsMember(turn, group, memberId)
  return { memberId, memberEpoch, status: [] }
}

function unknownMember(groupId: string, memberId: string): Refusal {
  const message = `Member ${memberId} is not a member of group ${groupId}.`
  return refuse(ErrorCode.UNKNOWN_MEMBER_ID, message)
}

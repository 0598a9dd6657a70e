/**
 * A member of a streams group comes, or says something new: what follows for the topology, for the
 * group's epoch, for the target and for the member. Source: Kafka's
 * GroupMetadataManager.streamsGroupHeartbeat, KIP-1071.
 */
import { ErrorCode } from '../../protocol/errors.ts'
import type { CoordinatorRecord, Turn } from '../runtime.ts'
import type { CommandOf, GroupAnswers } from './commands.ts'
import { invalid, isRefusal, type Refusal, refuse } from './consumer-refusal.ts'
import { topicsHash } from './consumer-topics.ts'
import type { GroupCoordinator } from './coordinator.ts'
import { createMissingTopics, missingDetail } from './streams-creation.ts'
import { endpointsOf } from './streams-endpoints.ts'
import { followRebalance, startStreamsSession } from './streams-fence.ts'
import type { StreamsGroup } from './streams-group.ts'
import { hasTheSame, isReconciledTo, type StreamsMember } from './streams-member.ts'
import { StreamsStatus } from './streams-partitions.ts'
import { reconcileStreams } from './streams-reconcile.ts'
import {
  streamsAssignmentRecord,
  streamsEpochRecord,
  streamsMemberRecord,
  streamsTopologyRecord,
} from './streams-records.ts'
import {
  delayFirstTarget,
  type Status,
  type StreamsTarget,
  targetOfMember,
} from './streams-target.ts'
import {
  activeList,
  isWhatIsAssigned,
  ownedTasks,
  sameAssigned,
  type TaskList,
  taskList,
} from './streams-tasks.ts'
import { type ConfiguredTopology, configureTopology } from './streams-topics.ts'
import {
  requiredTopics,
  type StreamsTopology,
  sameTopology,
  topologyOf,
} from './streams-topology.ts'

type Request = CommandOf<'streams-group-heartbeat'>['request']
type Answer = GroupAnswers['streams-group-heartbeat']

/** A member that comes, changes or stays. */
export interface StreamsUpdate {
  readonly coordinator: GroupCoordinator
  readonly turn: Turn
  readonly group: StreamsGroup
  /** The member as it was. */
  readonly before: StreamsMember
  /** The member with what it says now. */
  readonly next: StreamsMember
  readonly request: Request
  /** Precede what this logs. */
  readonly records: CoordinatorRecord[]
}

/** Logs what follows, and answers the heartbeat. A refusal changes nothing. */
export function updateStreamsMember(update: StreamsUpdate): Answer {
  const { coordinator, turn, group, before, next, request, records } = update
  const { groupId } = group
  if (before !== next) records.push(streamsMemberRecord(groupId, next))
  const topology = presentTopology(update)
  if (isRefusal(topology)) return topology
  const configured = configure(update, topology)
  if (isRefusal(configured)) return configured
  const refusal = configured.fault === undefined && taskRefusal(configured, request)
  if (refusal) return refusal
  const standbyReplicas = coordinator.parts.groupConfig(groupId)['streams.num.standby.replicas']
  const epoch = nextEpoch(update, configured, standbyReplicas)
  if (group.isEmpty()) delayFirstTarget(coordinator, turn, group)
  const statuses = staleStatus(group, next)
  const input = { coordinator, turn, group, epoch, configured, standbyReplicas, records }
  const target = targetOfMember(input, next, statuses)
  const member = approach(update, target)
  if (member === 'fenced') return UNKNOWN_STATE
  for (const record of records) turn.change(record)
  group.configured = configured
  startStreamsSession(coordinator, turn, groupId, member.memberId)
  if (request.shutdownApplication) group.shutdownMemberId ??= member.memberId
  createMissingTopics(coordinator, turn, groupId, configured.missing)
  return answerOf(update, member, configured, statuses)
}

const UNKNOWN_STATE = refuse(
  ErrorCode.FENCED_MEMBER_EPOCH,
  'The streams group member is in a unknown state. The member must abandon all its tasks and' +
    ' rejoin.',
)

/** The topology of the group; the first member brings it. */
function presentTopology({ group, request, records }: StreamsUpdate): StreamsTopology | Refusal {
  const { topology } = group
  if (request.topology === null) {
    const message = 'The topology is null and the group topology is also null.'
    return topology ?? refuse(ErrorCode.UNKNOWN_SERVER_ERROR, message)
  }
  const brought = topologyOf(request.topology)
  if (brought.epoch < 0) {
    return refuse(ErrorCode.UNKNOWN_SERVER_ERROR, 'Topology epoch must be non-negative.')
  }
  if (topology === undefined) {
    records.push(streamsTopologyRecord(group.groupId, brought))
    return brought
  }
  if (topology.epoch > brought.epoch || sameTopology(topology, brought)) return topology
  return invalid('Topology updates are not supported yet.')
}

/** The topology with what the topics make of it, looked at anew when topics have changed. */
function configure(
  { coordinator, group }: StreamsUpdate,
  topology: StreamsTopology,
): ConfiguredTopology | Refusal {
  const { image } = coordinator.parts
  const { configured } = group
  if (configured?.topology === topology && group.topicsChecked === image.changeCount) {
    return configured
  }
  const outcome = configureTopology(topology, image)
  return 'kind' in outcome ? refuse(outcome.errorCode, outcome.message) : outcome
}

/** Tasks that a member cannot have. */
function taskRefusal({ subtopologies }: ConfiguredTopology, request: Request): Refusal | undefined {
  const { activeTasks, standbyTasks, warmupTasks } = request
  const lists: readonly (TaskList | null)[] = [activeTasks, standbyTasks, warmupTasks]
  for (const { subtopologyId, partitions } of lists.flatMap((list) => list ?? [])) {
    const tasks = subtopologies.get(subtopologyId)?.tasks
    if (tasks === undefined) {
      return invalid(`Subtopology ${subtopologyId} does not exist in the topology.`)
    }
    const wrong = partitions.find((partition) => partition < 0 || partition >= tasks)
    if (wrong === undefined) continue
    return invalid(
      `Task ${wrong} for subtopology ${subtopologyId} is invalid. Number of tasks for this ` +
        `subtopology: ${tasks}`,
    )
  }
  return undefined
}

/** One more if a member, a topic or what assignments depend on has changed. */
function nextEpoch(
  { coordinator, group, before, next, records }: StreamsUpdate,
  { topology, fault }: ConfiguredTopology,
  standbyReplicas: number,
): number {
  const { image } = coordinator.parts
  const metadataHash =
    group.topicsChecked === image.changeCount
      ? group.metadataHash
      : topicsHash(requiredTopics(topology), image)
  const validatedTopologyEpoch = fault === undefined ? topology.epoch : -1
  // Only then: what is written may be lost, and then the topics are to be looked at again.
  if (metadataHash === group.metadataHash) group.topicsChecked = image.changeCount
  const same =
    before === next &&
    metadataHash === group.metadataHash &&
    validatedTopologyEpoch === group.validatedTopologyEpoch &&
    standbyReplicas === group.standbyReplicas
  if (same) return group.epoch
  const epoch = group.epoch + 1
  const parts = { epoch, metadataHash, validatedTopologyEpoch, standbyReplicas }
  records.push(streamsEpochRecord(group.groupId, parts))
  return epoch
}

/** One step of the member towards the target. */
function approach(update: StreamsUpdate, target: StreamsTarget): StreamsMember | 'fenced' {
  const { coordinator, turn, group, next, request, records } = update
  if (isReconciledTo(next, target.epoch)) return next
  const member = reconcileStreams({
    member: next,
    targetEpoch: target.epoch,
    target: target.tasks,
    owned: ownedTasks(request),
    members: group.members.values(),
  })
  if (member === 'fenced' || hasTheSame(member, next)) return member
  records.push(streamsAssignmentRecord(group.groupId, member))
  followRebalance(coordinator, turn, group.groupId, member)
  return member
}

function staleStatus({ topology }: StreamsGroup, { topologyEpoch }: StreamsMember): Status[] {
  if (topology === undefined || topologyEpoch >= topology.epoch) return []
  const statusDetail =
    `The member's topology epoch ${topologyEpoch} is behind the group's topology epoch ` +
    `${topology.epoch}.`
  return [{ statusCode: StreamsStatus.STALE_TOPOLOGY, statusDetail }]
}

function answerOf(
  { coordinator, turn, group, before, request }: StreamsUpdate,
  member: StreamsMember,
  configured: ConfiguredTopology,
  statuses: Status[],
): Answer {
  const { assigned } = member
  const news = request.memberEpoch === 0 || !sameAssigned(before.assigned, assigned)
  if (news && member.userEndpoint !== null) group.endpointEpoch++
  // Who says what it has, and has something else, may have lost the answer that told it.
  const owned = news ? undefined : ownedTasks(request)
  const told = news || (owned !== undefined && !isWhatIsAssigned(owned, assigned))
  const { fault, missing } = configured
  if (fault !== undefined) {
    const statusDetail = missingDetail(group, fault.detail, missing, turn.nowMs)
    statuses.push({ statusCode: fault.code, statusDetail })
  }
  if (group.shutdownMemberId !== undefined) statuses.push(shutdownStatus(group.shutdownMemberId))
  const config = coordinator.parts.groupConfig(group.groupId)
  return {
    memberId: member.memberId,
    memberEpoch: member.memberEpoch,
    heartbeatIntervalMs: config['streams.heartbeat.interval.ms'],
    status: statuses,
    activeTasks: told ? activeList(assigned.active) : null,
    standbyTasks: told ? taskList(assigned.standby) : null,
    warmupTasks: told ? taskList(assigned.warmup) : null,
    partitionsByUserEndpoint:
      group.endpointEpoch === request.endpointInformationEpoch
        ? null
        : endpointsOf(withMember(group, member), configured, coordinator.parts.image),
    endpointInformationEpoch:
      coordinator.groups.get(group.groupId) === group ? group.endpointEpoch : 0,
  }
}

/** The members with this one as it is now. */
function withMember({ members }: StreamsGroup, member: StreamsMember): StreamsMember[] {
  return [...[...members.values()].filter((one) => one.memberId !== member.memberId), member]
}

function shutdownStatus(memberId: string): Status {
  const statusDetail =
    `Streams group member ${memberId} encountered a fatal error and requested a shutdown for the ` +
    'entire application.'
  return { statusCode: StreamsStatus.SHUTDOWN_APPLICATION, statusDetail }
}

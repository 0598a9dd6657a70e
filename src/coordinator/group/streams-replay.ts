/** How records change streams groups. KIP-1071; order and tolerance as in GroupMetadataManager. */
import type { StreamsGroupCurrentMemberAssignmentValue } from '../../protocol/records/streams-group-current-member-assignment.ts'
import type { StreamsGroupMemberMetadataValue } from '../../protocol/records/streams-group-member-metadata.ts'
import type { StreamsGroupMetadataValue } from '../../protocol/records/streams-group-metadata.ts'
import type { StreamsGroupTargetAssignmentMemberValue } from '../../protocol/records/streams-group-target-assignment-member.ts'
import type { StreamsGroupTopologyValue } from '../../protocol/records/streams-group-topology.ts'
import type { PartitionEpochs } from './consumer-partitions.ts'
import type { GroupCoordinator, Replay } from './coordinator.ts'
import { StreamsGroup, streamsGroup } from './streams-group.ts'
import { newStreamsMember, tagsOf } from './streams-member.ts'
import { standbyReplicasIn } from './streams-records.ts'
import { NOTHING_ASSIGNED, sorted, taskSet } from './streams-tasks.ts'
import {
  type GroupKey,
  type MemberKey,
  persisted,
  targetEpochReplay,
  typedReplay,
} from './typed-replay.ts'

function replayEpoch(
  coordinator: GroupCoordinator,
  { groupId }: GroupKey,
  value: StreamsGroupMetadataValue | null,
): void {
  if (value === null) {
    if (streamsGroup(coordinator.groups, groupId)) coordinator.groups.delete(groupId)
    return
  }
  const group = persisted(coordinator, groupId, StreamsGroup)
  group.epoch = value.epoch
  group.metadataHash = value.metadataHash
  group.validatedTopologyEpoch = value.validatedTopologyEpoch
  group.standbyReplicas = standbyReplicasIn(value.lastAssignmentConfigs)
}

function replayTopology(
  coordinator: GroupCoordinator,
  { groupId }: GroupKey,
  value: StreamsGroupTopologyValue | null,
): void {
  const group = value
    ? persisted(coordinator, groupId, StreamsGroup)
    : streamsGroup(coordinator.groups, groupId)
  if (group !== undefined) group.topology = value ?? undefined
}

function replayMember(
  coordinator: GroupCoordinator,
  { groupId, memberId }: MemberKey,
  value: StreamsGroupMemberMetadataValue | null,
): void {
  if (value === null) {
    const group = streamsGroup(coordinator.groups, groupId)
    group?.members.delete(memberId)
    // Whoever comes next did not hear of it.
    if (group?.isEmpty()) group.shutdownMemberId = undefined
    return
  }
  const { members } = persisted(coordinator, groupId, StreamsGroup)
  members.set(memberId, {
    ...(members.get(memberId) ?? newStreamsMember(memberId)),
    ...value,
    clientTags: tagsOf(value.clientTags),
  })
}

function replayTarget(
  coordinator: GroupCoordinator,
  { groupId, memberId }: MemberKey,
  value: StreamsGroupTargetAssignmentMemberValue | null,
): void {
  if (value === null) {
    streamsGroup(coordinator.groups, groupId)?.targets.delete(memberId)
    return
  }
  persisted(coordinator, groupId, StreamsGroup).targets.set(memberId, {
    active: taskSet(value.activeTasks),
    standby: taskSet(value.standbyTasks),
    warmup: taskSet(value.warmupTasks),
  })
}

function replayAssignment(
  coordinator: GroupCoordinator,
  { groupId, memberId }: MemberKey,
  value: StreamsGroupCurrentMemberAssignmentValue | null,
): void {
  if (value === null) {
    const members = streamsGroup(coordinator.groups, groupId)?.members
    const member = members?.get(memberId)
    if (members === undefined || member === undefined) return
    const gone = { memberEpoch: -1, previousMemberEpoch: -1 }
    const nothing = { assigned: NOTHING_ASSIGNED, pendingRevocation: NOTHING_ASSIGNED }
    members.set(memberId, { ...member, ...gone, ...nothing })
    return
  }
  const { members } = persisted(coordinator, groupId, StreamsGroup)
  const { memberEpoch, previousMemberEpoch, state } = value
  members.set(memberId, {
    ...(members.get(memberId) ?? newStreamsMember(memberId)),
    memberEpoch,
    previousMemberEpoch,
    state,
    assigned: {
      active: withEpochs(value.activeTasks, memberEpoch),
      standby: taskSet(value.standbyTasks),
      warmup: taskSet(value.warmupTasks),
    },
    pendingRevocation: {
      active: withEpochs(value.activeTasksPendingRevocation, memberEpoch),
      standby: taskSet(value.standbyTasksPendingRevocation),
      warmup: taskSet(value.warmupTasksPendingRevocation),
    },
  })
}

/** `fallback`: the epoch of tasks that were logged by a broker that knew of no epochs. */
function withEpochs(
  list: StreamsGroupCurrentMemberAssignmentValue['activeTasks'],
  fallback: number,
): PartitionEpochs {
  return sorted(
    list
      .filter(({ partitions }) => partitions.length > 0)
      .map(({ subtopologyId, partitions, assignmentEpochs }) => {
        const known = assignmentEpochs?.length === partitions.length ? assignmentEpochs : undefined
        return [
          subtopologyId,
          new Map(partitions.map((partition, i) => [partition, known?.[i] ?? fallback])),
        ] as const
      }),
  )
}

/** By record type. */
export const streamsReplays: ReadonlyMap<number, Replay> = new Map([
  [17, typedReplay(replayEpoch)],
  [19, typedReplay(replayMember)],
  [20, targetEpochReplay(StreamsGroup)],
  [21, typedReplay(replayTarget)],
  [22, typedReplay(replayAssignment)],
  [23, typedReplay(replayTopology)],
])

/** The records of streams groups: how they are made of a group's state. KIP-1071. */
import { StreamsGroupCurrentMemberAssignment } from '../../protocol/records/streams-group-current-member-assignment.ts'
import { StreamsGroupMemberMetadata } from '../../protocol/records/streams-group-member-metadata.ts'
import { StreamsGroupMetadata } from '../../protocol/records/streams-group-metadata.ts'
import { StreamsGroupTargetAssignmentMember } from '../../protocol/records/streams-group-target-assignment-member.ts'
import { StreamsGroupTargetAssignmentMetadata } from '../../protocol/records/streams-group-target-assignment-metadata.ts'
import { StreamsGroupTopology } from '../../protocol/records/streams-group-topology.ts'
import { type CoordinatorRecord, recordOf } from '../runtime.ts'
import { ascending, type PartitionEpochs } from './consumer-partitions.ts'
import type { StreamsMember } from './streams-member.ts'
import { type AssignedTasks, type Tasks, taskList } from './streams-tasks.ts'
import type { StreamsTopology } from './streams-topology.ts'

/** The one setting that assignments depend on, as Kafka names it in records. */
const STANDBY_REPLICAS = 'num.standby.replicas'

/** What the record of a group's epoch holds. */
export interface StreamsEpoch {
  readonly epoch: number
  readonly metadataHash: number
  /** The epoch of the topology if its topics are as they should be; -1: they are not. */
  readonly validatedTopologyEpoch: number
  /** What the last epoch was made with; undefined: nobody wrote that down. */
  readonly standbyReplicas: number | undefined
}

/** The epoch of a group. */
export function streamsEpochRecord(groupId: string, parts: StreamsEpoch): CoordinatorRecord {
  const { epoch, metadataHash, validatedTopologyEpoch, standbyReplicas } = parts
  const lastAssignmentConfigs =
    standbyReplicas === undefined ? [] : [{ key: STANDBY_REPLICAS, value: String(standbyReplicas) }]
  return recordOf(
    StreamsGroupMetadata,
    { groupId },
    { epoch, metadataHash, validatedTopologyEpoch, lastAssignmentConfigs },
  )
}

/** The setting in a record of an epoch. */
export function standbyReplicasIn(
  configs: readonly { readonly key: string; readonly value: string }[] | null,
): number | undefined {
  const text = configs?.find(({ key }) => key === STANDBY_REPLICAS)?.value
  return text === undefined ? undefined : Number(text)
}

/** What the members run. */
export function streamsTopologyRecord(groupId: string, topology: StreamsTopology) {
  return recordOf(StreamsGroupTopology, { groupId }, topology)
}

/** What a member told about itself. */
export function streamsMemberRecord(groupId: string, member: StreamsMember): CoordinatorRecord {
  const { memberId, instanceId, rackId, clientId, clientHost, rebalanceTimeoutMs } = member
  const { topologyEpoch, processId, userEndpoint, clientTags } = member
  return recordOf(
    StreamsGroupMemberMetadata,
    { groupId, memberId },
    {
      instanceId,
      rackId,
      clientId,
      clientHost,
      rebalanceTimeoutMs,
      topologyEpoch,
      processId,
      userEndpoint,
      clientTags,
    },
  )
}

/** The epoch of the target, with the time at which it was made. */
export function streamsTargetEpochRecord(groupId: string, epoch: number, timestampMs: number) {
  return recordOf(
    StreamsGroupTargetAssignmentMetadata,
    { groupId },
    { assignmentEpoch: epoch, assignmentTimestamp: timestampMs },
  )
}

/** What the target gives to a member. */
export function streamsTargetRecord(groupId: string, memberId: string, target: Tasks) {
  return recordOf(
    StreamsGroupTargetAssignmentMember,
    { groupId, memberId },
    {
      activeTasks: taskList(target.active),
      standbyTasks: taskList(target.standby),
      warmupTasks: taskList(target.warmup),
    },
  )
}

/** What a member has, and what it has to give up. */
export function streamsAssignmentRecord(groupId: string, member: StreamsMember) {
  const { memberId, memberEpoch, previousMemberEpoch, state, assigned } = member
  const has = listsOf(assigned)
  const pending = listsOf(member.pendingRevocation)
  return recordOf(
    StreamsGroupCurrentMemberAssignment,
    { groupId, memberId },
    {
      memberEpoch,
      previousMemberEpoch,
      state,
      activeTasks: has.active,
      standbyTasks: has.standby,
      warmupTasks: has.warmup,
      activeTasksPendingRevocation: pending.active,
      standbyTasksPendingRevocation: pending.standby,
      warmupTasksPendingRevocation: pending.warmup,
    },
  )
}

/** Takes a member away, in the order that replay relies on. */
export function streamsMemberTombstones(groupId: string, memberId: string): CoordinatorRecord[] {
  const key = { groupId, memberId }
  return [
    recordOf(StreamsGroupCurrentMemberAssignment, key, null),
    recordOf(StreamsGroupTargetAssignmentMember, key, null),
    recordOf(StreamsGroupMemberMetadata, key, null),
  ]
}

/** Takes a whole group away. */
export function streamsGroupTombstones(
  groupId: string,
  memberIds: Iterable<string>,
): CoordinatorRecord[] {
  const records: CoordinatorRecord[] = []
  for (const memberId of memberIds) records.push(...streamsMemberTombstones(groupId, memberId))
  records.push(recordOf(StreamsGroupTargetAssignmentMetadata, { groupId }, null))
  records.push(recordOf(StreamsGroupMetadata, { groupId }, null))
  records.push(recordOf(StreamsGroupTopology, { groupId }, null))
  return records
}

function listsOf({ active, standby, warmup }: AssignedTasks) {
  return {
    active: withEpochs(active),
    standby: withoutEpochs(taskList(standby)),
    warmup: withoutEpochs(taskList(warmup)),
  }
}

function withEpochs(tasks: PartitionEpochs) {
  return [...tasks].map(([subtopologyId, epochs]) => {
    const partitions = ascending(epochs.keys())
    const assignmentEpochs = partitions.map((partition) => epochs.get(partition)!)
    return { subtopologyId, partitions, assignmentEpochs }
  })
}

function withoutEpochs(list: { subtopologyId: string; partitions: readonly number[] }[]) {
  return list.map((one) => ({ ...one, assignmentEpochs: [] }))
}

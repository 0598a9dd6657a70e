/** StreamsGroupDescribe: topology, state and members of one streams group. KIP-1071. */
import { ErrorCode } from '../../protocol/errors.ts'
import type { GroupAnswers } from './commands.ts'
import type { GroupCoordinator } from './coordinator.ts'
import { type StreamsGroup, streamsGroup } from './streams-group.ts'
import type { StreamsMember } from './streams-member.ts'
import { activeList, NO_TASKS, taskList } from './streams-tasks.ts'
import { partitionsOf } from './streams-topics.ts'
import { bySubtopologyId, type TopicInfo } from './streams-topology.ts'

type Described = NonNullable<GroupAnswers['streams-group-describe']['groups']>[number]

/** One group of the answer; GROUP_ID_NOT_FOUND also for groups of another kind. */
export function describeStreamsGroup(coordinator: GroupCoordinator, groupId: string): Described {
  const group = streamsGroup(coordinator.groups, groupId)
  if (group === undefined) {
    if (groupId === '') return { groupId, errorCode: ErrorCode.INVALID_GROUP_ID }
    const errorMessage =
      coordinator.groups.get(groupId) === undefined
        ? `Group ${groupId} not found.`
        : `Group ${groupId} is not a streams group.`
    return { groupId, errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage }
  }
  return {
    groupId,
    groupState: group.stateName(),
    groupEpoch: group.epoch,
    assignmentEpoch: group.targetEpoch,
    topology: describeTopology(group),
    members: [...group.members.values()].map((member) => describeMember(group, member)),
  }
}

/** With the partition counts that were decided, once all topics are there. */
function describeTopology({ topology, configured }: StreamsGroup) {
  if (topology === undefined) return null
  const ready = configured?.topology === topology && configured.fault === undefined
  const info = (one: TopicInfo): TopicInfo => {
    return ready ? { ...one, partitions: partitionsOf(one, configured.counts) } : one
  }
  return {
    epoch: topology.epoch,
    subtopologies: bySubtopologyId(topology).map((one) => ({
      subtopologyId: one.subtopologyId,
      sourceTopics: [...one.sourceTopics].sort(),
      repartitionSinkTopics: [...one.repartitionSinkTopics].sort(),
      stateChangelogTopics: one.stateChangelogTopics.map(info).sort(byName),
      repartitionSourceTopics: one.repartitionSourceTopics.map(info).sort(byName),
    })),
  }
}

function byName(a: TopicInfo, b: TopicInfo): number {
  return a.name < b.name ? -1 : 1
}

function describeMember({ targets }: StreamsGroup, member: StreamsMember) {
  const { memberId, memberEpoch, instanceId, rackId, clientId, clientHost } = member
  const { topologyEpoch, processId, userEndpoint, clientTags, assigned } = member
  const target = targets.get(memberId) ?? NO_TASKS
  return {
    memberId,
    memberEpoch,
    instanceId,
    rackId,
    clientId,
    clientHost,
    topologyEpoch,
    processId,
    userEndpoint,
    clientTags,
    assignment: {
      activeTasks: activeList(assigned.active),
      standbyTasks: taskList(assigned.standby),
      warmupTasks: taskList(assigned.warmup),
    },
    targetAssignment: {
      activeTasks: taskList(target.active),
      standbyTasks: taskList(target.standby),
      warmupTasks: taskList(target.warmup),
    },
  }
}

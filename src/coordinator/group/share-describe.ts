/** ShareGroupDescribe: the state of one share group and of its members. KIP-932. */
import { ErrorCode } from '../../protocol/errors.ts'
import { SIMPLE_ASSIGNOR } from './assign-simple.ts'
import type { GroupAnswers } from './commands.ts'
import { listOfTarget, type TopicPartitions } from './consumer-partitions.ts'
import type { TopicDirectory } from './consumer-topics.ts'
import type { GroupCoordinator } from './coordinator.ts'
import { type ShareMember, shareGroup } from './share-group.ts'

type Described = NonNullable<GroupAnswers['share-group-describe']['groups']>[number]

/** One group of the answer; GROUP_ID_NOT_FOUND also for groups of another kind. */
export function describeShareGroup(coordinator: GroupCoordinator, groupId: string): Described {
  const group = shareGroup(coordinator.groups, groupId)
  if (group === undefined) {
    if (groupId === '') return { groupId, errorCode: ErrorCode.INVALID_GROUP_ID }
    const errorMessage =
      coordinator.groups.get(groupId) === undefined
        ? `Group ${groupId} not found.`
        : `Group ${groupId} is not a share group.`
    return { groupId, errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage }
  }
  const topics = coordinator.parts.image
  return {
    groupId,
    groupState: group.stateName(),
    groupEpoch: group.epoch,
    assignmentEpoch: group.targetEpoch,
    assignorName: coordinator.config['group.share.assignors'][0] ?? SIMPLE_ASSIGNOR,
    members: [...group.members.values()].map((member) => describeMember(member, topics)),
  }
}

function describeMember(member: ShareMember, topics: TopicDirectory) {
  const { memberId, rackId, memberEpoch, clientId, clientHost, subscribedTopicNames } = member
  return {
    memberId,
    rackId,
    memberEpoch,
    clientId,
    clientHost,
    subscribedTopicNames,
    assignment: { topicPartitions: named(member.assigned, topics) },
  }
}

/** Topics that exist, with their names. */
function named(target: TopicPartitions, topics: TopicDirectory) {
  return listOfTarget(target).flatMap(({ topicId, partitions }) => {
    const topic = topics.topicById(topicId)
    return topic === undefined ? [] : [{ topicId, topicName: topic.name, partitions }]
  })
}

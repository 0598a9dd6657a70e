/** ConsumerGroupDescribe: the state of one consumer group and of its members. KIP-848. */
import { ErrorCode } from '../../protocol/errors.ts'
import type { GroupAnswers } from './commands.ts'
import { type ConsumerGroup, consumerGroup } from './consumer-group.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { listOfEpochs, listOfTarget, type PartitionList, union } from './consumer-partitions.ts'
import type { TopicDirectory } from './consumer-topics.ts'
import { assignorName } from './consumer-update.ts'
import type { GroupCoordinator } from './coordinator.ts'
import { targetFor } from './target.ts'

type Described = NonNullable<GroupAnswers['consumer-group-describe']['groups']>[number]

/** Kafka's numbers of member_type. */
const CLASSIC_MEMBER = 0
const CONSUMER_MEMBER = 1

/** One group of the answer; GROUP_ID_NOT_FOUND also for groups of another kind, INVALID_GROUP_ID
 *  for the empty id. */
export function describeConsumerGroup(coordinator: GroupCoordinator, groupId: string): Described {
  const group = consumerGroup(coordinator.groups, groupId)
  if (group === undefined) {
    const errorMessage =
      coordinator.groups.get(groupId) === undefined
        ? `Group ${groupId} not found.`
        : `Group ${groupId} is not a consumer group.`
    const unnamed = groupId === ''
    const errorCode = unnamed ? ErrorCode.INVALID_GROUP_ID : ErrorCode.GROUP_ID_NOT_FOUND
    return { groupId, errorCode, errorMessage: unnamed ? null : errorMessage }
  }
  const topics = coordinator.parts.image
  return {
    groupId,
    groupState: group.stateName(),
    groupEpoch: group.epoch,
    assignmentEpoch: group.targetEpoch,
    assignorName: assignorName(coordinator, group),
    members: [...group.members.values()].map((member) => describeMember(group, member, topics)),
  }
}

function describeMember(group: ConsumerGroup, member: ConsumerMember, topics: TopicDirectory) {
  const target = targetFor(group.targets, member.memberId)
  const all = union(member.assigned, member.pendingRevocation)
  return {
    memberId: member.memberId,
    instanceId: member.instanceId,
    rackId: member.rackId,
    memberEpoch: member.memberEpoch,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: member.subscribedTopicNames,
    subscribedTopicRegex: member.subscribedTopicRegex,
    // What it has yet to give up it still has.
    assignment: { topicPartitions: named(listOfEpochs(all), topics) },
    targetAssignment: { topicPartitions: named(listOfTarget(target), topics) },
    memberType: member.classic === null ? CONSUMER_MEMBER : CLASSIC_MEMBER,
  }
}

/** Topics that exist, with their names. */
function named(list: PartitionList, topics: TopicDirectory) {
  return list.flatMap(({ topicId, partitions }) => {
    const topic = topics.topicById(topicId)
    return topic === undefined ? [] : [{ topicId, topicName: topic.name, partitions }]
  })
}

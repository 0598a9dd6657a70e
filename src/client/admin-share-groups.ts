/** The admin client's calls about share groups. KIP-932. */
import { ShareGroupDescribe } from '../protocol/apis/77-share-group-describe.ts'
import { DescribeShareGroupOffsets } from '../protocol/apis/90-describe-share-group-offsets.ts'
import { AlterShareGroupOffsets } from '../protocol/apis/91-alter-share-group-offsets.ts'
import { DeleteShareGroupOffsets } from '../protocol/apis/92-delete-share-group-offsets.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { ResponseOf } from '../protocol/schema.ts'
import { operationsOf } from './acl-operations.ts'
import { type CallOptions, type DescribeOptions, throwOnItems } from './admin-base.ts'
import { flatPartitions, type GroupDescriptionBase } from './admin-group-descriptions.ts'
import { AdminGroups } from './admin-groups.ts'
import { throwOnError } from './errors.ts'
import { byTopic, type TopicPartition } from './topic-partition.ts'

/** A member of a share group. */
export interface ShareGroupMember {
  readonly memberId: string
  readonly rackId: string | null
  readonly memberEpoch: number
  readonly clientId: string
  readonly clientHost: string
  readonly subscribedTopicNames: readonly string[]
  readonly assignment: readonly TopicPartition[]
}

/** A share group with its members. */
export interface ShareGroupDescription extends GroupDescriptionBase {
  readonly type: 'share'
  /** The assignor. */
  readonly protocol: string
  readonly groupEpoch: number
  readonly targetAssignmentEpoch: number
  readonly members: readonly ShareGroupMember[]
}

/** How far a share group is in a partition. */
export interface SharePartitionOffset extends TopicPartition {
  /** The first record that is not done with. */
  readonly startOffset: number
  /** -1: not known. */
  readonly leaderEpoch: number
  /** Records that are not done with; -1: the broker does not say. */
  readonly lag: number
}

/** Where a share group is to go on. */
export interface ShareOffsetToSet extends TopicPartition {
  readonly startOffset: number
}

/** Calls about share groups. `listGroups` and `deleteGroups` are for these as well. */
export class AdminShareGroups extends AdminGroups {
  /** Share groups with their members, in the order asked for. Rejects with PartialError. */
  describeShareGroups(
    groupIds: readonly string[],
    options: DescribeOptions = {},
  ): Promise<ShareGroupDescription[]> {
    const { includeAuthorizedOperations = false } = options
    return this.eachGroup(groupIds, async (groupId) => {
      const body = { groupIds: [groupId], includeAuthorizedOperations }
      const { groups } = await this.askCoordinator(
        groupId,
        ShareGroupDescribe,
        body,
        options,
        (answer) => answer.groups.map(({ errorCode }) => errorCode),
      )
      const [group] = groups
      throwOnError(group?.errorCode ?? ErrorCode.GROUP_ID_NOT_FOUND, group?.errorMessage)
      return describe(group as (typeof groups)[number])
    })
  }

  /** How far a share group is; `partitions`: only these. Partitions that it has never read are left
   *  out, and a group that there is not has read none. Rejects with PartialError. */
  async listShareGroupOffsets(
    groupId: string,
    partitions?: readonly TopicPartition[],
    options: CallOptions = {},
  ): Promise<SharePartitionOffset[]> {
    const topics =
      partitions === undefined
        ? null
        : [...byTopic(partitions)].map(([topicName, of]) => ({
            topicName,
            partitions: of.map(({ partition }) => partition),
          }))
    const answer = await this.askCoordinator(
      groupId,
      DescribeShareGroupOffsets,
      { groups: [{ groupId, topics }] },
      options,
      ({ groups }) => groups.flatMap((group) => [group.errorCode, ...codesOf(group.topics)]),
    )
    const [group] = answer.groups
    throwOnError(group?.errorCode ?? ErrorCode.NONE, group?.errorMessage)
    const found = (group?.topics ?? []).flatMap(({ topicName: topic, partitions: of }) =>
      of.map((one) => ({ ...one, topic, partition: one.partitionIndex })),
    )
    throwOnItems(found.map(itemOf))
    return found
      .filter(({ startOffset }) => startOffset >= 0)
      .map(({ topic, partition, startOffset, leaderEpoch, lag }) => ({
        topic,
        partition,
        startOffset,
        leaderEpoch,
        lag,
      }))
  }

  /** Sets where a share group without members goes on; one that there is not comes to be. What it
   *  has acknowledged of these partitions is forgotten. Rejects with PartialError. */
  async alterShareGroupOffsets(
    groupId: string,
    offsets: readonly ShareOffsetToSet[],
    options: CallOptions = {},
  ): Promise<void> {
    const topics = [...byTopic(offsets)].map(([topicName, of]) => ({
      topicName,
      partitions: of.map(({ partition, startOffset }) => ({
        partitionIndex: partition,
        startOffset,
      })),
    }))
    const answer = await this.askCoordinator(
      groupId,
      AlterShareGroupOffsets,
      { groupId, topics },
      options,
      ({ errorCode, responses }) => [errorCode, ...codesOf(responses)],
    )
    throwOnError(answer.errorCode, answer.errorMessage)
    throwOnItems(
      answer.responses.flatMap(({ topicName: topic, partitions: of }) =>
        of.map((one) => itemOf({ ...one, topic, partition: one.partitionIndex })),
      ),
    )
  }

  /** Forgets how far a share group without members is in topics. Rejects with PartialError. */
  async deleteShareGroupOffsets(
    groupId: string,
    topics: readonly string[],
    options: CallOptions = {},
  ): Promise<void> {
    const body = { groupId, topics: topics.map((topicName) => ({ topicName })) }
    const answer = await this.askCoordinator(
      groupId,
      DeleteShareGroupOffsets,
      body,
      options,
      ({ errorCode, responses }) => [errorCode, ...responses.map((one) => one.errorCode)],
    )
    throwOnError(answer.errorCode, answer.errorMessage)
    throwOnItems(
      answer.responses.map(({ topicName, errorCode, errorMessage }) => ({
        item: topicName,
        code: errorCode,
        message: errorMessage,
      })),
    )
  }
}

function describe(
  group: ResponseOf<typeof ShareGroupDescribe>['groups'][number],
): ShareGroupDescription {
  return {
    groupId: group.groupId,
    state: group.groupState,
    type: 'share',
    protocol: group.assignorName,
    groupEpoch: group.groupEpoch,
    targetAssignmentEpoch: group.assignmentEpoch,
    members: group.members.map(({ assignment, ...member }) => ({
      ...member,
      assignment: flatPartitions(assignment.topicPartitions),
    })),
    authorizedOperations: operationsOf(group.authorizedOperations),
  }
}

function codesOf(
  topics: readonly { readonly partitions: readonly { readonly errorCode: number }[] }[],
): number[] {
  return topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode))
}

function itemOf(one: {
  readonly topic: string
  readonly partition: number
  readonly errorCode: number
  readonly errorMessage: string | null
}) {
  return {
    item: `${one.topic}-${one.partition}`,
    code: one.errorCode,
    message: one.errorMessage,
  }
}

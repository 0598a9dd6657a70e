/** The admin client's calls about groups and their offsets. */
import { OffsetCommit } from '../protocol/apis/08-offset-commit.ts'
import { OffsetFetch } from '../protocol/apis/09-offset-fetch.ts'
import { LeaveGroup } from '../protocol/apis/13-leave-group.ts'
import { DescribeGroups } from '../protocol/apis/15-describe-groups.ts'
import { ListGroups } from '../protocol/apis/16-list-groups.ts'
import { DeleteGroups } from '../protocol/apis/42-delete-groups.ts'
import { OffsetDelete } from '../protocol/apis/47-offset-delete.ts'
import { ConsumerGroupDescribe } from '../protocol/apis/69-consumer-group-describe.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { ResponseOf } from '../protocol/schema.ts'
import { type CallOptions, type DescribeOptions, throwOnItems } from './admin-base.ts'
import {
  describeClassic,
  describeConsumer,
  type GroupDescription,
} from './admin-group-descriptions.ts'
import { AdminRecords } from './admin-records.ts'
import { KafkaError, kafkaError, throwOnError } from './errors.ts'
import type { OffsetToCommit } from './offsets.ts'
import { byTopic, type TopicPartition } from './topic-partition.ts'

/** Highest versions that name topics by their names. */
const OFFSETS_BY_NAME_VERSION = 9

/** A group in a list. Texts are Kafka's: 'Stable', 'Empty', …; 'classic', 'consumer', … */
export interface GroupListing {
  readonly groupId: string
  /** 'consumer' for groups of consumers. */
  readonly protocolType: string
  /** Empty: the broker does not say. */
  readonly state: string
  readonly type: string
}

/** An offset that a group has committed. */
export interface GroupOffset extends TopicPartition {
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
}

/** Calls about groups. */
export class AdminGroups extends AdminRecords {
  /** All groups of the cluster. Rejects with UNSUPPORTED_VERSION where the broker cannot choose. */
  async listGroups(
    options: CallOptions & {
      /** Only groups in these states. */
      readonly states?: readonly string[]
      /** Only groups of these types. */
      readonly types?: readonly string[]
    } = {},
  ): Promise<GroupListing[]> {
    const { states = [], types = [] } = options
    const body = (version: number) => {
      const unable = (version < 4 && states.length > 0) || (version < 5 && types.length > 0)
      if (unable) throw kafkaError(ErrorCode.UNSUPPORTED_VERSION)
      return {
        ...(version >= 4 ? { statesFilter: states } : {}),
        ...(version >= 5 ? { typesFilter: types } : {}),
      }
    }
    const answers = await this.askAll(ListGroups, body, options)
    return [...answers.values()].flatMap(({ errorCode, groups }) => {
      throwOnError(errorCode)
      return groups.map(({ groupId, protocolType, groupState, groupType }) => ({
        groupId,
        protocolType,
        state: groupState,
        type: groupType,
      }))
    })
  }

  /** Classic and consumer groups with their members, in the order asked for. Rejects with
   *  PartialError. Java's describeClassicGroups and describeConsumerGroups. */
  describeGroups(
    groupIds: readonly string[],
    options: DescribeOptions = {},
  ): Promise<GroupDescription[]> {
    const { includeAuthorizedOperations = false } = options
    return this.eachGroup(groupIds, async (groupId) => {
      const consumer = await this.#describeConsumerGroup(groupId, options)
      if (consumer !== undefined) return consumer
      const answer = await this.askCoordinator(
        groupId,
        DescribeGroups,
        (version) => ({
          groups: [groupId],
          ...(version >= 3 ? { includeAuthorizedOperations } : {}),
        }),
        options,
        ({ groups }) => groups.map(({ errorCode }) => errorCode),
      )
      const group = answer.groups[0]
      throwOnError(group?.errorCode ?? ErrorCode.GROUP_ID_NOT_FOUND, group?.errorMessage)
      return describeClassic(group as (typeof answer.groups)[number])
    })
  }

  /** Deletes groups without members, with their offsets. Rejects with PartialError. */
  async deleteGroups(groupIds: readonly string[], options: CallOptions = {}): Promise<void> {
    await this.eachGroup(groupIds, async (groupId) => {
      const body = { groupsNames: [groupId] }
      const { results } = await this.askCoordinator(groupId, DeleteGroups, body, options, (a) =>
        a.results.map(({ errorCode }) => errorCode),
      )
      throwOnError(results[0]?.errorCode ?? ErrorCode.NONE)
    })
  }

  /** What a group has committed; `partitions`: only these. Partitions without a committed offset
   *  are left out. */
  async listGroupOffsets(
    groupId: string,
    partitions?: readonly TopicPartition[],
    options: CallOptions = {},
  ): Promise<GroupOffset[]> {
    const topics =
      partitions === undefined
        ? null
        : [...byTopic(partitions)].map(([name, of]) => ({
            name,
            partitionIndexes: of.map(({ partition }) => partition),
          }))
    const answer = await this.askCoordinator(
      groupId,
      OffsetFetch,
      (version) => ({
        ...(version >= 8 ? { groups: [{ groupId, topics }] } : { groupId, topics }),
        ...(version >= 7 ? { requireStable: true } : {}),
      }),
      { ...options, versionMax: OFFSETS_BY_NAME_VERSION },
      ({ errorCode, topics, groups }) => [
        errorCode,
        ...groups.map((group) => group.errorCode),
        ...[...topics, ...groups.flatMap((group) => group.topics)].flatMap(({ partitions }) =>
          partitions.map((one) => one.errorCode),
        ),
      ],
    )
    throwOnError(answer.groups[0]?.errorCode ?? answer.errorCode)
    const found = answer.groups[0]?.topics ?? answer.topics
    const flat = found.flatMap(({ name, partitions: of }) =>
      of.map((one) => ({ ...one, topic: name, partition: one.partitionIndex })),
    )
    throwOnItems(flat.map(itemOf))
    return flat
      .filter(({ committedOffset }) => committedOffset >= 0)
      .map(({ topic, partition, committedOffset, committedLeaderEpoch, metadata }) => ({
        topic,
        partition,
        offset: committedOffset,
        leaderEpoch: committedLeaderEpoch,
        metadata: metadata ?? '',
      }))
  }

  /** Commits offsets for a group without members. Rejects with PartialError. */
  async alterGroupOffsets(
    groupId: string,
    offsets: readonly OffsetToCommit[],
    options: CallOptions = {},
  ): Promise<void> {
    const body = {
      groupId,
      topics: [...byTopic(offsets)].map(([name, of]) => ({
        name,
        partitions: of.map(({ partition, offset, leaderEpoch = -1, metadata = '' }) => ({
          partitionIndex: partition,
          committedOffset: offset,
          committedLeaderEpoch: leaderEpoch,
          committedMetadata: metadata,
        })),
      })),
    }
    const answer = await this.askCoordinator(
      groupId,
      OffsetCommit,
      body,
      { ...options, versionMax: OFFSETS_BY_NAME_VERSION },
      codesOfPartitions,
    )
    throwOnItems(itemsOfPartitions(answer))
  }

  /** Forgets what a group has committed. Rejects with PartialError. */
  async deleteGroupOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
    options: CallOptions = {},
  ): Promise<void> {
    const body = {
      groupId,
      topics: [...byTopic(partitions)].map(([name, of]) => ({
        name,
        partitions: of.map(({ partition }) => ({ partitionIndex: partition })),
      })),
    }
    const answer = await this.askCoordinator(groupId, OffsetDelete, body, options, (a) => [
      a.errorCode,
      ...codesOfPartitions(a),
    ])
    throwOnError(answer.errorCode)
    throwOnItems(itemsOfPartitions(answer))
  }

  /** Takes members out of a classic group: all of them, or static ones by instance id. */
  async removeMembers(
    groupId: string,
    groupInstanceIds?: readonly string[],
    options: CallOptions & { readonly reason?: string } = {},
  ): Promise<void> {
    const { reason = null } = options
    const members =
      groupInstanceIds?.map((groupInstanceId) => ({ memberId: '', groupInstanceId, reason })) ??
      (await this.describeGroups([groupId], options)).flatMap(({ members }) =>
        members.map(({ memberId, groupInstanceId }) => ({ memberId, groupInstanceId, reason })),
      )
    if (members.length === 0) return
    const answer = await this.askCoordinator(
      groupId,
      LeaveGroup,
      (version) => {
        if (version < 3) throw kafkaError(ErrorCode.UNSUPPORTED_VERSION)
        return { groupId, members }
      },
      options,
      ({ errorCode }) => [errorCode],
    )
    throwOnError(answer.errorCode)
    throwOnItems(
      answer.members.map((one) => ({
        item: one.groupInstanceId ?? one.memberId,
        code: one.errorCode,
      })),
    )
  }

  /** undefined: no group of the consumer protocol, or no broker that knows of it. */
  async #describeConsumerGroup(
    groupId: string,
    options: DescribeOptions,
  ): Promise<GroupDescription | undefined> {
    const { includeAuthorizedOperations = false } = options
    let answer: ResponseOf<typeof ConsumerGroupDescribe>
    try {
      answer = await this.askCoordinator(
        groupId,
        ConsumerGroupDescribe,
        { groupIds: [groupId], includeAuthorizedOperations },
        options,
        ({ groups }) => groups.map(({ errorCode }) => errorCode),
      )
    } catch (error) {
      const unknown = error instanceof KafkaError && error.code === ErrorCode.UNSUPPORTED_VERSION
      if (unknown) return undefined
      throw error
    }
    const group = answer.groups[0]
    if (group === undefined || group.errorCode === ErrorCode.GROUP_ID_NOT_FOUND) return undefined
    throwOnError(group.errorCode, group.errorMessage)
    return describeConsumer(group)
  }
}

interface PartitionCodes {
  readonly topics: readonly {
    readonly name: string
    readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[]
  }[]
}

function codesOfPartitions({ topics }: PartitionCodes): number[] {
  return topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode))
}

function itemsOfPartitions({ topics }: PartitionCodes) {
  return topics.flatMap(({ name, partitions }) =>
    partitions.map((one) => itemOf({ ...one, topic: name, partition: one.partitionIndex })),
  )
}

function itemOf(one: { topic: string; partition: number; errorCode: number }) {
  return { item: `${one.topic}-${one.partition}`, code: one.errorCode }
}

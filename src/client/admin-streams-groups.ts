/** The admin client's calls about streams groups. KIP-1071. */
import { StreamsGroupDescribe } from '../protocol/apis/89-streams-group-describe.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { ResponseOf } from '../protocol/schema.ts'
import { operationsOf } from './acl-operations.ts'
import type { DescribeOptions } from './admin-base.ts'
import type { GroupDescriptionBase } from './admin-group-descriptions.ts'
import { AdminShareGroups } from './admin-share-groups.ts'
import { throwOnError } from './errors.ts'
import type { Address } from './options.ts'

/** A topic that a topology has of its own. */
export interface StreamsTopicInfo {
  readonly name: string
  /** 0: as many as the source topics have. */
  readonly partitions: number
  /** 0: the broker's default. */
  readonly replicationFactor: number
  readonly configs: Readonly<Record<string, string>>
}

/** A part of a topology that is worked on as a whole. */
export interface StreamsSubtopology {
  readonly subtopologyId: string
  readonly sourceTopics: readonly string[]
  readonly repartitionSinkTopics: readonly string[]
  readonly stateChangelogTopics: readonly StreamsTopicInfo[]
  readonly repartitionSourceTopics: readonly StreamsTopicInfo[]
}

/** Tasks of one subtopology, by partition. */
export interface StreamsTaskIds {
  readonly subtopologyId: string
  readonly partitions: readonly number[]
}

/** The tasks of a member. */
export interface StreamsAssignment {
  readonly activeTasks: readonly StreamsTaskIds[]
  readonly standbyTasks: readonly StreamsTaskIds[]
  readonly warmupTasks: readonly StreamsTaskIds[]
}

/** How far the state of a task is. */
export interface StreamsTaskOffset {
  readonly subtopologyId: string
  readonly partition: number
  readonly offset: number
}

/** A member of a streams group. */
export interface StreamsGroupMember {
  readonly memberId: string
  readonly memberEpoch: number
  /** null: not a static member. */
  readonly groupInstanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly topologyEpoch: number
  /** Members of one process share this. */
  readonly processId: string
  /** Where interactive queries go; null: nowhere. */
  readonly userEndpoint: Address | null
  readonly clientTags: Readonly<Record<string, string>>
  readonly taskOffsets: readonly StreamsTaskOffset[]
  readonly taskEndOffsets: readonly StreamsTaskOffset[]
  readonly assignment: StreamsAssignment
  /** What it will have when all members have followed. */
  readonly targetAssignment: StreamsAssignment
  /** Whether it speaks the classic protocol. */
  readonly isClassic: boolean
}

/** A streams group with its topology and members. */
export interface StreamsGroupDescription extends GroupDescriptionBase {
  readonly type: 'streams'
  readonly groupEpoch: number
  readonly targetAssignmentEpoch: number
  /** -1: there is no topology. */
  readonly topologyEpoch: number
  readonly subtopologies: readonly StreamsSubtopology[]
  readonly members: readonly StreamsGroupMember[]
}

type Described = ResponseOf<typeof StreamsGroupDescribe>['groups'][number]
type DescribedTopology = NonNullable<Described['topology']>
type DescribedSubtopology = NonNullable<DescribedTopology['subtopologies']>[number]

/** Calls about streams groups. `listGroups`, `deleteGroups`, `listGroupOffsets`,
 *  `alterGroupOffsets` and `deleteGroupOffsets` are for these as well. */
export class AdminStreamsGroups extends AdminShareGroups {
  /** Streams groups with topologies and members, in the order asked for. Rejects with
   *  PartialError. */
  describeStreamsGroups(
    groupIds: readonly string[],
    options: DescribeOptions = {},
  ): Promise<StreamsGroupDescription[]> {
    const { includeAuthorizedOperations = false } = options
    return this.eachGroup(groupIds, async (groupId) => {
      const body = { groupIds: [groupId], includeAuthorizedOperations }
      const { groups } = await this.askCoordinator(
        groupId,
        StreamsGroupDescribe,
        body,
        options,
        (answer) => answer.groups.map(({ errorCode }) => errorCode),
      )
      const [group] = groups
      throwOnError(group?.errorCode ?? ErrorCode.GROUP_ID_NOT_FOUND, group?.errorMessage)
      return describe(group as Described)
    })
  }
}

function describe(group: Described): StreamsGroupDescription {
  return {
    groupId: group.groupId,
    state: group.groupState,
    type: 'streams',
    groupEpoch: group.groupEpoch,
    targetAssignmentEpoch: group.assignmentEpoch,
    topologyEpoch: group.topology?.epoch ?? -1,
    subtopologies: (group.topology?.subtopologies ?? []).map(subtopologyOf),
    members: group.members.map(({ instanceId, clientTags, ...member }) => ({
      ...member,
      groupInstanceId: instanceId,
      clientTags: recordOf(clientTags),
    })),
    authorizedOperations: operationsOf(group.authorizedOperations),
  }
}

function subtopologyOf(one: DescribedSubtopology): StreamsSubtopology {
  const topics = (list: DescribedSubtopology['stateChangelogTopics']): StreamsTopicInfo[] =>
    list.map(({ topicConfigs, ...topic }) => ({ ...topic, configs: recordOf(topicConfigs) }))
  return {
    subtopologyId: one.subtopologyId,
    sourceTopics: one.sourceTopics,
    repartitionSinkTopics: one.repartitionSinkTopics,
    stateChangelogTopics: topics(one.stateChangelogTopics),
    repartitionSourceTopics: topics(one.repartitionSourceTopics),
  }
}

function recordOf(
  pairs: readonly { readonly key: string; readonly value: string }[],
): Record<string, string> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, value]))
}

/** Groups with their members, as the admin client describes them: from answers to values. */
import type { DescribeGroups } from '../protocol/apis/15-describe-groups.ts'
import type { ConsumerGroupDescribe } from '../protocol/apis/69-consumer-group-describe.ts'
import { decodeMessage } from '../protocol/compile.ts'
import { ConsumerProtocolAssignment } from '../protocol/records/consumer-protocol-assignment.ts'
import type { ResponseOf } from '../protocol/schema.ts'
import { type AclOperation, operationsOf } from './acl-operations.ts'
import type { TopicPartition } from './topic-partition.ts'

const VERSION_BYTES = 2
/** ConsumerGroupDescribe's memberType. */
const CLASSIC_MEMBER = 0

/** A member of a group. */
export interface GroupMember {
  readonly memberId: string
  /** null: not a static member. */
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly assignment: readonly TopicPartition[]
}

/** A member of a group of the consumer protocol. */
export interface ConsumerGroupMember extends GroupMember {
  readonly rackId: string | null
  readonly memberEpoch: number
  readonly subscribedTopicNames: readonly string[]
  /** An expression in RE2's syntax; null: none. */
  readonly subscribedTopicRegex: string | null
  /** What it will have when all members have followed. */
  readonly targetAssignment: readonly TopicPartition[]
  /** Whether it speaks the classic protocol; undefined: the broker does not say. */
  readonly isClassic: boolean | undefined
}

/** What all kinds of groups have. */
export interface GroupDescriptionBase {
  readonly groupId: string
  /** Kafka's text: 'Stable', 'Empty', … */
  readonly state: string
  /** undefined unless asked for. */
  readonly authorizedOperations: readonly AclOperation[] | undefined
}

/** A group of the classic protocol with its members. */
export interface ClassicGroupDescription extends GroupDescriptionBase {
  readonly type: 'classic'
  /** 'consumer' for groups of consumers; assignments of others are not read. */
  readonly protocolType: string
  /** The assignor. */
  readonly protocol: string
  readonly members: readonly GroupMember[]
}

/** A group of the consumer protocol with its members. KIP-848. */
export interface ConsumerGroupDescription extends GroupDescriptionBase {
  readonly type: 'consumer'
  readonly protocolType: 'consumer'
  /** The assignor. */
  readonly protocol: string
  readonly groupEpoch: number
  readonly targetAssignmentEpoch: number
  readonly members: readonly ConsumerGroupMember[]
}

/** A group with its members. */
export type GroupDescription = ClassicGroupDescription | ConsumerGroupDescription

/** A group of the consumer protocol from its answer. */
export function describeConsumer(
  group: ResponseOf<typeof ConsumerGroupDescribe>['groups'][number],
): GroupDescription {
  return {
    groupId: group.groupId,
    state: group.groupState,
    type: 'consumer',
    protocolType: 'consumer',
    protocol: group.assignorName,
    groupEpoch: group.groupEpoch,
    targetAssignmentEpoch: group.assignmentEpoch,
    members: group.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.instanceId,
      rackId: member.rackId,
      memberEpoch: member.memberEpoch,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: member.subscribedTopicNames,
      subscribedTopicRegex: member.subscribedTopicRegex,
      assignment: flatPartitions(member.assignment.topicPartitions),
      targetAssignment: flatPartitions(member.targetAssignment.topicPartitions),
      isClassic: member.memberType === -1 ? undefined : member.memberType === CLASSIC_MEMBER,
    })),
    authorizedOperations: operationsOf(group.authorizedOperations),
  }
}

/** Assigned partitions one by one. */
export function flatPartitions(
  topics: readonly { readonly topicName: string; readonly partitions: readonly number[] }[],
): TopicPartition[] {
  return topics.flatMap(({ topicName, partitions }) =>
    partitions.map((partition) => ({ topic: topicName, partition })),
  )
}

/** A classic group from its answer. Throws MalformedRequest. */
export function describeClassic(
  group: ResponseOf<typeof DescribeGroups>['groups'][number],
): GroupDescription {
  return {
    groupId: group.groupId,
    state: group.groupState,
    type: 'classic',
    protocolType: group.protocolType,
    protocol: group.protocolData,
    members: group.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      assignment:
        group.protocolType === 'consumer' ? classicAssignment(member.memberAssignment) : [],
    })),
    authorizedOperations: operationsOf(group.authorizedOperations),
  }
}

/** Empty before the leader has assigned anything. Throws MalformedRequest. */
function classicAssignment(bytes: Buffer): TopicPartition[] {
  if (bytes.length < VERSION_BYTES) return []
  const [lowest, highest] = ConsumerProtocolAssignment.versions
  // A later version has its new fields behind those that we know.
  const version = Math.max(lowest, Math.min(highest, bytes.readInt16BE(0)))
  const { assignedPartitions } = decodeMessage(
    ConsumerProtocolAssignment,
    version,
    bytes,
    VERSION_BYTES,
  )
  return assignedPartitions.flatMap(({ topic, partitions }) =>
    partitions.map((partition) => ({ topic, partition })),
  )
}

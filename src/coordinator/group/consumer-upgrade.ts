/**
 * A classic group becomes a consumer group because a member joins it with the consumer protocol.
 * Its members go on with their generation as epoch and with what they have; the newcomer's
 * rebalance moves them on. Source: Kafka's convertToConsumerGroup, KIP-848.
 */
import { ErrorCode } from '../../protocol/errors.ts'
import type { CoordinatorRecord, Turn } from '../runtime.ts'
import { type ClassicGroup, CONSUMER_PROTOCOL_TYPE, timerKey } from './classic.ts'
import {
  answerJoin,
  answerSync,
  endSession,
  joinFailure,
  onClassicLoaded,
  syncFailure,
} from './classic-rebalance.ts'
import { decodeSubscription } from './classic-subscription.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerMember, MemberState, newMember, topicNames } from './consumer-member.ts'
import { NO_PARTITIONS, type TopicPartitions, withEpoch } from './consumer-partitions.ts'
import { decodeAssignment } from './consumer-protocol.ts'
import {
  assignmentRecord,
  epochRecord,
  memberRecord,
  targetEpochRecord,
  targetRecord,
} from './consumer-records.ts'
import { isRefusal, type Refusal, refuse } from './consumer-refusal.ts'
import type { GroupCoordinator } from './coordinator.ts'

/** A member of the classic group, as the consumer group has it. */
interface Taken {
  readonly member: ConsumerMember
  readonly target: TopicPartitions
}

/**
 * Fills `into`, which nobody knows yet, with the members of `classic`. `records` then hold what the
 * log needs for that. Changes nothing else: see `afterUpgrade`.
 */
export function upgrade(
  coordinator: GroupCoordinator,
  classic: ClassicGroup,
  into: ConsumerGroup,
  records: CoordinatorRecord[],
): Refusal | undefined {
  const refusal = upgradeRefusal(coordinator, classic)
  if (refusal) return refusal
  const taken: Taken[] = []
  for (const member of classic.members.values()) {
    const outcome = takeOver(coordinator, classic, member)
    if (isRefusal(outcome)) return outcome
    taken.push(outcome)
  }
  const { groupId, generationId: epoch } = classic
  into.epoch = epoch
  into.targetEpoch = epoch
  records.push(...classic.tombstones())
  for (const { member } of taken) records.push(memberRecord(groupId, member))
  records.push(epochRecord(groupId, epoch, 0))
  for (const { member, target } of taken) {
    records.push(targetRecord(groupId, member.memberId, target))
    into.updateTarget(member.memberId, target)
  }
  records.push(targetEpochRecord(groupId, epoch, 0))
  for (const { member } of taken) {
    records.push(assignmentRecord(groupId, member))
    into.updateMember(member)
  }
  return undefined
}

/** The group is going over: who waits is told to come again, and its timers end. */
export function afterUpgrade(
  coordinator: GroupCoordinator,
  turn: Turn,
  classic: ClassicGroup,
): void {
  const { groupId } = classic
  for (const member of classic.members.values()) {
    const again = ErrorCode.REBALANCE_IN_PROGRESS
    answerJoin(turn, member, joinFailure(again, member.memberId))
    answerSync(turn, member, syncFailure(again))
    endSession(turn, classic, member.memberId)
  }
  for (const memberId of classic.pendingJoins) endSession(turn, classic, memberId)
  turn.cancelTimer(timerKey('join', groupId))
  turn.cancelTimer(timerKey('sync', groupId))
  turn.followedBy((later, errorCode) => {
    if (errorCode === ErrorCode.NONE || coordinator.groups.get(groupId) !== classic) return
    // It was not written: the group is what it was, and its members' sessions go on.
    onClassicLoaded(coordinator, later, classic)
  })
}

function upgradeRefusal(coordinator: GroupCoordinator, classic: ClassicGroup): Refusal | undefined {
  const { config } = coordinator
  const policy = config['group.consumer.migration.policy'].toLowerCase()
  if (policy !== 'bidirectional' && policy !== 'upgrade') {
    return cannot(classic, 'because online upgrade is disabled.')
  }
  if (classic.type !== CONSUMER_PROTOCOL_TYPE || classic.protocolName === null) {
    return cannot(classic, 'because the group does not use the consumer embedded protocol.')
  }
  if (classic.members.size > config['group.consumer.max.size']) {
    return cannot(classic, 'because the group size exceeds the consumer group maximum size.')
  }
  return undefined
}

function cannot({ groupId }: ClassicGroup, why: string): Refusal {
  return refuse(
    ErrorCode.GROUP_ID_NOT_FOUND,
    `Cannot upgrade classic group ${groupId} to consumer group ${why}`,
  )
}

function takeOver(
  coordinator: GroupCoordinator,
  classic: ClassicGroup,
  from: ClassicGroup['members'] extends ReadonlyMap<string, infer M> ? M : never,
): Taken | Refusal {
  const subscription = decodeSubscription(classic.metadataOf(from))
  const target = decodeAssignment(from.assignment, coordinator.parts.image)
  if (target === 'user data') {
    return cannot(
      classic,
      'because an unsupported custom assignor is in use. Please refer to the documentation or' +
        ' switch to a default assignor before re-attempting the upgrade.',
    )
  }
  if (subscription === undefined || target === 'malformed') {
    return cannot(classic, 'because the embedded consumer protocol is malformed.')
  }
  const { generationId } = classic
  const member: ConsumerMember = {
    ...newMember(from.memberId),
    memberEpoch: generationId,
    previousMemberEpoch: generationId,
    state: MemberState.STABLE,
    instanceId: from.groupInstanceId,
    rackId: subscription.rackId,
    rebalanceTimeoutMs: from.rebalanceTimeoutMs,
    clientId: from.clientId,
    clientHost: from.clientHost,
    subscribedTopicNames: topicNames(subscription.topics),
    assigned: withEpoch(target, generationId),
    pendingRevocation: NO_PARTITIONS,
    classic: { sessionTimeoutMs: from.sessionTimeoutMs, supportedProtocols: from.protocols },
  }
  return { member, target }
}

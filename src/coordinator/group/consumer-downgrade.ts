/**
 * A consumer group becomes a classic group when only members that speak the classic protocol are
 * left. Source: Kafka's convertToClassicGroup, KIP-848.
 */
import { assert } from '../../base/assert.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Turn } from '../runtime.ts'
import { ClassicGroup, type ClassicMember, CONSUMER_PROTOCOL_TYPE } from './classic.ts'
import { prepareRebalance, restartSession } from './classic-rebalance.ts'
import { classicGroupRecord, unsettledGroupRecord } from './classic-records.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { listOfTarget } from './consumer-partitions.ts'
import { encodeAssignment } from './consumer-protocol.ts'
import type { GroupCoordinator } from './coordinator.ts'
import { targetFor } from './target.ts'

/** Members go, and a static member may come back under another id and protocol. */
export interface Downgrade {
  readonly group: ConsumerGroup
  readonly leaving: readonly ConsumerMember[]
  /** The member that takes over from one of `leaving`. */
  readonly returning?: ConsumerMember
  /** Whether the others have to come together anew. */
  readonly rebalances: boolean
}

/** Whether only classic members are left, and the group may change for them. */
export function canDowngrade(
  { config }: GroupCoordinator,
  { group, leaving, returning }: Omit<Downgrade, 'rebalances'>,
): boolean {
  const classicLeaving = leaving.filter(({ classic }) => classic !== null).length
  // Without a consumer that goes, the group stays what the policy has left it.
  if (classicLeaving === leaving.length) return false
  const staying = group.members.size - leaving.length
  const left = staying + (returning === undefined ? 0 : 1)
  if (group.classicMembers - classicLeaving !== staying || left === 0) return false
  const policy = config['group.consumer.migration.policy'].toLowerCase()
  if (policy !== 'bidirectional' && policy !== 'downgrade') return false
  return left <= config['group.max.size']
}

/** Puts a classic group in the place of `group`; the log gets both in one batch. */
export function downgrade(coordinator: GroupCoordinator, turn: Turn, parts: Downgrade): void {
  const { group, rebalances } = parts
  const { groupId } = group
  const classic = classicOf(coordinator, turn, parts)
  for (const record of group.tombstones()) turn.persist(record)
  turn.persist(rebalances ? unsettledGroupRecord(classic) : classicGroupRecord(classic))
  coordinator.groups.set(classic)
  turn.followedBy((_, errorCode) => {
    if (errorCode === ErrorCode.NONE || coordinator.groups.get(groupId) !== classic) return
    coordinator.groups.set(group)
  })
  for (const member of classic.members.values()) restartSession(coordinator, turn, classic, member)
  if (rebalances) prepareRebalance(coordinator, turn, classic)
}

function classicOf(
  coordinator: GroupCoordinator,
  turn: Turn,
  { group, leaving, returning }: Downgrade,
): ClassicGroup {
  const gone = new Set(leaving.map(({ memberId }) => memberId))
  const members = [...group.members.values()].filter(({ memberId }) => !gone.has(memberId))
  const taken = members.map((member) => classicMember(coordinator, group, member, member.memberId))
  if (returning !== undefined) {
    const from = group.staticMember(returning.instanceId)?.memberId ?? returning.memberId
    taken.push(classicMember(coordinator, group, returning, from))
  }
  const classic = new ClassicGroup(group.groupId, turn.nowMs)
  classic.restore({
    state: 'Stable',
    protocolType: CONSUMER_PROTOCOL_TYPE,
    generationId: group.epoch,
    protocolName: null,
    leaderId: taken[0]?.memberId ?? null,
    stateSinceMs: turn.nowMs,
    members: taken,
  })
  classic.protocolName = classic.selectProtocol()
  classic.topics = classic.computeTopics()
  return classic
}

/** `targetId`: whose target the member has. */
function classicMember(
  coordinator: GroupCoordinator,
  group: ConsumerGroup,
  member: ConsumerMember,
  targetId: string,
): ClassicMember {
  const { classic } = member
  assert(classic !== null, 'only classic members become members of a classic group')
  const target = listOfTarget(targetFor(group.targets, targetId))
  const subscription = classic.supportedProtocols[0]?.metadata
  return {
    memberId: member.memberId,
    groupInstanceId: member.instanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    sessionTimeoutMs: classic.sessionTimeoutMs,
    protocols: classic.supportedProtocols,
    assignment: encodeAssignment(target, subscription, coordinator.parts.image),
    isNew: false,
    awaitingJoin: undefined,
    awaitingSync: undefined,
  }
}

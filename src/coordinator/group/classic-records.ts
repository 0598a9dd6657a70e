/** A classic group as a record, and back. Source: Kafka's newGroupMetadataRecord. */
import {
  GroupMetadata,
  type GroupMetadataKey,
  type GroupMetadataValue,
} from '../../protocol/records/group-metadata.ts'
import type { CoordinatorRecord } from '../runtime.ts'
import { ClassicGroup, type ClassicMember } from './classic.ts'
import type { Replay } from './coordinator.ts'
import { groupRecord } from './records.ts'

/** The group as it is, with these assignments by member id instead of its own where given. */
export function classicGroupRecord(
  group: ClassicGroup,
  assignments?: ReadonlyMap<string, Buffer>,
): CoordinatorRecord {
  return groupRecord(group.groupId, recordedGroup(group, assignments))
}

/**
 * The same of a group whose members have to come together anew: without a leader, by which a start
 * knows it. Ours: a Kafka that ends before they have takes the group for stable, and what the
 * members had that are gone is read by nobody.
 */
export function unsettledGroupRecord(group: ClassicGroup): CoordinatorRecord {
  return groupRecord(group.groupId, { ...recordedGroup(group), leader: null })
}

function recordedGroup(
  group: ClassicGroup,
  assignments?: ReadonlyMap<string, Buffer>,
): GroupMetadataValue {
  return {
    protocolType: group.protocolType(),
    generation: group.generationId,
    protocol: group.protocolName,
    leader: group.leaderId,
    currentStateTimestamp: group.stateSinceMs,
    members: [...group.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeout: member.rebalanceTimeoutMs,
      sessionTimeout: member.sessionTimeoutMs,
      subscription: group.metadataOf(member),
      assignment: assignments?.get(member.memberId) ?? member.assignment,
    })),
  }
}

/** Brings a group back as it was recorded, or deletes it. */
export const replayGroupMetadata: Replay = ({ groups }, record, origin) => {
  const { group: groupId } = record.key as GroupMetadataKey
  const value = record.value as GroupMetadataValue | null
  if (value === null) {
    if (groups.get(groupId)?.kind === 'classic') groups.delete(groupId)
    return
  }
  const sinceMs = value.currentStateTimestamp
  const group = new ClassicGroup(groupId, sinceMs < 0 ? origin.nowMs : sinceMs)
  group.restore({
    state: value.members.length === 0 ? 'Empty' : 'Stable',
    protocolType: value.protocolType === '' ? null : value.protocolType,
    generationId: value.generation,
    protocolName: value.protocol,
    leaderId: value.leader,
    stateSinceMs: group.stateSinceMs,
    members: value.members.map((member) => memberOf(member, value.protocol)),
  })
  groups.set(group)
}

/** The type under which `replayGroupMetadata` is registered. */
export const groupMetadataType = GroupMetadata.type

function memberOf(
  recorded: GroupMetadataValue['members'][number],
  protocol: string | null,
): ClassicMember {
  const { sessionTimeout, rebalanceTimeout } = recorded
  return {
    memberId: recorded.memberId,
    groupInstanceId: recorded.groupInstanceId,
    clientId: recorded.clientId,
    clientHost: recorded.clientHost,
    // v0 has no rebalance timeout; the session's stood for both.
    rebalanceTimeoutMs: rebalanceTimeout < 0 ? sessionTimeout : rebalanceTimeout,
    sessionTimeoutMs: sessionTimeout,
    protocols: [{ name: protocol ?? '', metadata: Buffer.from(recorded.subscription) }],
    assignment: Buffer.from(recorded.assignment),
    isNew: false,
    awaitingJoin: undefined,
    awaitingSync: undefined,
  }
}

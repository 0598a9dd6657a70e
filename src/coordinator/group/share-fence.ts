/** How members leave a share group: because they want to, or because they are silent. KIP-932. */
import type { Turn } from '../runtime.ts'
import { timerKey } from './classic.ts'
import { topicsHash } from './consumer-topics.ts'
import type { GroupCoordinator } from './coordinator.ts'
import { type ShareGroup, type ShareMember, shareGroup } from './share-group.ts'
import { shareEpochRecord, shareMemberTombstones } from './share-records.ts'

/** Takes a member out of its group, whose epoch rises by one. What it has locked stays locked. */
export function removeShareMember(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ShareGroup,
  memberId: string,
): void {
  const { groupId } = group
  const names = namesWith(group, memberId, undefined)
  for (const record of shareMemberTombstones(groupId, memberId)) turn.change(record)
  const hash = topicsHash(names, coordinator.parts.image)
  turn.change(shareEpochRecord(groupId, group.epoch + 1, hash))
  turn.cancelTimer(sessionKey(groupId, memberId))
}

/** The session of a member begins anew. */
export function startShareSession(
  coordinator: GroupCoordinator,
  turn: Turn,
  groupId: string,
  memberId: string,
): void {
  const delayMs = coordinator.parts.groupConfig(groupId)['share.session.timeout.ms']
  turn.setTimer(sessionKey(groupId, memberId), delayMs, (later) => {
    const group = shareGroup(coordinator.groups, groupId)
    if (group?.members.has(memberId)) removeShareMember(coordinator, later, group, memberId)
  })
}

/** After a load everybody has all the time again. */
export function startShareTimers(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ShareGroup,
): void {
  for (const memberId of group.members.keys()) {
    startShareSession(coordinator, turn, group.groupId, memberId)
  }
}

/** Names of all topics that members read when `next` is in the place of the one with this id. */
export function namesWith(
  group: ShareGroup,
  memberId: string,
  next: ShareMember | undefined,
): Set<string> {
  const names = new Set(next?.subscribedTopicNames)
  for (const member of group.members.values()) {
    if (member.memberId === memberId) continue
    for (const name of member.subscribedTopicNames) names.add(name)
  }
  return names
}

function sessionKey(groupId: string, memberId: string): string {
  return timerKey('share-session', groupId, memberId)
}

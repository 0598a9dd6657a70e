/**
 * How members leave a streams group: because they want to, because they are silent, or because they
 * do not give tasks up in time. KIP-1071.
 */
import type { Turn } from '../runtime.ts'
import { timerKey } from './classic.ts'
import type { GroupCoordinator } from './coordinator.ts'
import { type StreamsGroup, streamsGroup } from './streams-group.ts'
import { type StreamsMember, StreamsMemberState } from './streams-member.ts'
import { streamsEpochRecord, streamsMemberTombstones } from './streams-records.ts'

/** Takes a member out of its group, whose epoch rises by one. */
export function removeStreamsMember(turn: Turn, group: StreamsGroup, memberId: string): void {
  const { groupId } = group
  for (const record of streamsMemberTombstones(groupId, memberId)) turn.change(record)
  turn.change(streamsEpochRecord(groupId, { ...group, epoch: group.epoch + 1 }))
  turn.cancelTimer(keyOf('session', groupId, memberId))
  turn.cancelTimer(keyOf('rebalance', groupId, memberId))
}

/** The session of a member begins anew. */
export function startStreamsSession(
  coordinator: GroupCoordinator,
  turn: Turn,
  groupId: string,
  memberId: string,
): void {
  const delayMs = coordinator.parts.groupConfig(groupId)['streams.session.timeout.ms']
  const key = keyOf('session', groupId, memberId)
  if (turn.restartTimer(turn.timer(key), delayMs)) return
  turn.setTimer(key, delayMs, (later) => {
    const group = streamsGroup(coordinator.groups, groupId)
    if (group?.members.has(memberId)) removeStreamsMember(later, group, memberId)
  })
}

/** A member that has tasks to give up must confirm that in time; one that has none need not. */
export function followRebalance(
  coordinator: GroupCoordinator,
  turn: Turn,
  groupId: string,
  { memberId, memberEpoch, state, rebalanceTimeoutMs }: StreamsMember,
): void {
  const key = keyOf('rebalance', groupId, memberId)
  if (state !== StreamsMemberState.UNREVOKED_TASKS) {
    turn.cancelTimer(key)
    return
  }
  turn.setTimer(key, rebalanceTimeoutMs, (later) => {
    const group = streamsGroup(coordinator.groups, groupId)
    const member = group?.members.get(memberId)
    if (group === undefined || member?.memberEpoch !== memberEpoch) return
    removeStreamsMember(later, group, memberId)
  })
}

/** After a load everybody has all the time again. */
export function startStreamsTimers(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: StreamsGroup,
): void {
  for (const member of group.members.values()) {
    startStreamsSession(coordinator, turn, group.groupId, member.memberId)
    if (member.state === StreamsMemberState.UNREVOKED_TASKS) {
      followRebalance(coordinator, turn, group.groupId, member)
    }
  }
}

function keyOf(kind: 'session' | 'rebalance', groupId: string, memberId: string): string {
  return timerKey(`streams-${kind}`, groupId, memberId)
}

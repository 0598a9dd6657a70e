/**
 * How members leave a consumer group: because they want to, because they are silent, or because
 * they do not give partitions up in time. KIP-848.
 */
import type { CoordinatorRecord, Turn } from '../runtime.ts'
import { timerKey } from './classic.ts'
import { canDowngrade, downgrade } from './consumer-downgrade.ts'
import { type ConsumerGroup, consumerGroup } from './consumer-group.ts'
import { type ConsumerMember, MemberState } from './consumer-member.ts'
import { epochRecord, memberTombstones } from './consumer-records.ts'
import { isRefusal } from './consumer-refusal.ts'
import { type MemberChange, namesAfter, updateRegexes } from './consumer-subscription.ts'
import { topicsHash } from './consumer-topics.ts'
import type { GroupCoordinator } from './coordinator.ts'

/** A member of a group. */
export interface MemberPlace {
  readonly groupId: string
  readonly memberId: string
}

/** Each is the time that a member has for something. */
const TIMERS = ['session', 'rebalance', 'join', 'sync'] as const

/**
 * Takes members out of their group, whose epoch rises by one; it becomes a classic group if nobody
 * is left who speaks the consumer protocol.
 */
export function removeMembers(
  coordinator: GroupCoordinator,
  turn: Turn,
  group: ConsumerGroup,
  leaving: readonly ConsumerMember[],
): void {
  if (leaving.length === 0) return
  const { groupId } = group
  if (canDowngrade(coordinator, { group, leaving })) {
    for (const { memberId } of group.members.values()) cancelTimers(turn, { groupId, memberId })
    downgrade(coordinator, turn, { group, leaving, rebalances: true })
    return
  }
  const records: CoordinatorRecord[] = []
  for (const { memberId } of leaving) records.push(...memberTombstones(groupId, memberId))
  const topics = coordinator.parts.image
  const regexEngine = () => coordinator.parts.regexEngine()
  const { nowMs } = turn
  const change: MemberChange = { group, topics, regexEngine, nowMs, leaving, records }
  const outcome = updateRegexes(change)
  const regexes = isRefusal(outcome) ? group.regexes : outcome.regexes
  const hash = topicsHash(namesAfter(change, regexes), topics)
  records.push(epochRecord(groupId, group.epoch + 1, hash))
  for (const record of records) turn.change(record)
  for (const { memberId } of leaving) cancelTimers(turn, { groupId, memberId })
}

/** Removes a member whose time is over; one that is gone already is none of our business. */
function expire(coordinator: GroupCoordinator, turn: Turn, place: MemberPlace): void {
  const group = consumerGroup(coordinator.groups, place.groupId)
  const member = group?.members.get(place.memberId)
  if (group !== undefined && member !== undefined) removeMembers(coordinator, turn, group, [member])
}

/** The session of a member begins anew. What its end does follows from the ids: one timer stays. */
// hot
export function startSession(
  coordinator: GroupCoordinator,
  turn: Turn,
  groupId: string,
  { memberId, classic }: ConsumerMember,
): void {
  const delayMs =
    classic?.sessionTimeoutMs ??
    coordinator.parts.groupConfig(groupId)['consumer.session.timeout.ms']
  const place = { groupId, memberId }
  const key = keyOf('session', place)
  if (turn.restartTimer(turn.timer(key), delayMs)) return
  turn.setTimer(key, delayMs, (later) => expire(coordinator, later, place))
}

/** A member that has partitions to give up must confirm that in time. */
export function startRebalance(
  coordinator: GroupCoordinator,
  turn: Turn,
  groupId: string,
  { memberId, memberEpoch, rebalanceTimeoutMs }: ConsumerMember,
): void {
  const place = { groupId, memberId }
  turn.setTimer(keyOf('rebalance', place), rebalanceTimeoutMs, (later) => {
    const current = consumerGroup(coordinator.groups, groupId)?.members.get(memberId)
    if (current?.memberEpoch === memberEpoch) expire(coordinator, later, place)
  })
}

/** The member has given up what it had to. */
export function endRebalance(turn: Turn, place: MemberPlace): void {
  turn.cancelTimer(keyOf('rebalance', place))
}

/** A classic member has this long to send its JoinGroup or SyncGroup. */
export function startClassicStep(
  coordinator: GroupCoordinator,
  turn: Turn,
  step: MemberPlace & { kind: 'join' | 'sync'; delayMs: number },
): void {
  const { kind, delayMs, ...place } = step
  turn.setTimer(keyOf(kind, place), delayMs, (later) => expire(coordinator, later, place))
}

/** Whether the time for this step runs already. */
export function hasClassicStep(turn: Turn, kind: 'join' | 'sync', place: MemberPlace): boolean {
  return turn.timer(keyOf(kind, place)) !== undefined
}

/** The classic member did what it had to. */
export function endClassicStep(turn: Turn, kind: 'join' | 'sync', place: MemberPlace): void {
  turn.cancelTimer(keyOf(kind, place))
}

/** The member is gone, or is no member of a consumer group any more. */
export function cancelTimers(turn: Turn, place: MemberPlace): void {
  for (const kind of TIMERS) turn.cancelTimer(keyOf(kind, place))
}

/** After a load everybody has all the time again. */
export function startTimers(coordinator: GroupCoordinator, turn: Turn, group: ConsumerGroup): void {
  for (const member of group.members.values()) {
    startSession(coordinator, turn, group.groupId, member)
    if (member.state === MemberState.UNREVOKED_PARTITIONS && member.classic === null) {
      startRebalance(coordinator, turn, group.groupId, member)
    }
  }
}

function keyOf(kind: (typeof TIMERS)[number], { groupId, memberId }: MemberPlace): string {
  return timerKey(`consumer-${kind}`, groupId, memberId)
}

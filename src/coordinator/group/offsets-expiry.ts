/** Offsets and groups that go away by themselves. Source: Kafka's cleanupExpiredOffsets. */
import { ErrorCode } from '../../protocol/errors.ts'
import type { Turn } from '../runtime.ts'
import type { GroupCoordinator } from './coordinator.ts'
import type { CommittedOffset } from './offsets.ts'
import { offsetTombstone } from './records.ts'
import type { Group } from './registry.ts'

const MS_PER_MINUTE = 60_000

/** A turn with this many records ends and another one goes on: a batch has to fit. */
const RECORDS_PER_TURN = 1000

/** Looks now and then, from the time on at which the partition was loaded. */
export function scheduleExpiry(coordinator: GroupCoordinator, turn: Turn): void {
  const intervalMs = coordinator.config['offsets.retention.check.interval.ms']
  turn.setTimer(`expiry:${turn.partition}`, intervalMs, (later) => {
    expireOffsets(coordinator, later)
    scheduleExpiry(coordinator, later)
  })
}

/** Deletes what is expired in the partition of the turn, and groups that hold nothing any more. */
export function expireOffsets(coordinator: GroupCoordinator, turn: Turn): void {
  for (const group of coordinator.groups.all()) {
    if (coordinator.partitionOf(group.groupId) === turn.partition)
      expireOf(coordinator, turn, group)
  }
}

/** Offsets of a deleted topic go with it; `turn` is of one partition. */
export function forgetTopic(coordinator: GroupCoordinator, turn: Turn, topic: string): void {
  for (const group of coordinator.offsets.groupIds()) {
    if (coordinator.partitionOf(group) !== turn.partition) continue
    for (const partition of coordinator.offsets.ofGroup(group)?.get(topic)?.keys() ?? []) {
      turn.change(offsetTombstone({ group, topic, partition }))
    }
    if (turn.records.length < RECORDS_PER_TURN) continue
    turn.followedBy((later, errorCode) => {
      if (errorCode === ErrorCode.NONE) forgetTopic(coordinator, later, topic)
    })
    return
  }
}

function expireOf(coordinator: GroupCoordinator, turn: Turn, group: Group): void {
  // Share groups keep no offsets here, and stay until somebody deletes them.
  if (group.kind === 'share') return
  const { offsets } = coordinator
  const { groupId } = group
  const retentionMs = coordinator.config['offsets.retention.minutes'] * MS_PER_MINUTE
  let left = 0
  for (const [topic, partitions] of offsets.ofGroup(groupId) ?? []) {
    const read = group.isSubscribedTo(topic)
    for (const [partition, committed] of partitions) {
      const key = { group: groupId, topic, partition }
      const due = !read && isExpired(group, committed, turn.nowMs, retentionMs)
      if (due && !offsets.hasPending(key)) turn.change(offsetTombstone(key))
      else left++
    }
  }
  if (left > 0 || !group.isEmpty() || offsets.groupHasPending(groupId)) return
  for (const record of group.tombstones()) turn.change(record)
}

function isExpired(
  group: Group,
  { commitTimestampMs, expireTimestampMs }: CommittedOffset,
  nowMs: number,
  retentionMs: number,
): boolean {
  const expiry = group.offsetExpiry()
  if (expiry.from === 'never') return false
  if (expireTimestampMs >= 0) return nowMs >= expireTimestampMs
  const sinceMs = expiry.from === 'state' ? expiry.sinceMs : commitTimestampMs
  return nowMs - sinceMs >= retentionMs
}

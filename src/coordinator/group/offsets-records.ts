/** Committed offsets as the log brings them back. */
import { ZERO_UUID } from '../../base/uuid.ts'
import type { LegacyOffsetCommitValue } from '../../protocol/records/legacy-offset-commit.ts'
import type { OffsetCommitKey, OffsetCommitValue } from '../../protocol/records/offset-commit.ts'
import type { ReplayOrigin } from '../runtime.ts'
import { ClassicGroup } from './classic.ts'
import type { GroupCoordinator, Replay } from './coordinator.ts'
import type { CommittedOffset } from './offsets.ts'

/** Takes over or deletes one offset; within a transaction it waits for the end of that. */
export const replayOffsetCommit: Replay = (coordinator, record, origin) => {
  const key = record.key as OffsetCommitKey
  const value = record.value as OffsetCommitValue | null
  if (value === null) {
    coordinator.offsets.delete(key)
    return
  }
  const { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp, topicId } = value
  take(coordinator, origin, key, {
    offset,
    leaderEpoch,
    metadata,
    commitTimestampMs: commitTimestamp,
    expireTimestampMs: expireTimestamp,
    topicId,
  })
}

/** As Kafka 0.9 wrote them. */
export const replayLegacyOffsetCommit: Replay = (coordinator, record, origin) => {
  const key = record.key as OffsetCommitKey
  const value = record.value as LegacyOffsetCommitValue | null
  if (value === null) {
    coordinator.offsets.delete(key)
    return
  }
  take(coordinator, origin, key, {
    offset: value.offset,
    leaderEpoch: -1,
    metadata: value.metadata,
    commitTimestampMs: value.commitTimestamp,
    expireTimestampMs: -1,
    topicId: ZERO_UUID,
  })
}

function take(
  { groups, offsets }: GroupCoordinator,
  origin: ReplayOrigin,
  key: OffsetCommitKey,
  committed: CommittedOffset,
): void {
  // Who commits without being a member makes a group that only holds offsets.
  if (groups.get(key.group) === undefined) groups.set(new ClassicGroup(key.group, origin.nowMs))
  if (origin.producerId < 0) offsets.set(key, committed)
  else offsets.setPending(origin, key, committed)
}

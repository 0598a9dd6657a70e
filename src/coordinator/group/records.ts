/** The records of classic groups and of offsets, as Kafka 4.3 writes them. */
import { ZERO_UUID } from '../../base/uuid.ts'
import { GroupMetadata, type GroupMetadataValue } from '../../protocol/records/group-metadata.ts'
import { OffsetCommit } from '../../protocol/records/offset-commit.ts'
import { type CoordinatorRecord, recordOf } from '../runtime.ts'
import type { CommittedOffset, OffsetKey } from './offsets.ts'

const GROUP_METADATA_VERSION = 3
const OFFSET_COMMIT_VERSION = 4
/** The one version that can say when an offset expires. */
const OFFSET_COMMIT_EXPIRING_VERSION = 1

export function groupRecord(group: string, value: GroupMetadataValue): CoordinatorRecord {
  return recordOf(GroupMetadata, { group }, value, GROUP_METADATA_VERSION)
}

export function groupTombstone(group: string): CoordinatorRecord {
  return recordOf(GroupMetadata, { group }, null)
}

export function offsetRecord(key: OffsetKey, committed: CommittedOffset): CoordinatorRecord {
  const { offset, leaderEpoch, metadata, commitTimestampMs, expireTimestampMs, topicId } = committed
  const expires = expireTimestampMs >= 0
  return recordOf(
    OffsetCommit,
    key,
    {
      offset,
      leaderEpoch,
      metadata,
      commitTimestamp: commitTimestampMs,
      expireTimestamp: expireTimestampMs,
      topicId: expires ? ZERO_UUID : topicId,
    },
    expires ? OFFSET_COMMIT_EXPIRING_VERSION : OFFSET_COMMIT_VERSION,
  )
}

export function offsetTombstone(key: OffsetKey): CoordinatorRecord {
  return recordOf(OffsetCommit, key, null)
}

/** How each type of record of `__consumer_offsets` changes the state. */
import { LegacyOffsetCommit } from '../../protocol/records/legacy-offset-commit.ts'
import { OffsetCommit } from '../../protocol/records/offset-commit.ts'
import { groupMetadataType, replayGroupMetadata } from './classic-records.ts'
import { consumerReplays } from './consumer-replay.ts'
import type { Replay } from './coordinator.ts'
import { replayLegacyOffsetCommit, replayOffsetCommit } from './offsets-records.ts'
import { shareReplays } from './share-replay.ts'
import { streamsReplays } from './streams-replay.ts'

/** By the type with which the key of a record begins. */
export const groupReplays: ReadonlyMap<number, Replay> = new Map([
  [LegacyOffsetCommit.type, replayLegacyOffsetCommit],
  [OffsetCommit.type, replayOffsetCommit],
  [groupMetadataType, replayGroupMetadata],
  ...consumerReplays,
  ...shareReplays,
  ...streamsReplays,
])

/**
 * The internal topics of a streams group are created by the broker: asked for when a heartbeat
 * finds them missing, and there at a later one. What went wrong is told for two heartbeats.
 * KIP-1071.
 */
import type { NewTopic } from '../../cluster/commands.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Turn } from '../runtime.ts'
import type { GroupCoordinator } from './coordinator.ts'
import { type StreamsGroup, streamsGroup } from './streams-group.ts'

/** Asks for the topics once the group is logged, unless that is under way. */
export function createMissingTopics(
  coordinator: GroupCoordinator,
  turn: Turn,
  groupId: string,
  missing: readonly NewTopic[],
): void {
  if (missing.length === 0) return
  const { parts, groups } = coordinator
  const intervalMs = parts.groupConfig(groupId)['streams.heartbeat.interval.ms']
  turn.onEnd((errorCode) => {
    const group = streamsGroup(groups, groupId)
    if (errorCode !== ErrorCode.NONE || group === undefined || group.creation.underWay) return
    group.creation = { ...group.creation, underWay: true }
    parts.createTopics(missing, (failures) => {
      const toldUntilMs = turn.nowMs + 2 * intervalMs
      group.creation = { underWay: false, failures, toldUntilMs }
    })
  })
}

/** What a status says of missing topics, with what went wrong lately. */
export function missingDetail(
  { creation }: StreamsGroup,
  detail: string,
  missing: readonly NewTopic[],
  nowMs: number,
): string {
  if (nowMs >= creation.toldUntilMs) return detail
  const told = missing.flatMap(({ name }) => {
    const failure = creation.failures.get(name)
    return failure === undefined ? [] : [`${name} (${failure})`]
  })
  return told.length === 0 ? detail : `${detail}; Creation failed: ${told.join(', ')}.`
}

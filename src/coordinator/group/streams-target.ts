/** The target assignment of a streams group, and when it may be made. KIP-1071. */
import { assert } from '../../base/assert.ts'
import type { CoordinatorRecord, Turn } from '../runtime.ts'
import { assignSticky } from './assign-sticky.ts'
import { timerKey } from './classic.ts'
import type { GroupCoordinator } from './coordinator.ts'
import { type StreamsGroup, streamsGroup } from './streams-group.ts'
import type { StreamsMember } from './streams-member.ts'
import { StreamsStatus } from './streams-partitions.ts'
import { streamsTargetEpochRecord, streamsTargetRecord } from './streams-records.ts'
import { NO_TASKS, sameTasks, type Tasks } from './streams-tasks.ts'
import type { ConfiguredTopology } from './streams-topics.ts'
import { mayComputeTarget } from './target.ts'

/** A status of a heartbeat's answer. */
export interface Status {
  readonly statusCode: number
  readonly statusDetail: string
}

/** What a member is to have in which epoch. */
export interface StreamsTarget {
  readonly epoch: number
  readonly tasks: Tasks
}

/** What a target is made of. */
export interface StreamsTargetInput {
  readonly coordinator: GroupCoordinator
  readonly turn: Turn
  readonly group: StreamsGroup
  /** The epoch that the group has, or is about to have. */
  readonly epoch: number
  readonly configured: ConfiguredTopology
  readonly standbyReplicas: number
  readonly records: CoordinatorRecord[]
}

/** The target of `next`, a new one where it is time; adds to `statuses` when it has to wait. */
export function targetOfMember(
  input: StreamsTargetInput,
  next: StreamsMember,
  statuses: Status[],
): StreamsTarget {
  const { coordinator, turn, group, epoch } = input
  const { groupId, targetEpoch } = group
  if (turn.timer(delayKey(groupId)) !== undefined) {
    statuses.push(delayed('initial rebalance delay'))
    return { epoch: targetEpoch, tasks: NO_TASKS }
  }
  const present = { epoch: targetEpoch, tasks: group.targets.get(next.memberId) ?? NO_TASKS }
  if (targetEpoch >= epoch) return present
  const config = coordinator.parts.groupConfig(groupId)
  const mayCompute = mayComputeTarget({
    lastMs: group.targetTimestampMs,
    intervalMs: config['streams.assignment.interval.ms'],
    nowMs: turn.nowMs,
  })
  if (!mayCompute) {
    statuses.push(delayed('assignment interval'))
    return present
  }
  const targets = makeTarget(input, new Map(group.members).set(next.memberId, next))
  return { epoch, tasks: targets.get(next.memberId) ?? NO_TASKS }
}

/** The first member of a group starts the time in which others may come. */
export function delayFirstTarget(
  coordinator: GroupCoordinator,
  turn: Turn,
  { groupId }: StreamsGroup,
): void {
  const config = coordinator.parts.groupConfig(groupId)
  const delayMs = config['streams.initial.rebalance.delay.ms']
  const key = delayKey(groupId)
  if (delayMs <= 0 || turn.timer(key) !== undefined) return
  turn.setTimer(key, delayMs, (later) => makeDelayedTarget(coordinator, later, groupId))
}

/** The group is gone, or about to be. */
export function endDelay(turn: Turn, groupId: string): void {
  turn.cancelTimer(delayKey(groupId))
}

function makeDelayedTarget(coordinator: GroupCoordinator, turn: Turn, groupId: string): void {
  const group = streamsGroup(coordinator.groups, groupId)
  const configured = group?.configured
  // Without it the next heartbeat looks at the topics, and makes the target as well.
  if (group === undefined || configured === undefined) return
  if (group.isEmpty() || group.epoch <= group.targetEpoch) return
  const { epoch, standbyReplicas = 0 } = group
  const records: CoordinatorRecord[] = []
  const input = { coordinator, turn, group, epoch, configured, standbyReplicas, records }
  makeTarget(input, group.members)
  for (const record of records) turn.change(record)
}

function makeTarget(
  { turn, group, epoch, configured, standbyReplicas, records }: StreamsTargetInput,
  members: ReadonlyMap<string, StreamsMember>,
): ReadonlyMap<string, Tasks> {
  const assignees = [...members.values()].map(({ memberId, processId }) => {
    return { memberId, processId, tasks: group.targets.get(memberId) ?? NO_TASKS }
  })
  const ready = configured.fault === undefined
  const subtopologies = ready ? [...configured.subtopologies.values()] : []
  const targets = assignSticky(
    assignees,
    subtopologies.map(({ subtopology, tasks }) => ({
      subtopologyId: subtopology.subtopologyId,
      tasks,
      isStateful: subtopology.stateChangelogTopics.length > 0,
    })),
    standbyReplicas,
  )
  for (const [memberId, tasks] of targets) {
    const known = group.targets.get(memberId)
    if (known !== undefined && sameTasks(known, tasks)) continue
    records.push(streamsTargetRecord(group.groupId, memberId, tasks))
  }
  assert(targets.size === members.size, 'every member has a target')
  records.push(streamsTargetEpochRecord(group.groupId, epoch, turn.nowMs))
  return targets
}

function delayed(by: string): Status {
  const statusDetail = `Assignment delayed due to the configured ${by}.`
  return { statusCode: StreamsStatus.ASSIGNMENT_DELAYED, statusDetail }
}

function delayKey(groupId: string): string {
  return timerKey('streams-delay', groupId, '')
}

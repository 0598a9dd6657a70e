/**
 * The tasks of a streams group: a partition of a subtopology is a task. Active ones process,
 * standby ones keep a copy of the state, warm-up ones catch up before they become active. KIP-1071.
 */
import {
  ascending,
  NO_PARTITIONS,
  NO_TARGET,
  type PartitionEpochs,
  sameEpochs,
  sameTarget,
  type TopicPartitions,
} from './consumer-partitions.ts'

/** Partitions of tasks, ascending, by subtopology. No subtopology without partitions. */
export type TaskSet = TopicPartitions

/** What the target gives to a member, and what a member says that it has. */
export interface Tasks {
  readonly active: TaskSet
  readonly standby: TaskSet
  readonly warmup: TaskSet
}

/** What a member has: of active tasks also the epoch in which it got them. KIP-1251. */
export interface AssignedTasks {
  readonly active: PartitionEpochs
  readonly standby: TaskSet
  readonly warmup: TaskSet
}

/** As requests, responses and records list tasks. */
export type TaskList = readonly {
  readonly subtopologyId: string
  readonly partitions: readonly number[]
}[]

/** No tasks. */
export const NO_TASKS: Tasks = { active: NO_TARGET, standby: NO_TARGET, warmup: NO_TARGET }

/** No tasks; shared, because most members have nothing to give up. */
export const NOTHING_ASSIGNED: AssignedTasks = {
  active: NO_PARTITIONS,
  standby: NO_TARGET,
  warmup: NO_TARGET,
}

/** Whether both name the same tasks in the same roles. */
export function sameTasks(a: Tasks, b: Tasks): boolean {
  return (
    sameTarget(a.active, b.active) &&
    sameTarget(a.standby, b.standby) &&
    sameTarget(a.warmup, b.warmup)
  )
}

/** Whether both name the same tasks in the same roles with the same epochs. */
export function sameAssigned(a: AssignedTasks, b: AssignedTasks): boolean {
  return (
    sameEpochs(a.active, b.active) &&
    sameTarget(a.standby, b.standby) &&
    sameTarget(a.warmup, b.warmup)
  )
}

/** Whether there is no task in any role. */
export function isEmpty({ active, standby, warmup }: Tasks | AssignedTasks): boolean {
  return active.size === 0 && standby.size === 0 && warmup.size === 0
}

/** Whether a member has the tasks that it was given, no more and no fewer. */
export function isWhatIsAssigned(owned: Tasks, assigned: AssignedTasks): boolean {
  return (
    sameTarget(owned.active, taskSet(activeList(assigned.active))) &&
    sameTarget(owned.standby, assigned.standby) &&
    sameTarget(owned.warmup, assigned.warmup)
  )
}

/** Whether `owned` names a task that `tasks` has in the same role. */
export function touches(owned: Tasks, tasks: AssignedTasks): boolean {
  return (
    shares(owned.active, (id, one) => tasks.active.get(id)?.has(one) ?? false) ||
    shares(owned.standby, (id, one) => hasTask(tasks.standby, id, one)) ||
    shares(owned.warmup, (id, one) => hasTask(tasks.warmup, id, one))
  )
}

function shares(set: TaskSet, has: (subtopologyId: string, partition: number) => boolean) {
  for (const [subtopologyId, partitions] of set) {
    if (partitions.some((one) => has(subtopologyId, one))) return true
  }
  return false
}

/** Whether the task is among these. */
export function hasTask(set: TaskSet, subtopologyId: string, partition: number): boolean {
  return set.get(subtopologyId)?.includes(partition) ?? false
}

/** The form in which groups keep tasks; repeated ones count once. In the order of subtopologies. */
export function taskSet(list: TaskList): TaskSet {
  const bySubtopology = new Map<string, Set<number>>()
  for (const { subtopologyId, partitions } of list) {
    const known = bySubtopology.get(subtopologyId)
    if (known === undefined) bySubtopology.set(subtopologyId, new Set(partitions))
    else for (const partition of partitions) known.add(partition)
  }
  return sorted(
    [...bySubtopology].flatMap(([subtopologyId, partitions]): [string, readonly number[]][] =>
      partitions.size === 0 ? [] : [[subtopologyId, ascending(partitions)]],
    ),
  )
}

/** A map in the order of its subtopologies. */
export function sorted<T>(entries: Iterable<readonly [string, T]>): ReadonlyMap<string, T> {
  return new Map([...entries].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Tasks as they are listed. */
export function taskList(set: TaskSet): { subtopologyId: string; partitions: readonly number[] }[] {
  return [...set].map(([subtopologyId, partitions]) => ({ subtopologyId, partitions }))
}

/** Active tasks as they are listed, without epochs. */
export function activeList(
  epochs: PartitionEpochs,
): { subtopologyId: string; partitions: readonly number[] }[] {
  return [...epochs].map(([subtopologyId, byPartition]) => ({
    subtopologyId,
    partitions: ascending(byPartition.keys()),
  }))
}

/** What a member says that it has; undefined: it does not say. */
export function ownedTasks(request: {
  readonly activeTasks: TaskList | null
  readonly standbyTasks: TaskList | null
  readonly warmupTasks: TaskList | null
}): Tasks | undefined {
  const { activeTasks, standbyTasks, warmupTasks } = request
  if (activeTasks === null || standbyTasks === null || warmupTasks === null) return undefined
  return {
    active: taskSet(activeTasks),
    standby: taskSet(standbyTasks),
    warmup: taskSet(warmupTasks),
  }
}

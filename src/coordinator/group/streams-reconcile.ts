/**
 * One step of a member of a streams group from the tasks it has towards its target. It first gives
 * up what it is not to have, then its epoch moves to that of the target, then it gets what is free:
 * an active task when nobody has it any more, and any task when its own process does not have it in
 * another role. Source: Kafka's CurrentAssignmentBuilder of streams groups, KIP-1071.
 */
import type { PartitionEpochs } from './consumer-partitions.ts'
import { type StreamsMember, StreamsMemberState } from './streams-member.ts'
import {
  type AssignedTasks,
  hasTask,
  isEmpty,
  NOTHING_ASSIGNED,
  sorted,
  type TaskSet,
  type Tasks,
  touches,
} from './streams-tasks.ts'

/** What a step depends on. */
export interface StreamsStep {
  readonly member: StreamsMember
  readonly targetEpoch: number
  readonly target: Tasks
  /** What the member says that it has; undefined: it does not say. */
  readonly owned: Tasks | undefined
  /** All members of the group, this one included, as they are. */
  readonly members: Iterable<StreamsMember>
}

/** The member after the step, the same object where nothing can be done; 'fenced': rejoin. */
export function reconcileStreams(step: StreamsStep): StreamsMember | 'fenced' {
  const { member, owned, targetEpoch } = step
  switch (member.state) {
    case StreamsMemberState.STABLE:
      return member.memberEpoch === targetEpoch ? member : next(step, member.memberEpoch)
    case StreamsMemberState.UNREVOKED_TASKS:
      if (owned === undefined || touches(owned, member.pendingRevocation)) return member
      return next(step, member.memberEpoch + 1)
    case StreamsMemberState.UNRELEASED_TASKS:
      return next(step, member.memberEpoch)
    default:
      // A state that a later release wrote: the member has to start from nothing.
      return owned === undefined || !isEmpty(owned) ? 'fenced' : next(step, targetEpoch)
  }
}

function next(step: StreamsStep, memberEpoch: number): StreamsMember {
  const { member, owned, targetEpoch } = step
  const { kept, revoked, gained, waits } = compare(step)
  const previousMemberEpoch = member.memberEpoch
  if (!isEmpty(revoked) && (owned === undefined || touches(owned, revoked))) {
    return {
      ...member,
      memberEpoch,
      previousMemberEpoch,
      state: StreamsMemberState.UNREVOKED_TASKS,
      assigned: kept,
      pendingRevocation: revoked,
    }
  }
  return {
    ...member,
    memberEpoch: targetEpoch,
    previousMemberEpoch,
    state: waits ? StreamsMemberState.UNRELEASED_TASKS : StreamsMemberState.STABLE,
    assigned: {
      active: withGained(kept.active, gained.active, targetEpoch),
      standby: union(kept.standby, gained.standby),
      warmup: union(kept.warmup, gained.warmup),
    },
    pendingRevocation: NOTHING_ASSIGNED,
  }
}

/** The member's tasks and its target, held against each other. */
function compare(step: StreamsStep): {
  kept: AssignedTasks
  revoked: AssignedTasks
  /** In the target, and free. */
  gained: Tasks
  /** Whether some of the target is not free. */
  waits: boolean
} {
  const { assigned } = step.member
  const owners = ownersOf(step)
  const active = compareActive(assigned.active, step.target.active, owners)
  const standby = compareOthers(assigned.standby, step.target.standby, owners)
  const warmup = compareOthers(assigned.warmup, step.target.warmup, owners)
  return {
    kept: { active: active.kept, standby: standby.kept, warmup: warmup.kept },
    revoked: { active: active.revoked, standby: standby.revoked, warmup: warmup.revoked },
    gained: { active: active.gained, standby: standby.gained, warmup: warmup.gained },
    waits: active.waits || standby.waits || warmup.waits,
  }
}

/** Tasks that are not free, each as `subtopology:partition`. */
interface Owners {
  /** Active at any member. */
  readonly active: ReadonlySet<string>
  /** In any role at a member of the same process. */
  readonly sameProcess: ReadonlySet<string>
}

function ownersOf({ members, member }: StreamsStep): Owners {
  const active = new Set<string>()
  const sameProcess = new Set<string>()
  for (const other of members) {
    const same = other.processId === member.processId
    for (const tasks of [other.assigned, other.pendingRevocation]) {
      for (const [id, epochs] of tasks.active) {
        for (const partition of epochs.keys()) {
          active.add(nameOf(id, partition))
          if (same) sameProcess.add(nameOf(id, partition))
        }
      }
      if (!same) continue
      for (const set of [tasks.standby, tasks.warmup]) {
        for (const [id, partitions] of set) {
          for (const partition of partitions) sameProcess.add(nameOf(id, partition))
        }
      }
    }
  }
  return { active, sameProcess }
}

function compareActive(assigned: PartitionEpochs, target: TaskSet, owners: Owners) {
  const kept: [string, ReadonlyMap<number, number>][] = []
  const revoked: [string, ReadonlyMap<number, number>][] = []
  for (const [id, epochs] of assigned) {
    const staying = [...epochs].filter(([partition]) => hasTask(target, id, partition))
    const going = [...epochs].filter(([partition]) => !hasTask(target, id, partition))
    if (staying.length > 0) kept.push([id, new Map(staying)])
    if (going.length > 0) revoked.push([id, new Map(going)])
  }
  const has = (id: string, partition: number) => assigned.get(id)?.has(partition) ?? false
  const isFree = (task: string) => !owners.active.has(task) && !owners.sameProcess.has(task)
  return { kept: new Map(kept), revoked: new Map(revoked), ...gains(target, has, isFree) }
}

function compareOthers(assigned: TaskSet, target: TaskSet, owners: Owners) {
  const kept: [string, readonly number[]][] = []
  const revoked: [string, readonly number[]][] = []
  for (const [id, partitions] of assigned) {
    const staying = partitions.filter((partition) => hasTask(target, id, partition))
    const going = partitions.filter((partition) => !hasTask(target, id, partition))
    if (staying.length > 0) kept.push([id, staying])
    if (going.length > 0) revoked.push([id, going])
  }
  const has = (id: string, partition: number) => hasTask(assigned, id, partition)
  const isFree = (task: string) => !owners.sameProcess.has(task)
  return { kept: new Map(kept), revoked: new Map(revoked), ...gains(target, has, isFree) }
}

function gains(
  target: TaskSet,
  has: (subtopologyId: string, partition: number) => boolean,
  isFree: (task: string) => boolean,
): { gained: TaskSet; waits: boolean } {
  const gained: [string, readonly number[]][] = []
  let waits = false
  for (const [id, partitions] of target) {
    const missing = partitions.filter((partition) => !has(id, partition))
    const free = missing.filter((partition) => isFree(nameOf(id, partition)))
    if (free.length < missing.length) waits = true
    if (free.length > 0) gained.push([id, free])
  }
  return { gained: new Map(gained), waits }
}

function withGained(kept: PartitionEpochs, gained: TaskSet, epoch: number): PartitionEpochs {
  const all = new Map(kept)
  for (const [id, partitions] of gained) {
    const epochs = new Map(kept.get(id))
    for (const partition of partitions) epochs.set(partition, epoch)
    all.set(id, new Map([...epochs].sort(([a], [b]) => a - b)))
  }
  return sorted(all)
}

function union(kept: TaskSet, gained: TaskSet): TaskSet {
  const all = new Map(kept)
  for (const [id, partitions] of gained) {
    all.set(
      id,
      [...(kept.get(id) ?? []), ...partitions].sort((a, b) => a - b),
    )
  }
  return sorted(all)
}

function nameOf(subtopologyId: string, partition: number): string {
  return `${subtopologyId}:${partition}`
}

/**
 * The assignor of streams groups: members keep the active tasks that they had, as far as everybody
 * has about as many; a member with a copy of the state comes next; then the process with the least
 * load. Copies are kept by other processes. Where Kafka leaves the choice to a hash, ids decide.
 * Source: Kafka's StickyTaskAssignor, KIP-1071.
 */
import { ProcessLoad, type StickyMember, type Task } from './sticky-load.ts'
import { NO_TASKS, type TaskSet, type Tasks, taskSet } from './streams-tasks.ts'

/** A member as the assignor sees it. */
export interface StickyAssignee {
  readonly memberId: string
  readonly processId: string
  /** What the last target gave it. */
  readonly tasks: Tasks
}

/** A subtopology as the assignor sees it. */
export interface StickySubtopology {
  readonly subtopologyId: string
  readonly tasks: number
  /** Only the state of stateful tasks is copied. */
  readonly isStateful: boolean
}

/** By member id what each is to have. Subtopologies in the order of their ids. */
export function assignSticky(
  assignees: readonly StickyAssignee[],
  subtopologies: readonly StickySubtopology[],
  standbyReplicas: number,
): Map<string, Tasks> {
  const all = tasksOf(subtopologies)
  const stateful = tasksOf(subtopologies.filter(({ isStateful }) => isStateful))
  const run = new StickyRun(assignees, all.length, all.length + stateful.length * standbyReplicas)
  if (assignees.length > 0) {
    run.assignActive(all)
    if (standbyReplicas > 0) run.assignStandby(stateful, standbyReplicas)
  }
  return run.outcome()
}

function tasksOf(subtopologies: readonly StickySubtopology[]): Task[] {
  return subtopologies.flatMap(({ subtopologyId, tasks }) =>
    Array.from({ length: tasks }, (_, partition) => ({ subtopologyId, partition })),
  )
}

/** How many tasks each member may have: those that have theirs leave the rest to the others. */
class Quota {
  #members: number
  #tasks: number
  #perMember = 0

  constructor(tasks: number, members: number) {
    this.#tasks = tasks
    this.#members = members
    this.#compute()
  }

  has(taskCount: number): boolean {
    return taskCount < this.#perMember
  }

  /** A member has this many tasks now. */
  onCount(taskCount: number): void {
    if (taskCount !== this.#perMember) return
    this.#members--
    this.#tasks -= taskCount
    this.#compute()
  }

  #compute(): void {
    this.#perMember = this.#members === 0 ? 0 : Math.ceil(this.#tasks / this.#members)
  }
}

class StickyRun {
  readonly #members: readonly StickyMember[]
  readonly #processes: readonly ProcessLoad[]
  readonly #activeQuota: Quota
  readonly #totalQuota: Quota
  /** By task: who had it, and who had copies of it. */
  readonly #hadActive = new Map<string, StickyMember>()
  readonly #hadStandby = new Map<string, StickyMember[]>()

  constructor(assignees: readonly StickyAssignee[], activeTasks: number, tasks: number) {
    const processes = new Map<string, ProcessLoad>()
    const members: StickyMember[] = []
    for (const assignee of [...assignees].sort((a, b) => (a.memberId < b.memberId ? -1 : 1))) {
      const load = processes.get(assignee.processId) ?? new ProcessLoad()
      processes.set(assignee.processId, load)
      const member = load.addMember(assignee.memberId)
      members.push(member)
      for (const task of listed(assignee.tasks.active)) this.#hadActive.set(nameOf(task), member)
      for (const task of listed(assignee.tasks.standby)) {
        const had = this.#hadStandby.get(nameOf(task))
        if (had === undefined) this.#hadStandby.set(nameOf(task), [member])
        else had.push(member)
      }
    }
    this.#members = members
    this.#processes = [...processes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, load]) => load)
    this.#activeQuota = new Quota(activeTasks, assignees.length)
    this.#totalQuota = new Quota(tasks, assignees.length)
  }

  assignActive(tasks: readonly Task[]): void {
    const left = [...tasks].sort(byPartition).filter((task) => {
      return !this.#keepActive(task, this.#hadActive.get(nameOf(task)))
    })
    const open = left.filter((task) => {
      return !this.#keepActive(task, leastLoaded(this.#hadStandby.get(nameOf(task))))
    })
    for (const task of open.sort(bySubtopology)) {
      this.#give(leastLoadedProcess(this.#processes)!.leastLoadedMember(), task, 'active')
    }
  }

  assignStandby(tasks: readonly Task[], replicas: number): void {
    const open: { task: Task; left: number }[] = []
    for (const task of [...tasks].sort(byPartition).reverse()) {
      let given = 0
      while (given < replicas && this.#keepStandby(task)) given++
      open.push({ task, left: replicas - given })
    }
    open.sort((a, b) => bySubtopology(b.task, a.task))
    for (const { task, left } of open) {
      for (let i = 0; i < left; i++) {
        const without = this.#processes.filter((one) => !one.has(nameOf(task)))
        const least = leastLoadedProcess(without)
        // There are fewer processes than copies wanted.
        if (least === undefined) break
        this.#give(least.leastLoadedMember(), task, 'standby')
      }
    }
  }

  outcome(): Map<string, Tasks> {
    return new Map(
      this.#members.map((member) => {
        const active = setOf(member.active)
        const standby = setOf(member.standby)
        return [member.memberId, { ...NO_TASKS, active, standby }]
      }),
    )
  }

  #keepActive(task: Task, member: StickyMember | undefined): boolean {
    if (member === undefined || !this.#activeQuota.has(member.taskCount)) return false
    this.#give(member, task, 'active')
    return true
  }

  /** Whether somebody who had the state of the task gets a copy of it. */
  #keepStandby(task: Task): boolean {
    const name = nameOf(task)
    const had = this.#hadActive.get(name)
    if (had && !had.ofProcess.has(name) && this.#totalQuota.has(had.taskCount)) {
      this.#give(had, task, 'standby')
      return true
    }
    const member = leastLoaded(this.#hadStandby.get(name), name)
    if (member === undefined || !this.#totalQuota.has(member.taskCount)) return false
    this.#give(member, task, 'standby')
    return true
  }

  #give(member: StickyMember, task: Task, role: 'active' | 'standby'): void {
    const taskCount = member.ofProcess.give(member, nameOf(task), task, role)
    if (role === 'active') this.#activeQuota.onCount(taskCount)
    this.#totalQuota.onCount(taskCount)
  }
}

/** Of those who had copies the one with the least load, without `task` where it is given. */
function leastLoaded(
  members: readonly StickyMember[] | undefined,
  task?: string,
): StickyMember | undefined {
  const first = members?.[0]
  if (members === undefined || first === undefined) return undefined
  let candidate = first
  for (const member of members) {
    const lighter = member.ofProcess.load < candidate.ofProcess.load
    if (!lighter || (task !== undefined && member.ofProcess.has(task))) continue
    if (member.taskCount < candidate.taskCount) candidate = member
  }
  // As Kafka, which looks at the first of them here.
  return task !== undefined && first.ofProcess.has(task) ? undefined : candidate
}

function leastLoadedProcess(processes: readonly ProcessLoad[]): ProcessLoad | undefined {
  let least = processes[0]
  for (const one of processes) if (one.load < least!.load) least = one
  return least
}

function listed(set: TaskSet): Task[] {
  return [...set].flatMap(([subtopologyId, partitions]) =>
    partitions.map((partition) => ({ subtopologyId, partition })),
  )
}

function setOf(tasks: readonly Task[]): TaskSet {
  return taskSet(
    tasks.map(({ subtopologyId, partition }) => ({ subtopologyId, partitions: [partition] })),
  )
}

function nameOf({ subtopologyId, partition }: Task): string {
  return `${partition}:${subtopologyId}`
}

function byPartition(a: Task, b: Task): number {
  return a.partition - b.partition || (a.subtopologyId < b.subtopologyId ? -1 : 1)
}

function bySubtopology(a: Task, b: Task): number {
  if (a.subtopologyId === b.subtopologyId) return a.partition - b.partition
  return a.subtopologyId < b.subtopologyId ? -1 : 1
}

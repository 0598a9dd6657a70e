/** What the processes of a streams group have been given so far. Source: Kafka's ProcessState. */

/** A partition of a subtopology. */
export interface Task {
  readonly subtopologyId: string
  readonly partition: number
}

/** A member with what it has been given. */
export interface StickyMember {
  readonly memberId: string
  readonly ofProcess: ProcessLoad
  taskCount: number
  readonly active: Task[]
  readonly standby: Task[]
}

/** The members of one process; a task has one place in it. */
export class ProcessLoad {
  readonly #members: StickyMember[] = []
  readonly #tasks = new Set<string>()
  #taskCount = 0

  /** Tasks for each member. */
  get load(): number {
    return this.#taskCount / this.#members.length
  }

  has(task: string): boolean {
    return this.#tasks.has(task)
  }

  addMember(memberId: string): StickyMember {
    const member = { memberId, ofProcess: this, taskCount: 0, active: [], standby: [] }
    this.#members.push(member)
    return member
  }

  /** Answers how many tasks the member has now. `name`: of the task. */
  give(member: StickyMember, name: string, task: Task, role: 'active' | 'standby'): number {
    this.#taskCount++
    this.#tasks.add(name)
    member[role].push(task)
    member.taskCount++
    return member.taskCount
  }

  leastLoadedMember(): StickyMember {
    let least = this.#members[0]!
    for (const member of this.#members) if (member.taskCount < least.taskCount) least = member
    return least
  }
}

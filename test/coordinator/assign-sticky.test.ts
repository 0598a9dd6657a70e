/** The assignor of streams groups: who gets which tasks, and who keeps copies of the state. */
import test from 'ava'
import {
  assignSticky,
  type StickyAssignee,
  type StickySubtopology,
} from '../../src/coordinator/group/assign-sticky.ts'
import {
  NO_TASKS,
  type TaskSet,
  type Tasks,
  taskSet,
} from '../../src/coordinator/group/streams-tasks.ts'
import { Seeded } from '../support/seeded.ts'

const stateful = (subtopologyId: string, tasks: number): StickySubtopology => {
  return { subtopologyId, tasks, isStateful: true }
}
const stateless = (subtopologyId: string, tasks: number): StickySubtopology => {
  return { subtopologyId, tasks, isStateful: false }
}

function active(subtopologyId: string, ...partitions: number[]): Tasks {
  return { ...NO_TASKS, active: taskSet([{ subtopologyId, partitions }]) }
}

function standby(subtopologyId: string, ...partitions: number[]): Tasks {
  return { ...NO_TASKS, standby: taskSet([{ subtopologyId, partitions }]) }
}

function member(memberId: string, tasks: Tasks = NO_TASKS, processId = memberId): StickyAssignee {
  return { memberId, processId, tasks }
}

/** `m1 0:0,1 + 1:0` for every member, standby tasks behind a bar. */
function text(outcome: ReadonlyMap<string, Tasks>): string[] {
  const of = (set: TaskSet) => [...set].map(([id, numbers]) => `${id}:${numbers}`).join(' + ')
  return [...outcome].map(([memberId, tasks]) => {
    const kept = tasks.standby.size > 0 ? ` | ${of(tasks.standby)}` : ''
    return `${memberId} ${of(tasks.active)}${kept}`
  })
}

test('tasks of all subtopologies are spread evenly', (t) => {
  const outcome = assignSticky(
    [member('m1'), member('m2')],
    [stateless('0', 3), stateful('1', 3)],
    0,
  )
  t.deepEqual(text(outcome), ['m1 0:0,2 + 1:1', 'm2 0:1 + 1:0,2'])
})

test('nobody and nothing are assigned as well', (t) => {
  t.deepEqual(text(assignSticky([], [stateful('0', 3)], 1)), [])
  t.deepEqual(text(assignSticky([member('m1')], [], 1)), ['m1 '])
})

test('members keep what they had, and a new one gets as much as the others', (t) => {
  const had = [member('m1', active('0', 0, 2, 4)), member('m2', active('0', 1, 3, 5)), member('m3')]
  t.deepEqual(text(assignSticky(had, [stateless('0', 6)], 0)), ['m1 0:0,2', 'm2 0:1,3', 'm3 0:4,5'])
})

test('a process with more members gets more tasks', (t) => {
  const members = [member('m1', NO_TASKS, 'p'), member('m2', NO_TASKS, 'p'), member('m3')]
  const outcome = assignSticky(members, [stateless('0', 6)], 0)
  t.deepEqual(text(outcome), ['m1 0:1,4', 'm2 0:2,5', 'm3 0:0,3'])
})

test('who has a copy of the state takes over when the other one is gone', (t) => {
  const members = [member('m1'), member('m2', standby('0', 0, 1))]
  t.deepEqual(text(assignSticky(members, [stateful('0', 2)], 0)), ['m1 0:1', 'm2 0:0'])
})

test('copies are kept by another process, as many as there are', (t) => {
  const members = [member('m1', NO_TASKS, 'p'), member('m2', NO_TASKS, 'p'), member('m3')]
  const outcome = assignSticky(members, [stateful('0', 2), stateless('1', 1)], 5)
  t.deepEqual(text(outcome), ['m1 0:1 | 0:0', 'm2 1:0', 'm3 0:0 | 0:1'])
})

test('however members come and go, each task runs once, and its copies in other processes', (t) => {
  const random = new Seeded(7)
  for (let round = 0; round < 300; round++) {
    const subtopologies = Array.from({ length: random.between(1, 3) }, (_, i) => {
      return { ...stateful(String(i), random.between(1, 8)), isStateful: random.chance(0.5) }
    })
    const replicas = random.between(0, 2)
    let members: StickyAssignee[] = []
    for (let step = 0; step < 6; step++) {
      if (members.length > 1 && random.chance(0.3))
        members.splice(random.between(0, members.length - 1), 1)
      else members.push(member(`m${step}`, NO_TASKS, `p${random.between(0, 2)}`))
      const outcome = assignSticky(members, subtopologies, replicas)
      check(members, subtopologies, replicas, outcome, `round ${round} step ${step}`)
      members = members.map((one) => ({ ...one, tasks: outcome.get(one.memberId)! }))
    }
  }

  function check(
    members: readonly StickyAssignee[],
    subtopologies: readonly StickySubtopology[],
    replicas: number,
    outcome: ReadonlyMap<string, Tasks>,
    where: string,
  ): void {
    const processes = new Set(members.map(({ processId }) => processId)).size
    for (const { subtopologyId, tasks, isStateful } of subtopologies) {
      for (let partition = 0; partition < tasks; partition++) {
        const has = (role: 'active' | 'standby') =>
          members.filter(({ memberId }) =>
            outcome.get(memberId)![role].get(subtopologyId)?.includes(partition),
          )
        const copies = isStateful ? Math.min(replicas, processes - 1) : 0
        t.is(has('active').length, 1, where)
        t.is(has('standby').length, copies, where)
        const places = [...has('active'), ...has('standby')].map(({ processId }) => processId)
        t.is(new Set(places).size, places.length, where)
      }
    }
  }
})

import test from 'ava'
import fc from 'fast-check'
import { rangeAssignor } from '../../src/coordinator/group/assign-range.ts'
import type { Assignor, AssignorMember } from '../../src/coordinator/group/assign-spec.ts'
import { uniformAssignor } from '../../src/coordinator/group/assign-uniform.ts'
import type { TopicPartitions } from '../../src/coordinator/group/consumer-partitions.ts'

/** A group as a list of members, each with the topics it reads, and partitions by topic. */
interface Sketch {
  readonly topics: readonly number[]
  readonly members: readonly { topics: readonly boolean[]; instance: boolean }[]
}

const topicId = (i: number) => `topic${i}`
const memberId = (i: number) => `m${String(i).padStart(3, '0')}`
const NOTHING: TopicPartitions = new Map()

function membersOf(
  sketch: Sketch,
  had: ReadonlyMap<string, TopicPartitions> = new Map(),
): AssignorMember[] {
  return sketch.members.map(({ topics, instance }, i) => ({
    memberId: memberId(i),
    instanceId: instance ? `i${i}` : null,
    topicIds: topics.flatMap((reads, at) => {
      return reads && at < sketch.topics.length ? [topicId(at)] : []
    }),
    partitions: had.get(memberId(i)) ?? NOTHING,
  }))
}

function assign(assignor: Assignor, sketch: Sketch, had?: ReadonlyMap<string, TopicPartitions>) {
  const count = (id: string) => sketch.topics[Number(id.slice(5))] ?? 0
  return assignor.assign(membersOf(sketch, had), count)
}

const sketches = fc
  .record({
    topics: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 5 }),
    members: fc.array(
      fc.record({
        topics: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
        instance: fc.boolean(),
      }),
      { minLength: 1, maxLength: 12 },
    ),
  })
  .filter(({ topics }) => topics.length > 0)

const homogeneous = sketches.map(({ topics, members }) => ({
  topics,
  members: members.map(({ instance }) => ({ topics: [true, true, true, true, true], instance })),
}))

/** Partitions as text, each with its owners. */
function owners(target: ReadonlyMap<string, TopicPartitions>): Map<string, string[]> {
  const byPartition = new Map<string, string[]>()
  for (const [member, topics] of target) {
    for (const [topic, partitions] of topics) {
      for (const partition of partitions) {
        const key = `${topic}:${partition}`
        byPartition.set(key, [...(byPartition.get(key) ?? []), member])
      }
    }
  }
  return byPartition
}

function countOf(target: ReadonlyMap<string, TopicPartitions>, member: string): number {
  return [...(target.get(member) ?? NOTHING).values()].reduce((sum, { length }) => sum + length, 0)
}

for (const assignor of [uniformAssignor, rangeAssignor]) {
  const { name } = assignor
  test(`${name} gives each partition that is read to one member that reads it`, (t) => {
    fc.assert(
      fc.property(sketches, (sketch) => {
        const target = assign(assignor, sketch)
        const byPartition = owners(target)
        for (const [at, count] of sketch.topics.entries()) {
          const readers = membersOf(sketch).filter(({ topicIds }) => topicIds.includes(topicId(at)))
          for (let partition = 0; partition < count; partition++) {
            const found = byPartition.get(`${topicId(at)}:${partition}`) ?? []
            if (found.length !== Math.min(1, readers.length)) return false
            if (found.some((id) => !readers.some((reader) => reader.memberId === id))) return false
          }
        }
        return target.size === sketch.members.length
      }),
    )
    t.pass()
  })

  test(`${name} does not depend on the order of the members`, (t) => {
    fc.assert(
      fc.property(sketches, (sketch) => {
        const count = (id: string) => sketch.topics[Number(id.slice(5))] ?? 0
        const members = membersOf(sketch)
        const forth = assignor.assign(members, count)
        const back = assignor.assign([...members].reverse(), count)
        t.deepEqual(new Map([...forth].sort()), new Map([...back].sort()))
      }),
      { numRuns: 50 },
    )
  })
}

test('uniform gives counts that differ by one at most where all read the same', (t) => {
  fc.assert(
    fc.property(homogeneous, (sketch) => {
      const target = assign(uniformAssignor, sketch)
      const counts = [...target.keys()].map((id) => countOf(target, id))
      return Math.max(...counts) - Math.min(...counts) <= 1
    }),
  )
  t.pass()
})

test('uniform leaves no partition that a move would balance better', (t) => {
  fc.assert(
    fc.property(sketches, (sketch) => {
      const target = assign(uniformAssignor, sketch)
      const members = membersOf(sketch)
      for (const [from, topics] of target) {
        for (const topic of topics.keys()) {
          for (const { memberId: to, topicIds } of members) {
            if (!topicIds.includes(topic)) continue
            if (countOf(target, from) - countOf(target, to) >= 2) return false
          }
        }
      }
      return true
    }),
  )
  t.pass()
})

test('uniform changes nothing when nothing changed', (t) => {
  fc.assert(
    fc.property(sketches, (sketch) => {
      const first = assign(uniformAssignor, sketch)
      t.deepEqual(assign(uniformAssignor, sketch, first), first)
    }),
    { numRuns: 50 },
  )
})

test('uniform moves no more than balance asks when a member comes or goes', (t) => {
  fc.assert(
    fc.property(homogeneous, fc.boolean(), (sketch, comes) => {
      const before = assign(uniformAssignor, sketch)
      const next = comes
        ? { ...sketch, members: [...sketch.members, sketch.members[0]!] }
        : { ...sketch, members: sketch.members.slice(0, -1) }
      if (next.members.length === 0) return true
      const after = assign(uniformAssignor, next, before)
      let moved = 0
      const was = owners(before)
      for (const [partition, [owner]] of owners(after)) {
        if (was.get(partition)?.[0] !== owner) moved += 1
      }
      const last = memberId(comes ? sketch.members.length : sketch.members.length - 1)
      return moved === countOf(comes ? after : before, last)
    }),
  )
  t.pass()
})

test('range gives the same numbers of topics with equally many partitions', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), homogeneous, (count, sketch) => {
      const equal = { ...sketch, topics: sketch.topics.map(() => count) }
      for (const topics of assign(rangeAssignor, equal).values()) {
        const [first, ...others] = topics.values()
        for (const other of others) t.deepEqual(other, first)
      }
    }),
    { numRuns: 50 },
  )
})

test('range gives runs, the longer ones first, to static members first', (t) => {
  const sketch: Sketch = {
    topics: [5],
    members: [
      { topics: [true], instance: false },
      { topics: [true], instance: true },
      { topics: [true], instance: true },
    ],
  }
  const target = assign(rangeAssignor, sketch)
  t.deepEqual(target.get(memberId(1))?.get(topicId(0)), [0, 1])
  t.deepEqual(target.get(memberId(2))?.get(topicId(0)), [2, 3])
  t.deepEqual(target.get(memberId(0))?.get(topicId(0)), [4])
})

import test from 'ava'
import fc from 'fast-check'
import { assignSimple } from '../../src/coordinator/group/assign-simple.ts'
import type { TopicPartitions } from '../../src/coordinator/group/consumer-partitions.ts'

const topicId = (i: number) => `topic${i}`
const memberId = (i: number) => `m${String(i).padStart(2, '0')}`

/** Partitions by topic, and for each member the topics that it reads. */
interface Sketch {
  readonly topics: readonly number[]
  readonly members: readonly (readonly boolean[])[]
}

const sketches = fc.record({
  topics: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }),
  members: fc.array(fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), {
    minLength: 1,
    maxLength: 9,
  }),
})

const alike = sketches.map(({ topics, members }) => ({
  topics,
  members: members.map(() => [true, true, true, true]),
}))

function assign({ topics, members }: Sketch, had: ReadonlyMap<string, TopicPartitions>) {
  return assignSimple(
    members.map((reads, i) => ({
      memberId: memberId(i),
      instanceId: null,
      topicIds: topics.map((_, at) => topicId(at)).filter((_, at) => reads[at]),
      partitions: had.get(memberId(i)) ?? new Map(),
    })),
    (id) => Array.from({ length: topics[Number(id.slice(5))]! }, (_, i) => i),
  )
}

function countOf(target: TopicPartitions | undefined): number {
  return [...(target ?? [])].reduce((sum, [, partitions]) => sum + partitions.length, 0)
}

test('every partition that somebody reads has a reader, and every reader a partition', (t) => {
  fc.assert(
    fc.property(sketches, (sketch) => {
      const targets = assign(sketch, new Map())
      for (const [at, count] of sketch.topics.entries()) {
        const readers = sketch.members.flatMap((reads, i) => (reads[at] ? [memberId(i)] : []))
        const given = readers.map((reader) => targets.get(reader)!.get(topicId(at)) ?? [])
        const all = new Set(given.flat())
        if (readers.length > 0 && all.size !== count) return false
        if (given.some((partitions) => partitions.some((one) => one >= count))) return false
      }
      return sketch.members.every((reads, i) => {
        const wants = sketch.topics.some((_, at) => reads[at])
        return wants
          ? countOf(targets.get(memberId(i))) > 0
          : countOf(targets.get(memberId(i))) === 0
      })
    }),
  )
  t.pass()
})

test('who reads the same gets the same number of partitions, or one more', (t) => {
  fc.assert(
    fc.property(alike, (sketch) => {
      const counts = [...assign(sketch, new Map()).values()].map(countOf)
      return Math.max(...counts) - Math.min(...counts) <= 1
    }),
  )
  t.pass()
})

test('nothing moves when nothing has changed', (t) => {
  fc.assert(
    fc.property(sketches, (sketch) => {
      const before = assign(sketch, new Map())
      const after = assign(sketch, before)
      return JSON.stringify(text(before)) === JSON.stringify(text(after))
    }),
  )
  t.pass()
})

function text(targets: ReadonlyMap<string, TopicPartitions>) {
  return [...targets].map(([member, target]) => [member, [...target].sort()])
}

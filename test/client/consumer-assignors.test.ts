import test from 'ava'
import fc from 'fast-check'
import {
  type AssignorMember,
  type AssignorName,
  assignors,
  type GroupAssignment,
} from '../../src/client/assignors.ts'
import { keyOf, type TopicPartition } from '../../src/client/topic-partition.ts'

const names: readonly AssignorName[] = ['range', 'roundrobin', 'sticky', 'cooperative-sticky']

interface MemberParts {
  readonly topics?: readonly string[]
  readonly owned?: readonly TopicPartition[]
  readonly generation?: number
  readonly groupInstanceId?: string
}

function member(memberId: string, parts: MemberParts = {}): AssignorMember {
  const { topics = ['t'], owned = [], generation = -1, groupInstanceId = null } = parts
  return { memberId, groupInstanceId, topics, owned, generation }
}

const partitions = (topic: string, ...numbers: number[]) =>
  numbers.map((partition) => ({ topic, partition }))

/** `member: t-0 t-1` per line. */
function textOf(assignment: GroupAssignment): string[] {
  return [...assignment]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([memberId, list]) => `${memberId}: ${list.map(keyOf).sort().join(' ')}`)
}

/** What is wrong with an assignment; `mayWait`: partitions may be left out. */
function faultOf(
  members: readonly AssignorMember[],
  counts: ReadonlyMap<string, number>,
  assignment: GroupAssignment,
  mayWait: boolean,
): string | undefined {
  const seen = new Set<string>()
  for (const { memberId, topics } of members) {
    for (const one of assignment.get(memberId) ?? [{ topic: '', partition: -1 }]) {
      if (seen.has(keyOf(one))) return `${keyOf(one)} is assigned twice`
      if (!topics.includes(one.topic)) return `${memberId} gets ${keyOf(one)}`
      if (one.partition >= (counts.get(one.topic) ?? 0)) return `there is no ${keyOf(one)}`
      seen.add(keyOf(one))
    }
  }
  for (const [topic, count] of counts) {
    if (mayWait || !members.some(({ topics }) => topics.includes(topic))) continue
    for (let partition = 0; partition < count; partition++) {
      if (!seen.has(keyOf({ topic, partition }))) return `${topic}-${partition} is left out`
    }
  }
  return undefined
}

const topicNames = ['a', 'b', 'c']
const countsOf = fc
  .array(fc.integer({ min: 0, max: 7 }), { minLength: 3, maxLength: 3 })
  .map((list) => new Map(topicNames.map((name, i) => [name, list[i] as number])))
const membersOf = fc
  .array(
    fc.record({
      topics: fc.subarray(topicNames),
      owned: fc.uniqueArray(
        fc.record({ topic: fc.constantFrom(...topicNames), partition: fc.nat(8) }),
        { selector: keyOf, maxLength: 8 },
      ),
      generation: fc.integer({ min: -1, max: 2 }),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((list) => list.map((parts, i) => member(`m${i}`, parts)))

for (const name of names) {
  test(`${name}: every partition that is wanted goes to one member that wants it`, (t) => {
    const cooperative = assignors[name].protocol === 'cooperative'
    fc.assert(
      fc.property(membersOf, countsOf, (members, counts) => {
        const assignment = assignors[name].assign(members, counts)
        t.is(faultOf(members, counts, assignment, cooperative), undefined)
      }),
    )
  })
}

test('range gives blocks, and the first members one more', (t) => {
  const members = [member('b'), member('a'), member('c', { groupInstanceId: 'z' })]
  const counts = new Map([['t', 7]])
  t.deepEqual(textOf(assignors.range.assign(members, counts)), [
    'a: t-3 t-4',
    'b: t-5 t-6',
    'c: t-0 t-1 t-2',
  ])
})

test('round robin deals partitions of all topics in turn, past who does not want them', (t) => {
  const members = [
    member('a', { topics: ['t', 'u'] }),
    member('b', { topics: ['u'] }),
    member('c', { topics: ['t', 'u'] }),
  ]
  const counts = new Map([
    ['u', 3],
    ['t', 3],
  ])
  t.deepEqual(textOf(assignors.roundrobin.assign(members, counts)), [
    'a: t-0 t-2 u-2',
    'b: u-0',
    'c: t-1 u-1',
  ])
})

test('sticky loads are as even as equal subscriptions allow, with the least moves', (t) => {
  const loads = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(loads, fc.nat(9), (owned, fresh) => {
      let next = 0
      const members = owned.map((count, i) => {
        const mine = Array.from({ length: count }, () => ({ topic: 't', partition: next++ }))
        return member(`m${i}`, { owned: mine, generation: 1 })
      })
      const counts = new Map([['t', next + fresh]])
      const assignment = assignors.sticky.assign(members, counts)
      const sizes = [...assignment.values()].map(({ length }) => length)
      t.true(Math.max(...sizes) - Math.min(...sizes) <= 1)
      const low = Math.floor((next + fresh) / owned.length)
      const over = owned.reduce((sum, count) => sum + Math.max(0, count - low - 1), 0)
      const kept = members.reduce((sum, { memberId, owned: before }) => {
        const now = new Set(assignment.get(memberId)?.map(keyOf))
        return sum + before.filter((one) => now.has(keyOf(one))).length
      }, 0)
      const spare = (next + fresh) % owned.length
      const full = owned.filter((count) => count > low).length
      t.is(kept, next - over - Math.max(0, full - spare))
    }),
  )
})

test('of two claims to a partition the younger generation counts, of equal ones neither', (t) => {
  const old = member('a', { owned: partitions('t', 0, 1), generation: 3 })
  const young = member('b', { owned: partitions('t', 1), generation: 4 })
  t.deepEqual(textOf(assignors.sticky.assign([old, young], new Map([['t', 2]]))), [
    'a: t-0',
    'b: t-1',
  ])
  const rival = member('b', { owned: partitions('t', 0), generation: 3 })
  t.deepEqual(textOf(assignors['cooperative-sticky'].assign([old, rival], new Map([['t', 2]]))), [
    'a: t-1',
    'b: t-0',
  ])
})

test('cooperative sticky moves a partition in two rebalances', (t) => {
  const { assign } = assignors['cooperative-sticky']
  const counts = new Map([['t', 4]])
  const before = [
    member('a', { owned: partitions('t', 0, 1, 2, 3), generation: 1 }),
    member('b', { generation: -1 }),
  ]
  const first = assign(before, counts)
  t.deepEqual(textOf(first), ['a: t-0 t-1', 'b: '])
  const after = [
    member('a', { owned: first.get('a') ?? [], generation: 2 }),
    member('b', { generation: 2 }),
  ]
  t.deepEqual(textOf(assign(after, counts)), ['a: t-0 t-1', 'b: t-2 t-3'])
})

/**
 * The sticky assignment: as even as the subscriptions allow, and with as few moves as that needs.
 * In place of Kafka's algorithm one that starts from what is owned, fills the least loaded, and
 * then moves single partitions from the most to the least loaded while that makes it more even.
 * KIP-54.
 */
import type { AssignorMember, GroupAssignment } from './assignors.ts'
import { keyOf, type TopicPartition } from './topic-partition.ts'

/** A member and what it has so far. */
interface Bin {
  readonly memberId: string
  readonly topics: ReadonlySet<string>
  readonly has: Map<string, TopicPartition>
}

/** Assigns; what a member owned and may keep, it keeps. */
export function assignSticky(
  members: readonly AssignorMember[],
  partitionCounts: ReadonlyMap<string, number>,
): GroupAssignment {
  const bins = members
    .map(({ memberId, topics }): Bin => ({ memberId, topics: new Set(topics), has: new Map() }))
    .sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
  keepOwned(members, bins, partitionCounts)
  fill(bins, partitionCounts)
  level(bins)
  return new Map(bins.map(({ memberId, has }) => [memberId, [...has.values()]]))
}

/** Leaves out what another member still owns: it is revoked there first, and assigned by the
 *  rebalance that follows. KIP-429. */
export function withoutMoves(
  members: readonly AssignorMember[],
  assignment: GroupAssignment,
): GroupAssignment {
  const ownerOf = claims(members)
  const result: GroupAssignment = new Map()
  for (const [memberId, partitions] of assignment) {
    result.set(
      memberId,
      partitions.filter((one) => (ownerOf.get(keyOf(one)) ?? memberId) === memberId),
    )
  }
  return result
}

/** Who owns what. Of two claims the younger generation's counts; of two equal ones neither. */
function claims(members: readonly AssignorMember[]): Map<string, string> {
  const best = new Map<string, { memberId: string | undefined; generation: number }>()
  for (const { memberId, owned, generation } of members) {
    for (const one of owned) {
      const known = best.get(keyOf(one))
      if (known === undefined || generation > known.generation) {
        best.set(keyOf(one), { memberId, generation })
      } else if (generation === known.generation) {
        best.set(keyOf(one), { memberId: undefined, generation })
      }
    }
  }
  const owners = new Map<string, string>()
  for (const [key, { memberId }] of best) if (memberId !== undefined) owners.set(key, memberId)
  return owners
}

function keepOwned(
  members: readonly AssignorMember[],
  bins: readonly Bin[],
  partitionCounts: ReadonlyMap<string, number>,
): void {
  const ownerOf = claims(members)
  const byId = new Map(bins.map((bin) => [bin.memberId, bin]))
  for (const { memberId, owned } of members) {
    const bin = byId.get(memberId) as Bin
    for (const { topic, partition } of owned) {
      const key = keyOf({ topic, partition })
      const exists = partition < (partitionCounts.get(topic) ?? 0)
      if (!exists || !bin.topics.has(topic) || ownerOf.get(key) !== memberId) continue
      bin.has.set(key, { topic, partition })
    }
  }
}

function fill(bins: readonly Bin[], partitionCounts: ReadonlyMap<string, number>): void {
  const taken = new Set(bins.flatMap(({ has }) => [...has.keys()]))
  const topics = [...partitionCounts].sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [topic, count] of topics) {
    const takers = bins.filter((bin) => bin.topics.has(topic))
    if (takers.length === 0) continue
    for (let partition = 0; partition < count; partition++) {
      const key = keyOf({ topic, partition })
      if (taken.has(key)) continue
      const least = takers.reduce((a, b) => (b.has.size < a.has.size ? b : a))
      least.has.set(key, { topic, partition })
    }
  }
}

/** Moves single partitions while one member has at least two more than another that would take one
 *  of them. Each move lowers the sum of squares, so it ends. */
function level(bins: readonly Bin[]): void {
  for (;;) {
    const byLoad = [...bins].sort((a, b) => b.has.size - a.has.size)
    if (!byLoad.some((from) => moveOne(from, byLoad))) return
  }
}

function moveOne(from: Bin, byLoad: readonly Bin[]): boolean {
  for (let i = byLoad.length - 1; i >= 0; i--) {
    const to = byLoad[i] as Bin
    if (from.has.size - to.has.size < 2) return false
    // The last one came last: what was owned longest stays.
    const movable = [...from.has].reverse().find(([, { topic }]) => to.topics.has(topic))
    if (movable === undefined) continue
    const [key, partition] = movable
    from.has.delete(key)
    to.has.set(key, partition)
    return true
  }
  return false
}

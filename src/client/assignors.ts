/** How the leader of a classic group shares out partitions: range, round robin, sticky and
 *  cooperative sticky. Pure functions; the same input gives the same answer. */

import { assignSticky, withoutMoves } from './assignors-sticky.ts'
import type { TopicPartition } from './topic-partition.ts'

/** A member as the leader sees it. */
export interface AssignorMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly topics: readonly string[]
  /** What it had before. */
  readonly owned: readonly TopicPartition[]
  /** The generation of `owned`; -1: not known. */
  readonly generation: number
}

/** Partitions by member. Every member has an entry. */
export type GroupAssignment = Map<string, TopicPartition[]>

/** A way to assign. */
export interface Assignor {
  readonly name: AssignorName
  /** eager: members give all up before they join; cooperative: only what they lose, afterwards.
   *  KIP-429. */
  readonly protocol: 'eager' | 'cooperative'
  /** `partitionCounts`: of topics that exist. */
  assign(
    members: readonly AssignorMember[],
    partitionCounts: ReadonlyMap<string, number>,
  ): GroupAssignment
}

/** Kafka's names. */
export type AssignorName = 'range' | 'roundrobin' | 'sticky' | 'cooperative-sticky'

/** All assignors by name. */
export const assignors: Readonly<Record<AssignorName, Assignor>> = {
  range: { name: 'range', protocol: 'eager', assign: assignRange },
  roundrobin: { name: 'roundrobin', protocol: 'eager', assign: assignRoundRobin },
  sticky: { name: 'sticky', protocol: 'eager', assign: assignSticky },
  'cooperative-sticky': {
    name: 'cooperative-sticky',
    protocol: 'cooperative',
    assign: (members, counts) => withoutMoves(members, assignSticky(members, counts)),
  },
}

/** Each topic by itself, in blocks: the first members get one more if it does not divide. */
function assignRange(
  members: readonly AssignorMember[],
  partitionCounts: ReadonlyMap<string, number>,
): GroupAssignment {
  const assignment = emptyAssignment(members)
  const sorted = [...members].sort(inOrder)
  for (const [topic, count] of sortedCounts(partitionCounts)) {
    const takers = sorted.filter(({ topics }) => topics.includes(topic))
    let next = 0
    takers.forEach(({ memberId }, i) => {
      const share = Math.floor(count / takers.length) + (i < count % takers.length ? 1 : 0)
      for (let n = 0; n < share; n++) assignment.get(memberId)?.push({ topic, partition: next++ })
    })
  }
  return assignment
}

/** All partitions of all topics in a row, one to each member in turn. */
function assignRoundRobin(
  members: readonly AssignorMember[],
  partitionCounts: ReadonlyMap<string, number>,
): GroupAssignment {
  const assignment = emptyAssignment(members)
  const sorted = [...members].sort(inOrder)
  let turn = 0
  for (const [topic, count] of sortedCounts(partitionCounts)) {
    if (!sorted.some(({ topics }) => topics.includes(topic))) continue
    for (let partition = 0; partition < count; partition++) {
      while (!sorted[turn % sorted.length]?.topics.includes(topic)) turn++
      const { memberId } = sorted[turn++ % sorted.length] as AssignorMember
      assignment.get(memberId)?.push({ topic, partition })
    }
  }
  return assignment
}

/** Static members first, by instance id, so that a restart does not change the order. KIP-345. */
function inOrder(a: AssignorMember, b: AssignorMember): number {
  if (a.groupInstanceId !== null && b.groupInstanceId !== null) {
    return compare(a.groupInstanceId, b.groupInstanceId)
  }
  if (a.groupInstanceId !== null) return -1
  if (b.groupInstanceId !== null) return 1
  return compare(a.memberId, b.memberId)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function sortedCounts(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].sort(([a], [b]) => compare(a, b))
}

function emptyAssignment(members: readonly AssignorMember[]): GroupAssignment {
  return new Map(members.map(({ memberId }) => [memberId, []]))
}

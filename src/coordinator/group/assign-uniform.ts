/**
 * The assignor "uniform": as many partitions for one member as for another, and as few moves as
 * that allows. Where all members read the same topics no two counts differ by more than one; else
 * no partition can be moved so that two counts come closer by it. Source: KIP-848; the way is our
 * own.
 */
import { type Assignor, type AssignorMember, byMemberId, isHomogeneous } from './assign-spec.ts'
import { ascending, type TopicPartitions } from './consumer-partitions.ts'

/** A member while its target grows. */
interface Share {
  readonly memberId: string
  readonly topicIds: ReadonlySet<string>
  readonly byTopic: Map<string, number[]>
  count: number
}

/** A partition without a member. */
interface Orphan {
  readonly topicId: string
  readonly partition: number
}

/** Balanced and sticky. */
export const uniformAssignor: Assignor = {
  name: 'uniform',
  assign(members, partitionCount) {
    const homogeneous = isHomogeneous(members)
    const shares = byMemberId(members).map((member) => shareOf(member, partitionCount))
    const orphans = orphansOf(shares, partitionCount)
    if (homogeneous) fillEvenly(shares, orphans)
    else fillBySubscription(shares, orphans)
    return new Map(shares.map(({ memberId, byTopic }) => [memberId, targetFrom(byTopic)]))
  },
}

/** What a member had, as far as it is there and the member still reads it. */
function shareOf(member: AssignorMember, partitionCount: (topicId: string) => number): Share {
  const topicIds = new Set(member.topicIds)
  const byTopic = new Map<string, number[]>()
  let count = 0
  for (const [topicId, partitions] of member.partitions) {
    if (!topicIds.has(topicId)) continue
    const end = partitionCount(topicId)
    const kept = partitions.filter((partition) => partition < end)
    if (kept.length === 0) continue
    byTopic.set(topicId, kept)
    count += kept.length
  }
  return { memberId: member.memberId, topicIds, byTopic, count }
}

/** The partitions that nobody has, by topic and number; of two that have one the later loses it. */
function orphansOf(
  shares: readonly Share[],
  partitionCount: (topicId: string) => number,
): Orphan[] {
  const topicIds = new Set<string>()
  const taken = new Map<string, Set<number>>()
  for (const share of shares) {
    for (const topicId of share.topicIds) topicIds.add(topicId)
    for (const [topicId, partitions] of share.byTopic) {
      const owned = taken.get(topicId) ?? new Set()
      taken.set(topicId, owned)
      const free = partitions.filter((partition) => !owned.has(partition))
      for (const partition of free) owned.add(partition)
      share.count -= partitions.length - free.length
      share.byTopic.set(topicId, free)
    }
  }
  const orphans: Orphan[] = []
  for (const topicId of [...topicIds].sort()) {
    const owned = taken.get(topicId)
    const count = partitionCount(topicId)
    for (let partition = 0; partition < count; partition++) {
      if (!owned?.has(partition)) orphans.push({ topicId, partition })
    }
  }
  return orphans
}

function fillEvenly(shares: readonly Share[], orphans: Orphan[]): void {
  if (shares.length === 0) return
  let total = orphans.length
  for (const { count } of shares) total += count
  const least = Math.floor(total / shares.length)
  let withOneMore = total % shares.length
  const quotas = new Map<Share, number>()
  // Who has more than the least keeps one more, before anybody else gets one more.
  for (const share of shares) {
    if (share.count <= least || withOneMore === 0) continue
    quotas.set(share, least + 1)
    withOneMore -= 1
  }
  for (const share of shares) {
    if (quotas.has(share)) continue
    quotas.set(share, least + (withOneMore > 0 ? 1 : 0))
    if (withOneMore > 0) withOneMore -= 1
  }
  for (const [share, quota] of quotas) {
    while (share.count > quota) orphans.push(takeAny(share))
  }
  let next = 0
  for (const [share, quota] of quotas) {
    while (share.count < quota) give(share, orphans[next++]!)
  }
}

function fillBySubscription(shares: readonly Share[], orphans: readonly Orphan[]): void {
  const readers = new Map<string, Share[]>()
  for (const share of shares) {
    for (const topicId of share.topicIds) {
      const known = readers.get(topicId)
      if (known === undefined) readers.set(topicId, [share])
      else known.push(share)
    }
  }
  // Topics with few readers first: their partitions have the least choice.
  const topics = [...readers].sort(
    ([a, few], [b, many]) => few.length - many.length || (a < b ? -1 : 1),
  )
  const order = new Map(topics.map(([topicId], at) => [topicId, at]))
  const sorted = [...orphans].sort((a, b) => order.get(a.topicId)! - order.get(b.topicId)!)
  for (const orphan of sorted) give(leastLoaded(readers.get(orphan.topicId)!), orphan)
  let moved = true
  while (moved) {
    moved = false
    for (const [topicId, candidates] of topics) {
      if (balance(topicId, candidates)) moved = true
    }
  }
}

/**
 * Moves partitions of one topic from the most to the least loaded of its readers. Each move brings
 * two counts closer, so the sum of their squares falls and the passes over all topics end.
 */
function balance(topicId: string, readers: readonly Share[]): boolean {
  let moved = false
  for (;;) {
    const to = leastLoaded(readers)
    let from: Share | undefined
    for (const share of readers) {
      if ((share.byTopic.get(topicId)?.length ?? 0) === 0) continue
      if (from === undefined || share.count > from.count) from = share
    }
    if (from === undefined || from.count - to.count < 2) return moved
    give(to, takeOf(from, topicId))
    moved = true
  }
}

function leastLoaded(shares: readonly Share[]): Share {
  let least = shares[0]!
  for (const share of shares) if (share.count < least.count) least = share
  return least
}

/** Gives up one partition of the topic of which the member has the most. */
function takeAny(share: Share): Orphan {
  let most = ''
  let length = 0
  for (const [topicId, partitions] of share.byTopic) {
    if (partitions.length > length) {
      most = topicId
      length = partitions.length
    }
  }
  return takeOf(share, most)
}

function takeOf(share: Share, topicId: string): Orphan {
  const partition = share.byTopic.get(topicId)!.pop()!
  share.count -= 1
  return { topicId, partition }
}

function give(share: Share, { topicId, partition }: Orphan): void {
  const partitions = share.byTopic.get(topicId)
  if (partitions === undefined) share.byTopic.set(topicId, [partition])
  else partitions.push(partition)
  share.count += 1
}

function targetFrom(byTopic: ReadonlyMap<string, readonly number[]>): TopicPartitions {
  const target = new Map<string, readonly number[]>()
  for (const [topicId, partitions] of byTopic) {
    if (partitions.length > 0) target.set(topicId, ascending(partitions))
  }
  return target
}

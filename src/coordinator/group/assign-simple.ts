/**
 * The assignor of share groups: each partition has a reader and each reader a partition, spread as
 * evenly as that goes, and what a member had before it keeps. Source: Kafka's SimpleAssignor,
 * KIP-932.
 */
import { type AssignorMember, byMemberId, isHomogeneous } from './assign-spec.ts'
import { ascending, type TopicPartitions } from './consumer-partitions.ts'

/** The name that ShareGroupDescribe answers. */
export const SIMPLE_ASSIGNOR = 'simple'

/** A partition of a topic. */
interface Place {
  readonly topicId: string
  readonly partition: number
}

/**
 * By member id what each is to have. `partitionsOf`: the partitions of a topic that may be given
 * away. A partition may have several readers if there are more members than partitions.
 */
export function assignSimple(
  members: readonly AssignorMember[],
  partitionsOf: (topicId: string) => readonly number[],
): Map<string, TopicPartitions> {
  const given = new Map(members.map(({ memberId }) => [memberId, new Map<string, number[]>()]))
  const sorted = byMemberId(members)
  const topics = [...new Set(members.flatMap(({ topicIds }) => topicIds))].sort()
  const placesOf = (topicId: string) => {
    return partitionsOf(topicId).map((partition) => ({ topicId, partition }))
  }
  if (isHomogeneous(members)) spread(sorted, topics.flatMap(placesOf), given)
  else {
    for (const topic of topics) {
      const readers = sorted.filter(({ topicIds }) => topicIds.includes(topic))
      spread(readers, placesOf(topic), given)
    }
  }
  return new Map(
    [...given].map(([memberId, byTopic]) => [
      memberId,
      new Map([...byTopic].map(([topicId, partitions]) => [topicId, ascending(partitions)])),
    ]),
  )
}

/** Pairs members with places, each at least once if there are any of the others. */
function spread(
  members: readonly AssignorMember[],
  places: readonly Place[],
  given: ReadonlyMap<string, Map<string, number[]>>,
): void {
  const give = ({ memberId }: AssignorMember, { topicId, partition }: Place) => {
    const byTopic = given.get(memberId)!
    const known = byTopic.get(topicId)
    if (known === undefined) byTopic.set(topicId, [partition])
    else known.push(partition)
  }
  const had = ({ partitions }: AssignorMember, { topicId, partition }: Place) => {
    return partitions.get(topicId)?.includes(partition) === true
  }
  if (members.length === 0 || places.length === 0) return
  if (places.length >= members.length) {
    for (const [place, member] of match(places, members, (a, b) => had(b, a))) give(member, place)
  } else for (const [member, place] of match(members, places, had)) give(member, place)
}

/**
 * Gives each of `many` one of `few`, which all get equally many or one more. `before`: whether they
 * were together; those stay together as far as there is room.
 */
function match<M, F>(
  many: readonly M[],
  few: readonly F[],
  before: (one: M, other: F) => boolean,
): [M, F][] {
  const each = Math.floor(many.length / few.length)
  /** How many may still get one more than `each`. */
  let more = many.length % few.length
  const counts = new Map(few.map((one) => [one, 0]))
  const pairs: [M, F][] = []
  const hasRoom = (one: F) => {
    const count = counts.get(one)!
    return count < each || (count === each && more > 0)
  }
  const pair = (one: M, other: F) => {
    const count = counts.get(other)!
    if (count === each) more--
    counts.set(other, count + 1)
    pairs.push([one, other])
  }
  const left = many.filter((one) => {
    const other = few.find((candidate) => hasRoom(candidate) && before(one, candidate))
    if (other !== undefined) pair(one, other)
    return other === undefined
  })
  let at = 0
  for (const one of left) {
    while (!hasRoom(few[at]!)) at++
    pair(one, few[at]!)
  }
  return pairs
}

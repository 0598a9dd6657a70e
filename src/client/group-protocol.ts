/** What members of a classic group tell each other inside of JoinGroup and SyncGroup: the embedded
 *  consumer protocol. Pure. KIP-429, KIP-792. */
import { readInt16, readInt32, writeInt32 } from '../base/bytes.ts'
import { decodeMessage, encodeMessage } from '../protocol/compile.ts'
import { ConsumerProtocolAssignment } from '../protocol/records/consumer-protocol-assignment.ts'
import { ConsumerProtocolSubscription } from '../protocol/records/consumer-protocol-subscription.ts'
import { Writer } from '../protocol/writer.ts'
import type { AssignorMember, AssignorName, GroupAssignment } from './assignors.ts'
import { byTopic, type TopicPartition } from './topic-partition.ts'

/** v2 tells the generation; the rack of v3 is of no use to our assignors. */
const SUBSCRIPTION_VERSION = 2
const ASSIGNMENT_VERSION = 1
const PREFIX_BYTES = 2
const INT32_BYTES = 4

const writer = new Writer()

/** What a member says when it joins. */
export interface Subscription {
  readonly topics: readonly string[]
  readonly owned: readonly TopicPartition[]
  /** The generation of `owned`; -1: none. */
  readonly generation: number
}

/** The metadata of one protocol. The eager sticky assignor says in its own form what it had, since
 *  nothing is owned any more when it joins. */
export function encodeSubscription(
  name: AssignorName,
  { topics, owned, generation }: Subscription,
  before: Pick<Subscription, 'owned' | 'generation'>,
): Buffer {
  let userData: Buffer | null = null
  if (name === 'cooperative-sticky') {
    userData = Buffer.alloc(INT32_BYTES)
    writeInt32(userData, 0, generation)
  } else if (name === 'sticky') {
    userData = encodeStickyData(before)
  }
  writer.reset()
  writer.int16(SUBSCRIPTION_VERSION)
  const ownedPartitions = partitionLists(owned)
  const value = { topics: [...topics], userData, ownedPartitions, generationId: generation }
  encodeMessage(ConsumerProtocolSubscription, SUBSCRIPTION_VERSION, value, writer)
  return writer.finish()
}

/** A member of the group from its metadata. Throws MalformedRequest. */
export function decodeMember(
  name: AssignorName,
  memberId: string,
  groupInstanceId: string | null,
  metadata: Buffer,
): AssignorMember {
  const version = Math.min(readInt16(metadata, 0), ConsumerProtocolSubscription.versions[1])
  const said = decodeMessage(ConsumerProtocolSubscription, version, metadata, PREFIX_BYTES)
  let owned: readonly TopicPartition[] = flat(said.ownedPartitions)
  let generation = said.generationId
  const { userData } = said
  if (name === 'sticky' && userData !== null && userData.length > INT32_BYTES) {
    const before = decodeStickyData(userData)
    owned = before.owned
    generation = before.generation
  } else if (generation < 0 && userData !== null && userData.length === INT32_BYTES) {
    generation = readInt32(userData, 0)
  }
  return { memberId, groupInstanceId, topics: said.topics, owned, generation }
}

/** What the leader gives to a member. */
export function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  writer.reset()
  writer.int16(ASSIGNMENT_VERSION)
  const value = { assignedPartitions: partitionLists(partitions), userData: null }
  encodeMessage(ConsumerProtocolAssignment, ASSIGNMENT_VERSION, value, writer)
  return writer.finish()
}

/** What the leader gives to all members. */
export function encodeAssignments(assignment: GroupAssignment) {
  return [...assignment].map(([memberId, partitions]) => ({
    memberId,
    assignment: encodeAssignment(partitions),
  }))
}

/** What the leader gave; nothing if there are no bytes. Throws MalformedRequest. */
export function decodeAssignment(bytes: Buffer): TopicPartition[] {
  if (bytes.length < PREFIX_BYTES) return []
  const version = Math.min(readInt16(bytes, 0), ConsumerProtocolAssignment.versions[1])
  const said = decodeMessage(ConsumerProtocolAssignment, version, bytes, PREFIX_BYTES)
  return flat(said.assignedPartitions)
}

function partitionLists(partitions: readonly TopicPartition[]) {
  return [...byTopic(partitions)].map(([topic, list]) => ({
    topic,
    partitions: list.map(({ partition }) => partition),
  }))
}

function flat(
  topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
): TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) =>
    partitions.map((partition) => ({ topic, partition })),
  )
}

/** StickyAssignorUserData v1: the previous assignment as an array of topic and partitions, and the
 *  generation. */
function encodeStickyData({ owned, generation }: Pick<Subscription, 'owned' | 'generation'>) {
  writer.reset()
  const lists = partitionLists(owned)
  writer.int32(lists.length)
  for (const { topic, partitions } of lists) {
    writer.string(topic)
    writer.int32(partitions.length)
    for (const partition of partitions) writer.int32(partition)
  }
  writer.int32(generation)
  return writer.finish()
}

function decodeStickyData(bytes: Buffer): Pick<AssignorMember, 'owned' | 'generation'> {
  const owned: TopicPartition[] = []
  let at = INT32_BYTES
  for (let topics = readInt32(bytes, 0); topics > 0; topics--) {
    const length = readInt16(bytes, at)
    const topic = bytes.toString('utf8', at + PREFIX_BYTES, at + PREFIX_BYTES + length)
    at += PREFIX_BYTES + length
    const count = readInt32(bytes, at)
    at += INT32_BYTES
    for (let i = 0; i < count && at + INT32_BYTES <= bytes.length; i++) {
      owned.push({ topic, partition: readInt32(bytes, at) })
      at += INT32_BYTES
    }
    if (at + INT32_BYTES > bytes.length) break
  }
  const generation = at + INT32_BYTES <= bytes.length ? readInt32(bytes, at) : -1
  return { owned, generation }
}

/** The embedded consumer protocol, between topic names and the topic ids of consumer groups. */
import { readInt16 } from '../../base/bytes.ts'
import { decodeMessage, encodeMessage } from '../../protocol/compile.ts'
import { MalformedRequest } from '../../protocol/reader.ts'
import { ConsumerProtocolAssignment } from '../../protocol/records/consumer-protocol-assignment.ts'
import { Writer } from '../../protocol/writer.ts'
import {
  NO_TARGET,
  type PartitionList,
  type TopicPartitions,
  targetOf,
} from './consumer-partitions.ts'
import type { TopicDirectory } from './consumer-topics.ts'

const VERSION_BYTES = 2

const writer = new Writer()

/**
 * An assignment that cannot be taken over: its bytes are none, or a client's assignor says more.
 */
export type ForeignAssignment = 'malformed' | 'user data'

/** The partitions of an assignment; topics that do not exist are left out. */
export function decodeAssignment(
  assignment: Buffer,
  topics: TopicDirectory,
): TopicPartitions | ForeignAssignment {
  if (assignment.length === 0) return NO_TARGET
  if (assignment.length < VERSION_BYTES) return 'malformed'
  const version = readInt16(assignment, 0)
  if (version < 0) return 'malformed'
  const known = Math.min(version, ConsumerProtocolAssignment.versions[1])
  try {
    const decoded = decodeMessage(ConsumerProtocolAssignment, known, assignment, VERSION_BYTES)
    if (decoded.userData !== null && decoded.userData.length > 0) return 'user data'
    return targetOf(byId(decoded.assignedPartitions, topics))
  } catch (error) {
    if (!(error instanceof MalformedRequest)) throw error
    return 'malformed'
  }
}

/** What a classic member is told of its partitions, in the version of its subscription. */
export function encodeAssignment(
  list: PartitionList,
  subscription: Buffer | undefined,
  topics: TopicDirectory,
): Buffer {
  const says = subscription !== undefined && subscription.length >= VERSION_BYTES
  const wanted = says ? Math.max(readInt16(subscription, 0), 0) : 0
  const version = Math.min(wanted, ConsumerProtocolAssignment.versions[1])
  const assignedPartitions = list.flatMap(({ topicId, partitions }) => {
    const topic = topics.topicById(topicId)
    return topic === undefined ? [] : [{ topic: topic.name, partitions }]
  })
  writer.reset()
  writer.int16(version)
  encodeMessage(ConsumerProtocolAssignment, version, { assignedPartitions }, writer)
  return writer.finish()
}

/** Topics by id; those that do not exist are left out. */
export function byId(
  list: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
  topics: TopicDirectory,
): PartitionList {
  return list.flatMap(({ topic, partitions }) => {
    const known = topics.topic(topic)
    return known === undefined ? [] : [{ topicId: known.id, partitions }]
  })
}

/**
 * DescribeQuorum 0-2 (KIP-595, v1 KIP-836, v2 KIP-853).
 * Kept: partition 0 of __cluster_metadata has one voter, this node; a request for anything else or
 *   more is UNKNOWN_TOPIC_OR_PARTITION.
 * Differs: metadata is no log of batches here. The log end counts the changes that this thread has
 *   taken in since the start, so that a tool that watches it grow sees it grow.
 */
import { CLUSTER_METADATA_TOPIC } from '../../cluster/topic-name.ts'
import { DescribeQuorum } from '../../protocol/apis/55-describe-quorum.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { RequestOf, ResponseInput } from '../../protocol/schema.ts'
import { defineHandler, type Exchange } from './handler.ts'
import { UNKNOWN_PARTITION_MESSAGE } from './kafka-messages.ts'

type Request = RequestOf<typeof DescribeQuorum>
type Response = ResponseInput<typeof DescribeQuorum>

export const describeQuorum = defineHandler(DescribeQuorum, [0, 2], (request, exchange) => {
  exchange.reply(asksForMetadata(request) ? quorum(exchange) : unknown(request))
})

function asksForMetadata({ topics }: Request): boolean {
  const [topic] = topics
  if (!topic || topics.length > 1 || topic.topicName !== CLUSTER_METADATA_TOPIC) return false
  return topic.partitions.length === 1 && topic.partitions[0]?.partitionIndex === 0
}

function quorum({ apiVersion, context, endpoint }: Exchange<Response>): Response {
  const { image, clock } = context
  const now = clock.wallMs()
  const voter = {
    replicaId: image.nodeId,
    logEndOffset: image.changeCount,
    lastFetchTimestamp: now,
    lastCaughtUpTimestamp: now,
  }
  const partition = {
    partitionIndex: 0,
    errorMessage: '',
    leaderId: image.nodeId,
    leaderEpoch: image.startCount,
    highWatermark: image.changeCount,
    currentVoters: [voter],
  }
  const listeners = [{ name: 'CONTROLLER', ...endpoint }]
  return {
    errorMessage: '',
    topics: [{ topicName: CLUSTER_METADATA_TOPIC, partitions: [partition] }],
    // Older versions have no field for it, and it may not be dropped silently.
    nodes: apiVersion >= 2 ? [{ nodeId: image.nodeId, listeners }] : [],
  }
}

function unknown({ topics }: Request): Response {
  const errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  const errorMessage = UNKNOWN_PARTITION_MESSAGE
  return {
    errorMessage: '',
    topics: topics.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode,
        errorMessage,
      })),
    })),
  }
}

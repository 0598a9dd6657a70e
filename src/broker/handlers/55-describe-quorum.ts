/**
 * DescribeQuorum 0-2 (KIP-595, v1 KIP-836, v2 KIP-853).
 * Kept: partition 0 of __cluster_metadata has one voter, this node; any other partition is
 *   UNKNOWN_TOPIC_OR_PARTITION.
 * Differs: metadata is no log of batches here. The log end counts the changes that this thread has
 *   taken in since the start, so that a tool that watches it grow sees it grow.
 */
import { CLUSTER_METADATA_TOPIC } from '../../cluster/topic-name.ts'
import { DescribeQuorum } from '../../protocol/apis/55-describe-quorum.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { defineHandler } from './handler.ts'

export const describeQuorum = defineHandler(DescribeQuorum, [0, 2], (request, exchange) => {
  const { context, endpoint } = exchange
  const { image } = context
  const now = context.clock.wallMs()
  const voter = {
    replicaId: image.nodeId,
    logEndOffset: image.changeCount,
    lastFetchTimestamp: now,
    lastCaughtUpTimestamp: now,
  }
  const leader = {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    leaderId: image.nodeId,
    leaderEpoch: image.startCount,
    highWatermark: image.changeCount,
    currentVoters: [voter],
  }
  const unknown = { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: null }
  exchange.reply({
    errorMessage: null,
    topics: request.topics.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        ...(topicName === CLUSTER_METADATA_TOPIC && partitionIndex === 0 ? leader : unknown),
      })),
    })),
    nodes: [{ nodeId: image.nodeId, listeners: [{ name: 'CONTROLLER', ...endpoint }] }],
  })
})

/**
 * AlterPartitionReassignments 0-1 (KIP-455).
 * Kept: a partition may be "moved" to this node, where it is; any other node is
 *   INVALID_REPLICA_ASSIGNMENT; null cancels a move, and there is none:
 *   NO_REASSIGNMENT_IN_PROGRESS; unknown partitions; a request that grants no time is
 *   REQUEST_TIMED_OUT.
 */
import type { Outcome } from '../../cluster/commands.ts'
import { replicasProblem } from '../../cluster/create-topics.ts'
import type { ClusterImage } from '../../cluster/image.ts'
import { AlterPartitionReassignments } from '../../protocol/apis/45-alter-partition-reassignments.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { timedOut } from './controller-lost.ts'
import { defineHandler } from './handler.ts'

export const alterPartitionReassignments = defineHandler(
  AlterPartitionReassignments,
  [0, 1],
  (request, exchange) => {
    const { image } = exchange.context
    const outOfTime = request.timeoutMs <= 0 ? timedOut : undefined
    exchange.reply({
      errorCode: outOfTime?.errorCode ?? ErrorCode.NONE,
      allowReplicationFactorChange: request.allowReplicationFactorChange,
      errorMessage: request.topics.length === 0 ? '' : null,
      responses: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, replicas }) => ({
          partitionIndex,
          ...(outOfTime ?? outcomeOf(image, { name, partitionIndex, replicas })),
        })),
      })),
    })
  },
)

function outcomeOf(
  image: ClusterImage,
  asked: { name: string; partitionIndex: number; replicas: readonly number[] | null },
): Outcome {
  const topic = image.topic(asked.name)
  if (!topic?.partitions[asked.partitionIndex]) {
    const errorMessage = topic
      ? `Unable to find partition ${asked.name}:${asked.partitionIndex}.`
      : `Unable to find a topic named ${asked.name}.`
    return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage }
  }
  if (asked.replicas === null)
    return { errorCode: ErrorCode.NO_REASSIGNMENT_IN_PROGRESS, errorMessage: null }
  const problem = replicasProblem(image.nodeId, asked.replicas)
  return problem === null
    ? { errorCode: ErrorCode.NONE, errorMessage: null }
    : { errorCode: ErrorCode.INVALID_REPLICA_ASSIGNMENT, errorMessage: problem }
}

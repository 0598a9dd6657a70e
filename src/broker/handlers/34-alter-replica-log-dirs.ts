/**
 * AlterReplicaLogDirs 1-2 (KIP-113).
 * Kept: there is one data directory; a partition may be "moved" there, where it is. Any other path
 *   is LOG_DIR_NOT_FOUND, a partition that is not here UNKNOWN_TOPIC_OR_PARTITION.
 */
import { AlterReplicaLogDirs } from '../../protocol/apis/34-alter-replica-log-dirs.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { defineHandler } from './handler.ts'

export const alterReplicaLogDirs = defineHandler(
  AlterReplicaLogDirs,
  [1, 2],
  (request, exchange) => {
    const { image, dataDir } = exchange.context
    const topics = new Map<string, Map<number, ErrorCode>>()
    for (const { path, topics: moved } of request.dirs) {
      for (const { name, partitions } of moved) {
        if (partitions.length === 0) continue
        const outcomes = topics.get(name) ?? new Map<number, ErrorCode>()
        topics.set(name, outcomes)
        for (const index of partitions) {
          const known = image.topic(name)?.partitions[index]
          if (path !== dataDir) outcomes.set(index, ErrorCode.LOG_DIR_NOT_FOUND)
          else outcomes.set(index, known ? ErrorCode.NONE : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
        }
      }
    }
    exchange.reply({
      results: [...topics].map(([topicName, outcomes]) => ({
        topicName,
        partitions: [...outcomes].map(([partitionIndex, errorCode]) => ({
          partitionIndex,
          errorCode,
        })),
      })),
    })
  },
)

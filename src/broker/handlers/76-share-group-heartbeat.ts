/**
 * ShareGroupHeartbeat 1 (KIP-932).
 * Kept: Kafka's checks in Kafka's order with its sentences; targets not more often than the group's
 *   assignment interval; each partition has a reader and each reader a partition.
 * Differs: a member has its partitions with the first answer, because their state is made before it
 *   leaves; Kafka makes it afterwards, and the member waits for another heartbeat.
 */
import { ShareGroupHeartbeat } from '../../protocol/apis/76-share-group-heartbeat.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { askCoordinator } from './coordinator.ts'
import { defineHandler } from './handler.ts'

export const shareGroupHeartbeat = defineHandler(
  ShareGroupHeartbeat,
  [1, 1],
  (request, exchange) => {
    const lost = () => ({ errorCode: ErrorCode.NOT_COORDINATOR })
    askCoordinator('share-group-heartbeat', request, exchange, lost)
  },
)

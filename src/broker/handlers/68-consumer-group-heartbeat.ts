/**
 * ConsumerGroupHeartbeat 0-1 (KIP-848; v1 client-made member ids and regular expressions).
 * Kept: Kafka's checks in Kafka's order with its sentences; targets not more often than the group's
 *   assignment interval; a classic group of consumers is taken over by the first member that joins.
 * Differs: a regular expression is resolved before the answer that brings it, so that a member has
 *   its partitions one heartbeat earlier; one that compiles to more than 10,000 instructions is
 *   INVALID_REGULAR_EXPRESSION.
 */
import { ConsumerGroupHeartbeat } from '../../protocol/apis/68-consumer-group-heartbeat.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { askCoordinator } from './coordinator.ts'
import { defineHandler } from './handler.ts'

export const consumerGroupHeartbeat = defineHandler(
  ConsumerGroupHeartbeat,
  [0, 1],
  (request, exchange) => {
    const lost = () => ({ errorCode: ErrorCode.NOT_COORDINATOR })
    askCoordinator('consumer-group-heartbeat', request, exchange, lost)
  },
)

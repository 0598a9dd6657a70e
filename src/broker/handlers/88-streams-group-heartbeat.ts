/**
 * StreamsGroupHeartbeat 0 (KIP-1071).
 * Kept: Kafka's checks in Kafka's order with its sentences; the tasks of Kafka's sticky assignor; a
 *   first target after the group's initial rebalance delay, further ones not more often than its
 *   assignment interval; internal topics are created after the answer that finds them missing, and
 *   what went wrong with that is told for two heartbeats. As in Kafka 4.3 there are no static
 *   members, no warm-up tasks and no regular expressions.
 * Differs: a member with an endpoint is answered while source topics are missing (Kafka:
 *   UNKNOWN_SERVER_ERROR). One that says what tasks it has, and was given others, is told them
 *   again, since an answer may have been lost; in Kafka these stay undone until the next rebalance.
 */
import { StreamsGroupHeartbeat } from '../../protocol/apis/88-streams-group-heartbeat.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { askCoordinator } from './coordinator.ts'
import { defineHandler } from './handler.ts'

export const streamsGroupHeartbeat = defineHandler(
  StreamsGroupHeartbeat,
  [0, 0],
  (request, exchange) => {
    const lost = () => ({ errorCode: ErrorCode.NOT_COORDINATOR })
    askCoordinator('streams-group-heartbeat', request, exchange, lost)
  },
)

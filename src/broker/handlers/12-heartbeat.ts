/**
 * Heartbeat 0-4 (v3 static members KIP-345).
 * Kept: REBALANCE_IN_PROGRESS while the group waits for members to join again; success while the
 *   coordinator still loads, so that nobody is lost for that.
 */
import { Heartbeat } from '../../protocol/apis/12-heartbeat.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { askCoordinator } from './coordinator.ts'
import { defineHandler } from './handler.ts'

export const heartbeat = defineHandler(Heartbeat, [0, 4], (request, exchange) => {
  askCoordinator('heartbeat', request, exchange, () => ({ errorCode: ErrorCode.NOT_COORDINATOR }))
})

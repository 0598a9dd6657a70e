/**
 * SyncGroup 0-5 (v3 static members KIP-345, v5 protocol checks KIP-559).
 * Kept: followers wait for the leader's assignment; members hear of it once it is in the log.
 */
import { syncFailure } from '../../coordinator/group/classic-rebalance.ts'
import { SyncGroup } from '../../protocol/apis/14-sync-group.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { askCoordinator } from './coordinator.ts'
import { defineHandler } from './handler.ts'

/** From this version on a member has to say which protocol it takes part in. */
const PROTOCOL_FROM = 5

export const syncGroup = defineHandler(SyncGroup, [0, 5], (request, exchange) => {
  const { protocolType, protocolName } = request
  if (exchange.apiVersion >= PROTOCOL_FROM && (protocolType === null || protocolName === null)) {
    exchange.reply(syncFailure(ErrorCode.INCONSISTENT_GROUP_PROTOCOL))
    return
  }
  askCoordinator('sync-group', request, exchange, () => syncFailure(ErrorCode.NOT_COORDINATOR))
})

/**
 * AlterShareGroupOffsets 0 (KIP-932).
 * Kept: empty groups only; a group that is unknown is made; any offset is taken as it is.
 */
import { AlterShareGroupOffsets } from '../../protocol/apis/91-alter-share-group-offsets.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { askCoordinator } from './coordinator.ts'
import { defineHandler } from './handler.ts'

export const alterShareGroupOffsets = defineHandler(
  AlterShareGroupOffsets,
  [0, 0],
  (request, exchange) => {
    const lost = () => ({ errorCode: ErrorCode.NOT_COORDINATOR })
    askCoordinator('alter-share-group-offsets', request, exchange, lost)
  },
)

/**
 * DeleteShareGroupOffsets 0 (KIP-932).
 * Kept: empty groups only; a topic that the group never read is UNKNOWN_TOPIC_OR_PARTITION.
 */
import { DeleteShareGroupOffsets } from '../../protocol/apis/92-delete-share-group-offsets.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { askCoordinator } from './coordinator.ts'
import { defineHandler } from './handler.ts'

export const deleteShareGroupOffsets = defineHandler(
  DeleteShareGroupOffsets,
  [0, 0],
  (request, exchange) => {
    const lost = () => ({ errorCode: ErrorCode.NOT_COORDINATOR })
    askCoordinator('delete-share-group-offsets', request, exchange, lost)
  },
)

/**
 * OffsetDelete 0 (KIP-496).
 * Kept: offsets of topics that a member reads stay (GROUP_SUBSCRIBED_TO_TOPIC); in a group whose
 *   members are no consumers only while it is empty; an offset that is not there is deleted as
 *   well.
 */
import { deleteOffsetsFailure } from '../../coordinator/group/offsets-commit.ts'
import { OffsetDelete } from '../../protocol/apis/47-offset-delete.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { askCoordinator } from './coordinator.ts'
import { defineHandler } from './handler.ts'

export const offsetDelete = defineHandler(OffsetDelete, [0, 0], (request, exchange) => {
  askCoordinator('offset-delete', request, exchange, () => {
    return deleteOffsetsFailure(ErrorCode.NOT_COORDINATOR)
  })
})

/**
 * OffsetFetch 1-10 (v2 all topics, v5 leader epochs KIP-320, v7 stable offsets KIP-447, v8 several
 * groups KIP-709, v9 member epochs KIP-848, v10 topic ids).
 * Kept: what was not committed is offset -1 without an error, also of unknown groups and topics;
 *   with require_stable an offset that an open transaction holds is UNSTABLE_OFFSET_COMMIT.
 */
import { fetchAnswer, fetchFailure, groupsAsked } from '../../coordinator/group/offsets-fetch.ts'
import { OffsetFetch } from '../../protocol/apis/09-offset-fetch.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { askCoordinator } from './coordinator.ts'
import { defineHandler } from './handler.ts'

export const offsetFetch = defineHandler(OffsetFetch, [1, 10], (request, exchange) => {
  const { apiVersion } = exchange
  askCoordinator('offset-fetch', request, exchange, () => {
    const groups = groupsAsked(request, apiVersion).map((asked) => {
      return fetchFailure(ErrorCode.NOT_COORDINATOR, asked, apiVersion)
    })
    return fetchAnswer(apiVersion, groups)
  })
})

import { array, defineApi, int16, int32, int64, nullable, string, struct } from '../schema.ts'

/** ListTransactions: the transactions of this coordinator. KIP-664; v1 KIP-994 (duration); v2
 *  KIP-1152 (pattern of ids). */
export const ListTransactions = defineApi({
  key: 66,
  name: 'ListTransactions',
  versions: [0, 2],
  flexibleFrom: 0,
  request: {
    stateFilters: array(string()),
    producerIdFilters: array(int64()),
    durationFilter: int64().since(1).default(-1),
    transactionalIdPattern: nullable(string()).since(2),
  },
  response: {
    throttleTimeMs: int32(),
    // COORDINATOR_LOAD_IN_PROGRESS · COORDINATOR_NOT_AVAILABLE ·
    // INVALID_REGULAR_EXPRESSION
    errorCode: int16(),
    unknownStateFilters: array(string()),
    transactionStates: array(
      struct({
        transactionalId: string(),
        producerId: int64(),
        transactionState: string(),
      }),
    ),
  },
})

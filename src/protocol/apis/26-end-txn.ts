import { bool, defineApi, int16, int32, int64, string } from '../schema.ts'

/** EndTxn: commits or aborts a transaction. KIP-98; v5 KIP-890 (the response has the next
 *  producer id and epoch). */
export const EndTxn = defineApi({
  key: 26,
  name: 'EndTxn',
  versions: [0, 5],
  flexibleFrom: 3,
  request: {
    transactionalId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    committed: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
    // TRANSACTIONAL_ID_AUTHORIZATION_FAILED · INVALID_PRODUCER_ID_MAPPING ·
    // INVALID_TXN_STATE · PRODUCER_FENCED · CONCURRENT_TRANSACTIONS ·
    // INVALID_PRODUCER_EPOCH
    errorCode: int16(),
    producerId: int64().since(5).default(-1).ignorable(),
    producerEpoch: int16().since(5).default(-1).ignorable(),
  },
})

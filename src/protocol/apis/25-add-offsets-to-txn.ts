import { defineApi, int16, int32, int64, string } from '../schema.ts'

/** AddOffsetsToTxn: the offsets of a group join a transaction. KIP-98; v4 KIP-890. */
export const AddOffsetsToTxn = defineApi({
  key: 25,
  name: 'AddOffsetsToTxn',
  versions: [0, 4],
  flexibleFrom: 3,
  request: {
    transactionalId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    groupId: string(),
  },
  response: {
    throttleTimeMs: int32(),
    // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
    // TRANSACTIONAL_ID_AUTHORIZATION_FAILED · INVALID_PRODUCER_ID_MAPPING ·
    // INVALID_TXN_STATE · PRODUCER_FENCED · CONCURRENT_TRANSACTIONS ·
    // GROUP_AUTHORIZATION_FAILED · INVALID_PRODUCER_EPOCH
    errorCode: int16(),
  },
})

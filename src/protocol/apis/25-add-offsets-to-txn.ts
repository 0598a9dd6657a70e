import {
  defineApi,
  int16,
  int32,
  int64,
  type RequestOf,
  type ResponseOf,
  string,
} from '../schema.ts'

/** AddOffsetsToTxn. */
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
    errorCode: int16(),
  },
})
/** A decoded request. */
export type AddOffsetsToTxnRequest = RequestOf<typeof AddOffsetsToTxn>
/** A decoded response. */
export type AddOffsetsToTxnResponse = ResponseOf<typeof AddOffsetsToTxn>

import {
  bool,
  defineApi,
  int16,
  int32,
  int64,
  type RequestOf,
  type ResponseOf,
  string,
} from '../schema.ts'

/** EndTxn. */
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
    errorCode: int16(),
    producerId: int64().since(5).default(-1).ignorable(),
    producerEpoch: int16().since(5).default(-1).ignorable(),
  },
})
/** A decoded request. */
export type EndTxnRequest = RequestOf<typeof EndTxn>
/** A decoded response. */
export type EndTxnResponse = ResponseOf<typeof EndTxn>

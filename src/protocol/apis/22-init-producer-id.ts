import {
  bool,
  defineApi,
  int16,
  int32,
  int64,
  nullable,
  type RequestOf,
  type ResponseOf,
  string,
} from '../schema.ts'

/** InitProducerId. */
export const InitProducerId = defineApi({
  key: 22,
  name: 'InitProducerId',
  versions: [0, 6],
  latestStable: 5,
  flexibleFrom: 2,
  request: {
    transactionalId: nullable(string()).default(''),
    transactionTimeoutMs: int32(),
    producerId: int64().since(3).default(-1),
    producerEpoch: int16().since(3).default(-1),
    enable2Pc: bool().since(6),
    keepPreparedTxn: bool().since(6),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    producerId: int64().default(-1),
    producerEpoch: int16(),
    ongoingTxnProducerId: int64().since(6).default(-1),
    ongoingTxnProducerEpoch: int16().since(6).default(-1),
  },
})
/** A decoded request. */
export type InitProducerIdRequest = RequestOf<typeof InitProducerId>
/** A decoded response. */
export type InitProducerIdResponse = ResponseOf<typeof InitProducerId>

import { bool, defineApi, int16, int32, int64, nullable, string } from '../schema.ts'

/** InitProducerId: gives a producer its id and epoch. KIP-98; v3 KIP-360 (bump of the epoch);
 *  v6, not stable, KIP-939 (two-phase commit). */
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
    // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
    // INVALID_TRANSACTION_TIMEOUT · INVALID_REQUEST · PRODUCER_FENCED ·
    // INVALID_PRODUCER_EPOCH · CONCURRENT_TRANSACTIONS ·
    // TRANSACTIONAL_ID_AUTHORIZATION_FAILED · CLUSTER_AUTHORIZATION_FAILED
    errorCode: int16(),
    producerId: int64().default(-1),
    producerEpoch: int16(),
    ongoingTxnProducerId: int64().since(6).default(-1),
    ongoingTxnProducerEpoch: int16().since(6).default(-1),
  },
})

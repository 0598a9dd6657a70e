import { array, defineApi, int16, int32, int64, nullable, string, struct } from '../schema.ts'

/** TxnOffsetCommit: stores offsets of a group in a transaction. KIP-98; v3 KIP-447 (generation
 *  and member); v5 KIP-890. */
export const TxnOffsetCommit = defineApi({
  key: 28,
  name: 'TxnOffsetCommit',
  versions: [0, 5],
  flexibleFrom: 3,
  request: {
    transactionalId: string(),
    groupId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    generationId: int32().since(3).default(-1),
    memberId: string().since(3),
    groupInstanceId: nullable(string()).since(3),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            committedOffset: int64(),
            committedLeaderEpoch: int32().since(2).default(-1).ignorable(),
            committedMetadata: nullable(string()).default(''),
          }),
        ),
      }),
    ),
  },
  response: {
    throttleTimeMs: int32(),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
            // ILLEGAL_GENERATION · UNKNOWN_MEMBER_ID · FENCED_INSTANCE_ID ·
            // STALE_MEMBER_EPOCH · INVALID_PRODUCER_EPOCH · INVALID_TXN_STATE ·
            // OFFSET_METADATA_TOO_LARGE · UNKNOWN_TOPIC_OR_PARTITION ·
            // TRANSACTIONAL_ID_AUTHORIZATION_FAILED · GROUP_AUTHORIZATION_FAILED ·
            // TOPIC_AUTHORIZATION_FAILED
            errorCode: int16(),
          }),
        ),
      }),
    ),
  },
})

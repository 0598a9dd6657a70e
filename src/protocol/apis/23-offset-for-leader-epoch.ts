import {
  array,
  defineApi,
  int16,
  int32,
  int64,
  type RequestOf,
  type ResponseOf,
  string,
  struct,
} from '../schema.ts'

/** OffsetForLeaderEpoch. */
export const OffsetForLeaderEpoch = defineApi({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: [2, 4],
  flexibleFrom: 4,
  request: {
    replicaId: int32().since(3).default(-2).ignorable(),
    topics: array(
      struct({
        topic: string(),
        partitions: array(
          struct({
            partition: int32(),
            currentLeaderEpoch: int32().default(-1),
            leaderEpoch: int32(),
          }),
        ),
      }),
    ),
  },
  response: {
    throttleTimeMs: int32(),
    topics: array(
      struct({
        topic: string(),
        partitions: array(
          struct({
            errorCode: int16(),
            partition: int32(),
            leaderEpoch: int32().default(-1),
            endOffset: int64().default(-1),
          }),
        ),
      }),
    ),
  },
})
/** A decoded request. */
export type OffsetForLeaderEpochRequest = RequestOf<typeof OffsetForLeaderEpoch>
/** A decoded response. */
export type OffsetForLeaderEpochResponse = ResponseOf<typeof OffsetForLeaderEpoch>

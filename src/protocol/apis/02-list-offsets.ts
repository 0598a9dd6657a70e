import {
  array,
  defineApi,
  int8,
  int16,
  int32,
  int64,
  type RequestOf,
  type ResponseOf,
  string,
  struct,
} from '../schema.ts'

/** ListOffsets. */
export const ListOffsets = defineApi({
  key: 2,
  name: 'ListOffsets',
  versions: [1, 11],
  flexibleFrom: 6,
  request: {
    replicaId: int32(),
    isolationLevel: int8().since(2),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            currentLeaderEpoch: int32().since(4).default(-1).ignorable(),
            timestamp: int64(),
          }),
        ),
      }),
    ),
    timeoutMs: int32().since(10).ignorable(),
  },
  response: {
    throttleTimeMs: int32().since(2).ignorable(),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            timestamp: int64().default(-1),
            offset: int64().default(-1),
            leaderEpoch: int32().since(4).default(-1),
          }),
        ),
      }),
    ),
  },
})
/** A decoded request. */
export type ListOffsetsRequest = RequestOf<typeof ListOffsets>
/** A decoded response. */
export type ListOffsetsResponse = ResponseOf<typeof ListOffsets>

import {
  array,
  defineApi,
  int16,
  int32,
  type RequestOf,
  type ResponseOf,
  string,
  struct,
} from '../schema.ts'

/** OffsetDelete. */
export const OffsetDelete = defineApi({
  key: 47,
  name: 'OffsetDelete',
  versions: [0, 0],
  flexibleFrom: null,
  request: {
    groupId: string(),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
          }),
        ),
      }),
    ),
  },
  response: {
    errorCode: int16(),
    throttleTimeMs: int32(),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
          }),
        ),
      }),
    ),
  },
})
/** A decoded request. */
export type OffsetDeleteRequest = RequestOf<typeof OffsetDelete>
/** A decoded response. */
export type OffsetDeleteResponse = ResponseOf<typeof OffsetDelete>

import {
  array,
  defineApi,
  int16,
  int32,
  int64,
  nullable,
  type RequestOf,
  type ResponseOf,
  string,
  struct,
  uuid,
} from '../schema.ts'

/** InitializeShareGroupState. */
export const InitializeShareGroupState = defineApi({
  key: 83,
  name: 'InitializeShareGroupState',
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    groupId: string(),
    topics: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partition: int32(),
            stateEpoch: int32(),
            startOffset: int64(),
          }),
        ),
      }),
    ),
  },
  response: {
    results: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partition: int32(),
            errorCode: int16(),
            errorMessage: nullable(string()),
          }),
        ),
      }),
    ),
  },
})
/** A decoded request. */
export type InitializeShareGroupStateRequest = RequestOf<typeof InitializeShareGroupState>
/** A decoded response. */
export type InitializeShareGroupStateResponse = ResponseOf<typeof InitializeShareGroupState>

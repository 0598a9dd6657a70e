import {
  array,
  defineApi,
  int16,
  int32,
  nullable,
  type RequestOf,
  type ResponseOf,
  string,
  struct,
  uuid,
} from '../schema.ts'

/** DeleteShareGroupOffsets. */
export const DeleteShareGroupOffsets = defineApi({
  key: 92,
  name: 'DeleteShareGroupOffsets',
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    groupId: string(),
    topics: array(
      struct({
        topicName: string(),
      }),
    ),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: nullable(string()),
    responses: array(
      struct({
        topicName: string(),
        topicId: uuid(),
        errorCode: int16(),
        errorMessage: nullable(string()),
      }),
    ),
  },
})
/** A decoded request. */
export type DeleteShareGroupOffsetsRequest = RequestOf<typeof DeleteShareGroupOffsets>
/** A decoded response. */
export type DeleteShareGroupOffsetsResponse = ResponseOf<typeof DeleteShareGroupOffsets>

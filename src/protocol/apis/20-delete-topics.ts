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

/** DeleteTopics. */
export const DeleteTopics = defineApi({
  key: 20,
  name: 'DeleteTopics',
  versions: [1, 6],
  flexibleFrom: 4,
  request: {
    topics: array(
      struct({
        name: nullable(string()),
        topicId: uuid(),
      }),
    ).since(6),
    topicNames: array(string()).until(5).ignorable(),
    timeoutMs: int32(),
  },
  response: {
    throttleTimeMs: int32(),
    responses: array(
      struct({
        name: nullable(string(), 6).default(''),
        topicId: uuid().since(6).ignorable(),
        errorCode: int16(),
        errorMessage: nullable(string()).since(5).ignorable(),
      }),
    ),
  },
})
/** A decoded request. */
export type DeleteTopicsRequest = RequestOf<typeof DeleteTopics>
/** A decoded response. */
export type DeleteTopicsResponse = ResponseOf<typeof DeleteTopics>

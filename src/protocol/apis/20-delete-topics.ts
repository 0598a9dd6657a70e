import { array, defineApi, int16, int32, nullable, string, struct, uuid } from '../schema.ts'

/** DeleteTopics: deletes topics. KIP-4; v6 KIP-516 (by topic id). */
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
        // UNKNOWN_TOPIC_OR_PARTITION · UNKNOWN_TOPIC_ID · TOPIC_DELETION_DISABLED ·
        // TOPIC_AUTHORIZATION_FAILED · INVALID_REQUEST · THROTTLING_QUOTA_EXCEEDED ·
        // REQUEST_TIMED_OUT
        errorCode: int16(),
        errorMessage: nullable(string()).since(5).ignorable(),
      }),
    ),
  },
})

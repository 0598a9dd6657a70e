/** Sentences of Kafka that clients print as they come, where the answer has room for one. */

/** INVALID_REQUEST without a better reason. */
export const INVALID_REQUEST_MESSAGE =
  'This most likely occurs because of a request being malformed by the client library or the ' +
  'message was sent to an incompatible broker. See the broker logs for more details.'

/** UNKNOWN_TOPIC_OR_PARTITION. */
export const UNKNOWN_PARTITION_MESSAGE = 'This server does not host this topic-partition.'

import { array, defineMessage, int64, type MessageOf, string } from '../schema.ts'
import { defineRecord } from './record.ts'

/** Key of ConsumerGroupRegularExpression. */
export const ConsumerGroupRegularExpressionKey = defineMessage({
  name: 'ConsumerGroupRegularExpressionKey',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    groupId: string(),
    regularExpression: string(),
  },
})

/** Value of ConsumerGroupRegularExpression. */
export const ConsumerGroupRegularExpressionValue = defineMessage({
  name: 'ConsumerGroupRegularExpressionValue',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    topics: array(string()),
    version: int64(),
    timestamp: int64(),
  },
})

/** The topics that fit a regular expression of a consumer group. KIP-848. */
export const ConsumerGroupRegularExpression = defineRecord({
  type: 16,
  key: ConsumerGroupRegularExpressionKey,
  value: ConsumerGroupRegularExpressionValue,
})
/** Decoded. */
export type ConsumerGroupRegularExpressionKey = MessageOf<typeof ConsumerGroupRegularExpressionKey>
/** Decoded. */
export type ConsumerGroupRegularExpressionValue = MessageOf<
  typeof ConsumerGroupRegularExpressionValue
>

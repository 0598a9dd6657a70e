/** Topic names by regular expression, as the coordinator needs them of an engine. KIP-848. */

/**
 * Largest compiled expression, in instructions of the engine. Matching costs at most this much per
 * character of each topic's name, on the thread of the coordinator.
 */
export const REGEX_PROGRAM_MAX = 10_000

/** A compiled expression. */
export interface TopicRegex {
  /** Whether the whole name fits. */
  fits(topicName: string): boolean
}

/**
 * RE2's syntax and its promise: time linear in the name, whatever the expression. Look-around and
 * back-references do not exist there.
 */
export interface RegexEngine {
  /** The compiled expression, or the sentence that says what is wrong with it. */
  compile(regex: string): TopicRegex | string
}

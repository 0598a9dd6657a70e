/**
 * Topic names by regular expression, with RE2's syntax and its promise: time linear in the name,
 * whatever the expression. Look-around and back-references do not exist there. KIP-848.
 */
import { RE2JS, RE2JSException, RE2JSSyntaxException } from 're2js'

/**
 * Largest compiled expression, in RE2 instructions. Matching costs at most this much per character
 * of each topic's name, on the thread of the coordinator.
 */
export const REGEX_PROGRAM_MAX = 10_000

/** A compiled expression. */
export interface TopicRegex {
  /** Whether the whole name fits. */
  fits(topicName: string): boolean
}

/** The compiled expression, or the sentence that says what is wrong with it. */
export function compileRegex(regex: string): TopicRegex | string {
  try {
    const compiled = RE2JS.compile(regex)
    if (compiled.programSize() > REGEX_PROGRAM_MAX) return 'expression too large'
    return { fits: (topicName) => compiled.testExact(topicName) }
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) return error.getDescription()
    if (error instanceof RE2JSException) return error.message
    throw error
  }
}

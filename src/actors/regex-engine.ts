/** The engine behind subscriptions by regular expression: RE2 in JavaScript. */
import { RE2JS, RE2JSException, RE2JSSyntaxException } from 're2js'
import { REGEX_PROGRAM_MAX, type RegexEngine } from '../coordinator/group/regex.ts'

/** See RegexEngine. */
export const regexEngine: RegexEngine = {
  compile(regex) {
    try {
      const compiled = RE2JS.compile(regex)
      if (compiled.programSize() > REGEX_PROGRAM_MAX) return 'expression too large'
      return { fits: (topicName) => compiled.testExact(topicName) }
    } catch (error) {
      if (error instanceof RE2JSSyntaxException) return error.getDescription()
      if (error instanceof RE2JSException) return error.message
      throw error
    }
  },
}

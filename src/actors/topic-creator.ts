/** How groups get topics of their own: the controller creates them. */
import type { GroupParts } from '../coordinator/group/coordinator.ts'
import { ErrorCode, errorName } from '../protocol/errors.ts'
import type { ControllerAnswers, ControllerCommand } from './mailbox/controller.ts'

/** What the group coordinator is given. Topics that exist already are as good as created. */
export function topicCreator(parts: {
  callController<C extends ControllerCommand>(
    command: C,
    answer: (result: ControllerAnswers[C['kind']] | undefined) => void,
  ): void
}): GroupParts['createTopics'] {
  return (topics, done) => {
    parts.callController({ kind: 'create-topics', topics, validateOnly: false }, (created) => {
      const failures = new Map<string, string>()
      for (const { name, errorCode, errorMessage } of created ?? []) {
        const exists = errorCode === ErrorCode.TOPIC_ALREADY_EXISTS
        if (errorCode === ErrorCode.NONE || exists) continue
        failures.set(name, errorMessage ?? errorName(errorCode))
      }
      done(failures)
    })
  }
}

/**
 * The handlers of the group APIs: each sends its request to the coordinator and awaits the answer.
 */
import type {
  CommandOf,
  GroupAnswers,
  GroupCommand,
  GroupCommandKind,
} from '../../coordinator/group/commands.ts'
import type { Exchange } from './handler.ts'

/**
 * Replies with what the coordinator answers. `lost`: what to say when its thread died meanwhile;
 * `complete`: adds what only this side knows.
 */
export function askCoordinator<K extends GroupCommandKind>(
  kind: K,
  request: CommandOf<K>['request'],
  exchange: Exchange<GroupAnswers[K]>,
  lost: () => GroupAnswers[K],
  complete: (answer: GroupAnswers[K]) => GroupAnswers[K] = (answer) => answer,
): void {
  const { apiVersion, clientHost, context, session } = exchange
  const clientId = exchange.clientId ?? ''
  const command: CommandOf<K> = { kind, apiVersion, clientId, clientHost, request }
  if (context.config['odradek.profile'] === 'dev') {
    session.isCoordinated = true
    command.connection = session.name
  }
  context.callCoordinator(command as unknown as GroupCommand, (answer) => {
    exchange.reply(answer === undefined ? lost() : complete(answer as GroupAnswers[K]))
  })
}

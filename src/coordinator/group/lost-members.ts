/**
 * Members whose client is gone without a word, in the profile dev: they leave at once. Static
 * members stay: they are to survive the restart of their client. KIP-345.
 */
import { ErrorCode } from '../../protocol/errors.ts'
import type { Reply, Turn } from '../runtime.ts'
import { ClassicGroup } from './classic.ts'
import { completeIfAllJoined, endSession, removeAndRebalance } from './classic-rebalance.ts'
import type { GroupAnswers, GroupCommand } from './commands.ts'
import { type MemberPlace, removeMembers } from './consumer-fence.ts'
import { ConsumerGroup } from './consumer-group.ts'
import type { GroupCoordinator } from './coordinator.ts'
import { MemberConnections } from './member-connections.ts'
import { removeShareMember } from './share-fence.ts'
import { ShareGroup } from './share-group.ts'
import { removeStreamsMember } from './streams-fence.ts'
import { StreamsGroup } from './streams-group.ts'

/** Lives on the coordinator's thread. */
export class LostMembers {
  readonly #connections = new MemberConnections()
  readonly #lose: (place: MemberPlace) => void

  /** `lose`: takes a member out of its group, if it is still there. */
  constructor(lose: (place: MemberPlace) => void) {
    this.#lose = lose
  }

  /** Learns from a command and its answer for whom the connection speaks. */
  follow<R>(command: GroupCommand, reply: Reply<R>): Reply<R> {
    if (command.connection === undefined) return reply
    const asked = memberOf(command)
    if (asked === undefined) return reply
    const connection = this.#connections.of(command.connection)
    if (asked.memberId !== '') this.#connections.note(connection, asked)
    return (answer) => {
      reply(answer)
      const memberId = asked.memberId === '' ? memberGiven(answer) : asked.memberId
      if (memberId === undefined) return
      const place = { groupId: asked.groupId, memberId }
      if (connection.closed === undefined) this.#connections.note(connection, place)
      // It became a member without a client that lived to hear of it.
      else if (connection.closed === 'client' && !this.#connections.has(place)) this.#lose(place)
    }
  }

  /** A connection was closed. */
  onClosed(connection: string, by: 'client' | 'broker'): void {
    const left = this.#connections.close(connection, by)
    if (by === 'broker') return
    for (const place of left) this.#lose(place)
  }

  /** A thread died with its connections: their clients come back. */
  onThreadLost(thread: number): void {
    this.#connections.closeThread(thread)
  }
}

/** Takes a member out of its group as if its session had ended. */
export function removeLost(
  coordinator: GroupCoordinator,
  turn: Turn,
  { groupId, memberId }: MemberPlace,
): void {
  const group = coordinator.groups.get(groupId)
  if (group instanceof ClassicGroup) {
    if (group.pendingJoins.has(memberId)) {
      endSession(turn, group, memberId)
      group.remove(memberId)
      completeIfAllJoined(coordinator, turn, group)
      return
    }
    const member = group.members.get(memberId)
    if (member === undefined || member.groupInstanceId !== null) return
    removeAndRebalance(coordinator, turn, group, memberId)
  } else if (group instanceof ConsumerGroup) {
    const member = group.members.get(memberId)
    if (member === undefined || member.instanceId !== null) return
    removeMembers(coordinator, turn, group, [member])
  } else if (group instanceof ShareGroup && group.members.has(memberId)) {
    removeShareMember(coordinator, turn, group, memberId)
  } else if (group instanceof StreamsGroup && group.members.has(memberId)) {
    removeStreamsMember(turn, group, memberId)
  }
}

/** The member that speaks in a command; the id is '' where it has none yet. */
function memberOf(command: GroupCommand): MemberPlace | undefined {
  switch (command.kind) {
    case 'join-group':
    case 'sync-group':
    case 'heartbeat':
    case 'consumer-group-heartbeat':
    case 'share-group-heartbeat':
    case 'streams-group-heartbeat': {
      const { groupId, memberId } = command.request
      return { groupId, memberId }
    }
    default:
      return undefined
  }
}

/** The id that an answer gives to a member that had none. */
function memberGiven(answer: unknown): string | undefined {
  const { errorCode = ErrorCode.NONE, memberId } = answer as GroupAnswers['join-group']
  const given = errorCode === ErrorCode.NONE || errorCode === ErrorCode.MEMBER_ID_REQUIRED
  return given && memberId ? memberId : undefined
}

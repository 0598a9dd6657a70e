/** The table of the coordinator's operations on one group, by the kind of their command. */
import type { ErrorCode } from '../../protocol/errors.ts'
import type { Reply, Turn } from '../runtime.ts'
import type { CommandOf, GroupAnswers, GroupCommandKind } from './commands.ts'
import type { GroupCoordinator } from './coordinator.ts'

/** An operation of one group, in a turn on the partition of that group. */
export interface GroupOperation<K extends GroupCommandKind> {
  groupId(command: CommandOf<K>): string
  /** The answer when the coordinator cannot serve the group now. */
  failed(errorCode: ErrorCode, command: CommandOf<K>): GroupAnswers[K]
  /** Calls `reply` once, in this turn (`turn.answer`) or in a later one. */
  run(
    coordinator: GroupCoordinator,
    turn: Turn,
    command: CommandOf<K>,
    reply: Reply<GroupAnswers[K]>,
  ): void
}

/** The table of the coordinator's operations on one group, by the kind of their command. */
import { ErrorCode } from '../../protocol/errors.ts'
import type { Reply, TransactionProducer, Turn } from '../runtime.ts'
import { ClassicGroup } from './classic.ts'
import { joinClassicGroup, joinProblem } from './classic-join.ts'
import {
  heartbeatClassicGroup,
  leaveClassicGroup,
  leaveFailure,
  syncClassicGroup,
} from './classic-member.ts'
import { joinFailure, syncFailure } from './classic-rebalance.ts'
import type { CommandOf, GroupAnswers, GroupCommandKind } from './commands.ts'
import {
  heartbeatConsumerGroup,
  joinConsumerGroup,
  leaveConsumerGroup,
  syncConsumerGroup,
} from './consumer-classic.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { heartbeatConsumerMember } from './consumer-heartbeat.ts'
import type { GroupCoordinator } from './coordinator.ts'
import {
  commitFailure,
  commitOffsets,
  deleteOffsets,
  deleteOffsetsFailure,
} from './offsets-commit.ts'
import { commitTransactionalOffsets, transactionalCommitFailure } from './offsets-transaction.ts'
import type { Group } from './registry.ts'
import { heartbeatShareMember } from './share-heartbeat.ts'
import { alterShareOffsets, deleteShareOffsets } from './share-offsets.ts'
import { StreamsGroup } from './streams-group.ts'
import { heartbeatStreamsMember } from './streams-heartbeat.ts'

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
  /** Whose transaction the records belong to; absent: they hold at once. */
  producer?(command: CommandOf<K>): TransactionProducer
}

const groupIdOf = ({ request }: { request: { groupId: string } }) => request.groupId

const joinGroup: GroupOperation<'join-group'> = {
  groupId: groupIdOf,
  failed: (errorCode, { request }) => joinFailure(errorCode, request.memberId),
  run(coordinator, turn, command, reply) {
    const { groupId, memberId } = command.request
    const refuse = (errorCode: ErrorCode) => {
      const failure = (code: ErrorCode) => joinFailure(code, memberId)
      turn.answer(reply, failure(errorCode), failure)
    }
    const problem = joinProblem(coordinator, command)
    if (problem !== ErrorCode.NONE) {
      refuse(problem)
      return
    }
    const group = coordinator.groups.get(groupId)
    if (group === undefined || group instanceof ClassicGroup) {
      joinClassicGroup(coordinator, turn, group, command, reply)
      return
    }
    if (group instanceof ConsumerGroup && !group.isEmpty()) {
      joinConsumerGroup(coordinator, turn, group, command, reply)
      return
    }
    const mayConvert = group instanceof ConsumerGroup || group instanceof StreamsGroup
    if (!mayConvert || !group.isEmpty()) {
      refuse(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    } else {
      // A new member may make a classic group of one that nobody is in.
      if (memberId === '') forgetGroup(coordinator, turn, group)
      joinClassicGroup(coordinator, turn, undefined, command, reply)
    }
  },
}

const syncGroup: GroupOperation<'sync-group'> = {
  groupId: groupIdOf,
  failed: syncFailure,
  run(coordinator, turn, command, reply) {
    const { groupId } = command.request
    const group = coordinator.groups.get(groupId)
    if (group instanceof ClassicGroup) {
      syncClassicGroup(coordinator, turn, group, command, reply)
      return
    }
    if (group instanceof ConsumerGroup) {
      const answer = syncConsumerGroup(coordinator, turn, group, command)
      turn.answer(reply, answer, syncFailure)
      return
    }
    const errorCode = groupId === '' ? ErrorCode.INVALID_GROUP_ID : ErrorCode.UNKNOWN_MEMBER_ID
    turn.answer(reply, syncFailure(errorCode), syncFailure)
  },
}

const heartbeat: GroupOperation<'heartbeat'> = {
  groupId: groupIdOf,
  failed: (errorCode) => {
    // While the log is replayed nobody is lost for not being known yet.
    const loads = errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
    return { errorCode: loads ? ErrorCode.NONE : errorCode }
  },
  run(coordinator, turn, command, reply) {
    const { groupId } = command.request
    const group = coordinator.groups.get(groupId)
    let errorCode: ErrorCode = ErrorCode.UNKNOWN_MEMBER_ID
    if (groupId === '') errorCode = ErrorCode.INVALID_GROUP_ID
    if (group instanceof ClassicGroup) {
      errorCode = heartbeatClassicGroup(coordinator, turn, group, command)
    } else if (group instanceof ConsumerGroup) {
      errorCode = heartbeatConsumerGroup(coordinator, turn, group, command)
    }
    turn.answer(reply, { errorCode }, (failure) => ({ errorCode: failure }))
  },
}

const leaveGroup: GroupOperation<'leave-group'> = {
  groupId: groupIdOf,
  failed: (errorCode) => ({ errorCode }),
  run(coordinator, turn, command, reply) {
    const { groupId } = command.request
    const group = coordinator.groups.get(groupId)
    const failed = (errorCode: ErrorCode) => ({ errorCode })
    if (groupId === '') {
      turn.answer(reply, failed(ErrorCode.INVALID_GROUP_ID), failed)
      return
    }
    let answer: GroupAnswers['leave-group']
    if (group instanceof ClassicGroup) {
      answer = leaveClassicGroup(coordinator, turn, group, command)
    } else if (group instanceof ConsumerGroup) {
      answer = leaveConsumerGroup(coordinator, turn, group, command)
    } else answer = leaveFailure(command, ErrorCode.UNKNOWN_MEMBER_ID)
    turn.answer(reply, answer, failed)
  },
}

const consumerGroupHeartbeat: GroupOperation<'consumer-group-heartbeat'> = {
  groupId: groupIdOf,
  failed: (errorCode) => ({ errorCode }),
  run(coordinator, turn, command, reply) {
    const answer = heartbeatConsumerMember(coordinator, turn, command)
    turn.answer(reply, answer, (errorCode) => ({ errorCode }))
  },
}

const offsetCommit: GroupOperation<'offset-commit'> = {
  groupId: groupIdOf,
  failed: (errorCode, { request }) => commitFailure(errorCode, request),
  run: commitOffsets,
}

const txnOffsetCommit: GroupOperation<'txn-offset-commit'> = {
  groupId: groupIdOf,
  failed: (errorCode, { request }) => transactionalCommitFailure(errorCode, request),
  run: commitTransactionalOffsets,
  producer: ({ request }) => request,
}

const offsetDelete: GroupOperation<'offset-delete'> = {
  groupId: groupIdOf,
  failed: deleteOffsetsFailure,
  run: deleteOffsets,
}

const shareGroupHeartbeat: GroupOperation<'share-group-heartbeat'> = {
  groupId: groupIdOf,
  failed: (errorCode) => ({ errorCode }),
  run: heartbeatShareMember,
}

const streamsGroupHeartbeat: GroupOperation<'streams-group-heartbeat'> = {
  groupId: groupIdOf,
  failed: (errorCode) => ({ errorCode }),
  run(coordinator, turn, command, reply) {
    const answer = heartbeatStreamsMember(coordinator, turn, command)
    turn.answer(reply, answer, (errorCode) => ({ errorCode }))
  },
}

const alterShareGroupOffsets: GroupOperation<'alter-share-group-offsets'> = {
  groupId: groupIdOf,
  failed: (errorCode) => ({ errorCode }),
  run: alterShareOffsets,
}

const deleteShareGroupOffsets: GroupOperation<'delete-share-group-offsets'> = {
  groupId: groupIdOf,
  failed: (errorCode) => ({ errorCode }),
  run: deleteShareOffsets,
}

/** The operations on one group. */
export const groupOperations = {
  'join-group': joinGroup,
  'sync-group': syncGroup,
  heartbeat,
  'leave-group': leaveGroup,
  'offset-commit': offsetCommit,
  'txn-offset-commit': txnOffsetCommit,
  'offset-delete': offsetDelete,
  'consumer-group-heartbeat': consumerGroupHeartbeat,
  'share-group-heartbeat': shareGroupHeartbeat,
  'streams-group-heartbeat': streamsGroupHeartbeat,
  'alter-share-group-offsets': alterShareGroupOffsets,
  'delete-share-group-offsets': deleteShareGroupOffsets,
} satisfies { [K in GroupCommandKind]?: GroupOperation<K> }

/** The group is gone at once, for its place is taken in the same turn. */
function forgetGroup(coordinator: GroupCoordinator, turn: Turn, group: Group): void {
  for (const record of group.tombstones()) turn.persist(record)
  coordinator.groups.delete(group.groupId)
}

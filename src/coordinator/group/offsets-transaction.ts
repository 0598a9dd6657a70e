/** TxnOffsetCommit: offsets that hold when their transaction is committed. KIP-98, KIP-447. */
import { ErrorCode } from '../../protocol/errors.ts'
import type { Reply, Turn } from '../runtime.ts'
import type { CommandOf, GroupAnswers } from './commands.ts'
import type { GroupCoordinator } from './coordinator.ts'
import { commitOne } from './offsets-commit.ts'

type CommitCommand = CommandOf<'txn-offset-commit'>
type CommitAnswer = GroupAnswers['txn-offset-commit']

export function transactionalCommitFailure(
  errorCode: ErrorCode,
  { topics }: CommitCommand['request'],
): CommitAnswer {
  return {
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }
}

/** `turn`: of the producer's transaction. Whoever sends no generation need not be a member. */
export function commitTransactionalOffsets(
  coordinator: GroupCoordinator,
  turn: Turn,
  { request, apiVersion }: CommitCommand,
  reply: Reply<CommitAnswer>,
): void {
  const { groupId, memberId, groupInstanceId, generationId } = request
  const client = {
    memberId,
    groupInstanceId,
    generationOrEpoch: generationId,
    apiVersion,
    transactional: true,
  }
  const group = coordinator.groups.get(groupId)
  const failed = (errorCode: ErrorCode) => transactionalCommitFailure(errorCode, request)
  const unknown = generationId < 0 ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION
  let problem = group?.commitProblem(client) ?? unknown
  if (groupId === '') problem = ErrorCode.INVALID_GROUP_ID
  // Clients of transactions know generations only.
  if (problem === ErrorCode.STALE_MEMBER_EPOCH) problem = ErrorCode.ILLEGAL_GENERATION
  if (problem !== ErrorCode.NONE) {
    turn.answer(reply, failed(problem), failed)
    return
  }
  const topics = request.topics.map(({ name, partitions }) => {
    const topic = coordinator.parts.image.topic(name)
    return {
      name,
      partitions: partitions.map((one) => ({
        partitionIndex: one.partitionIndex,
        errorCode: commitOne(coordinator, turn, { groupId, retentionTimeMs: -1 }, topic, one),
      })),
    }
  })
  turn.answer(reply, { topics }, failed)
}

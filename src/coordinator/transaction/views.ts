/** DescribeTransactions and ListTransactions. KIP-664, KIP-994, KIP-1152. */
import { ErrorCode } from '../../protocol/errors.ts'
import type { RegexEngine } from '../group/regex.ts'
import type { TransactionAnswers, TransactionCommandOf } from './commands.ts'
import { type Transaction, type TransactionState, transactionStates } from './transaction.ts'

type Description = NonNullable<
  TransactionAnswers['describe-transactions']['transactionStates']
>[number]
type Listed = NonNullable<TransactionAnswers['list-transactions']['transactionStates']>[number]

/** One transactional id; undefined: nobody uses it. */
export function describeTransaction(
  transactionalId: string,
  known: Transaction | undefined,
): Description {
  if (known === undefined) {
    return { transactionalId, errorCode: ErrorCode.TRANSACTIONAL_ID_NOT_FOUND }
  }
  return {
    transactionalId,
    errorCode: ErrorCode.NONE,
    transactionState: known.state,
    transactionTimeoutMs: known.timeoutMs,
    transactionStartTimeMs: known.startMs,
    producerId: known.producerId,
    producerEpoch: known.producerEpoch,
    topics: [...known.partitions].map(([topic, partitions]) => ({
      topic,
      partitions: [...partitions],
    })),
  }
}

/** Which of the transactions are to be listed, or why the filters cannot be understood. */
export function listTransactions(
  all: Iterable<Transaction>,
  { request }: TransactionCommandOf<'list-transactions'>,
  nowMs: number,
  engine: RegexEngine | undefined,
): TransactionAnswers['list-transactions'] {
  const { stateFilters, durationFilter, transactionalIdPattern } = request
  const isState = (name: string) => transactionStates.includes(name as TransactionState)
  const unknownStateFilters = stateFilters.filter((name) => !isState(name))
  const pattern = transactionalIdPattern ? engine?.compile(transactionalIdPattern) : undefined
  if (typeof pattern === 'string') return { errorCode: ErrorCode.INVALID_REGULAR_EXPRESSION }
  const producerIds = new Set(request.producerIdFilters)
  const listed: Listed[] = []
  for (const one of all) {
    const { transactionalId, producerId, state, startMs } = one
    if (stateFilters.length > 0 && !stateFilters.includes(state)) continue
    if (producerIds.size > 0 && !producerIds.has(producerId)) continue
    if (durationFilter >= 0 && nowMs - startMs <= durationFilter) continue
    if (pattern !== undefined && !pattern.fits(transactionalId)) continue
    listed.push({ transactionalId, producerId, transactionState: state })
  }
  return { errorCode: ErrorCode.NONE, unknownStateFilters, transactionStates: listed }
}

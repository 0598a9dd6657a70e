/**
 * The transaction coordinator as its shell sees it: commands with their answers, the markers that
 * follow, and the clock. Pure: appends and loads are the shell's.
 */
import { assert, unreachable } from '../../base/assert.ts'
import type { BrokerConfig } from '../../config/broker.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { RegexEngine } from '../group/regex.ts'
import {
  type CoordinatorHost,
  CoordinatorRuntime,
  type Now,
  type Reply,
  type Turn,
} from '../runtime.ts'
import type {
  MarkerTarget,
  ProducerAnswer,
  TopicPartitions,
  TransactionAnswers,
  TransactionCommand,
  TransactionCommandOf,
} from './commands.ts'
import { TransactionCoordinator } from './coordinator.ts'
import { complete, end, fence, nextProducer } from './end.ts'
import { initialize } from './initialize.ts'
import { join, producerProblem } from './join.ts'
import { MarkerSender } from './markers.ts'
import { transactionRecord } from './records.ts'
import { expireIds, hasOngoing, TransactionDeadlines, timedOut } from './timeouts.ts'
import {
  isPrepared,
  NO_EPOCH,
  NO_PRODUCER_ID,
  type Outcome,
  type Transaction,
  type TransactionPartitions,
} from './transaction.ts'
import { describeTransaction, listTransactions } from './views.ts'
import { TransactionWaiters } from './waiting.ts'

/** What the service is made of. */
export interface TransactionServiceParts {
  readonly host: CoordinatorHost
  now(): Now
  config(): BrokerConfig
  /** See GroupParts. */
  regexEngine(): RegexEngine | undefined
  /** Hands out an id that nobody has; undefined: none can be had now. */
  takeProducerId(done: (producerId: number | undefined) => void): void
  /** Of a partition of `__transaction_state`: rises with each life of the coordinator. */
  coordinatorEpoch(partition: number): number
  /**
   * Has markers appended; `done` is called once, now or later, with an error for each: NONE once it
   * is durable.
   */
  writeMarkers(
    markers: readonly MarkerTarget[],
    done: (errorCodes: readonly ErrorCode[]) => void,
  ): void
}

/** Decides on what is known of a transactional id; see Outcome. */
type Decision = (
  known: Transaction | undefined,
  nowMs: number,
  freshId: number | undefined,
) => Outcome

type Settled = (errorCode: ErrorCode, transaction?: Transaction) => void

/** Lives on the coordinator's thread. */
export class TransactionService {
  readonly coordinator: TransactionCoordinator
  readonly runtime: CoordinatorRuntime
  readonly #parts: TransactionServiceParts
  readonly #markers: MarkerSender
  readonly #waiters = new TransactionWaiters()
  readonly #deadlines = new TransactionDeadlines()
  /** Ids with a change that is not durable yet: nothing else may build on it. */
  readonly #unsettled = new Set<string>()

  constructor(parts: TransactionServiceParts) {
    this.#parts = parts
    this.coordinator = new TransactionCoordinator(
      (turn) => this.#onLoaded(turn),
      (partition) => this.#onUnloaded(partition),
    )
    const { host } = parts
    this.runtime = new CoordinatorRuntime({
      machine: this.coordinator,
      host,
      now: () => parts.now(),
    })
    this.#markers = new MarkerSender({
      runtime: this.runtime,
      partitionOf: (id) => this.coordinator.partitionOf(id),
      coordinatorEpoch: (partition) => parts.coordinatorEpoch(partition),
      writeMarkers: (markers, done) => parts.writeMarkers(markers, done),
      complete: (turn, prepared, done) => this.#complete(turn, prepared, done),
    })
  }

  /** Answers once, now or later. The shell knows the partition of a group's offsets. */
  onCommand<C extends Exclude<TransactionCommand, { kind: 'add-offsets-to-txn' }>>(
    command: C,
    reply: Reply<TransactionAnswers[C['kind']]>,
  ): void {
    const answer = reply as Reply<unknown>
    switch (command.kind) {
      case 'init-transactional-id':
        this.#initialize(command, answer)
        return
      case 'add-partitions-to-txn':
        this.#addPartitions(command, answer)
        return
      case 'end-txn':
        this.#end(command, answer)
        return
      case 'write-txn-markers':
        this.#parts.writeMarkers(command.markers, (errorCodes) => answer({ errorCodes }))
        return
      case 'describe-transactions':
        answer({
          transactionStates: command.request.transactionalIds.map((id) => this.#describe(id)),
        })
        return
      case 'list-transactions':
        answer(this.#list(command))
        return
      default:
        unreachable(command)
    }
  }

  #problemOf(transactionalId: string): ErrorCode {
    if (transactionalId === '') return ErrorCode.INVALID_REQUEST
    if (this.coordinator.partitionCount === 0) return ErrorCode.COORDINATOR_NOT_AVAILABLE
    return this.runtime.problemOf(this.coordinator.partitionOf(transactionalId))
  }

  #initialize(
    command: TransactionCommandOf<'init-transactional-id'>,
    reply: Reply<ProducerAnswer>,
  ): void {
    const { transactionalId, transactionTimeoutMs: timeoutMs, producerId, producerEpoch } = command
    const expected = producerId < 0 ? undefined : { producerId, producerEpoch }
    const decision: Decision = (known, nowMs, freshId) => {
      return initialize(known, { transactionalId, timeoutMs, expected }, nowMs, freshId)
    }
    this.#decide(transactionalId, decision, (errorCode, transaction) => {
      if (errorCode !== ErrorCode.NONE) reply(noProducer(errorCode))
      // It had to be fenced: once that transaction is ended, another try begins anew.
      else if (transaction?.state !== 'Empty') reply(noProducer(ErrorCode.CONCURRENT_TRANSACTIONS))
      else reply({ errorCode, ...nextProducer(transaction) })
    })
  }

  #addPartitions(
    command: TransactionCommandOf<'add-partitions-to-txn'>,
    reply: Reply<TransactionAnswers['add-partitions-to-txn']>,
  ): void {
    const { transactionalId, topics, clientVersion, verifyOnly } = command
    const partitions = partitionsOf(topics)
    const answerAll = (errorCode: ErrorCode) => {
      reply({ errorCodes: topics.flatMap((one) => one.partitions.map(() => errorCode)) })
    }
    const decision: Decision = (known, nowMs) => {
      if (!verifyOnly) return join(known, command, { partitions, clientVersion }, nowMs)
      const problem = producerProblem(known, command)
      if (known === undefined || problem !== ErrorCode.NONE) {
        return { kind: 'refused', errorCode: problem }
      }
      return { kind: 'done', transaction: known }
    }
    const backoffMs = this.#parts.config()['add.partitions.to.txn.retry.backoff.max.ms']
    const deadlineMs = this.#parts.now().monotonicMs + backoffMs
    const attempt = () => {
      this.#decide(transactionalId, decision, (errorCode, transaction) => {
        if (errorCode === ErrorCode.CONCURRENT_TRANSACTIONS && command.waits) {
          const left = deadlineMs - this.#parts.now().monotonicMs
          if (left > 0) this.#wait(transactionalId, left, attempt)
          else answerAll(errorCode)
        } else if (errorCode === ErrorCode.NONE && verifyOnly) {
          reply({ errorCodes: verified(transaction, topics) })
        } else answerAll(errorCode)
      })
    }
    attempt()
  }

  #wait(transactionalId: string, delayMs: number, attempt: () => void): void {
    const partition = this.coordinator.partitionOf(transactionalId)
    if (!this.#waiters.add(transactionalId, partition, attempt)) return
    this.runtime.run(partition, (turn) => {
      turn.setTimer(`wait:${transactionalId}`, delayMs, () => this.#waiters.resume(transactionalId))
    })
  }

  #end(command: TransactionCommandOf<'end-txn'>, reply: Reply<ProducerAnswer>): void {
    const decision: Decision = (known, nowMs, freshId) => {
      return end(known, command, command, nowMs, freshId)
    }
    this.#decide(command.transactionalId, decision, (errorCode, transaction) => {
      if (errorCode !== ErrorCode.NONE || transaction === undefined) reply(noProducer(errorCode))
      else reply({ errorCode, ...nextProducer(transaction) })
    })
  }

  /** Does what `decision` says; `settled` hears of it when that is durable. */
  #decide(id: string, decision: Decision, settled: Settled, freshId?: number): void {
    const problem = this.#problemOf(id)
    if (problem !== ErrorCode.NONE || this.#unsettled.has(id)) {
      settled(problem || ErrorCode.CONCURRENT_TRANSACTIONS)
      return
    }
    this.runtime.run(this.coordinator.partitionOf(id), (turn) => {
      const outcome = decision(this.coordinator.get(id), turn.nowMs, freshId)
      switch (outcome.kind) {
        case 'refused':
          turn.onEnd(() => settled(outcome.errorCode as ErrorCode))
          return
        case 'done':
          turn.onEnd(() => settled(ErrorCode.NONE, outcome.transaction))
          return
        case 'changed':
          this.#change(turn, outcome.transaction, settled)
          return
        case 'needs-producer-id':
          assert(freshId === undefined, 'an id that was taken is used')
          turn.onEnd(() => {
            this.#parts.takeProducerId((taken) => {
              if (taken === undefined) settled(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
              else this.#decide(id, decision, settled, taken)
            })
          })
          return
        default:
          unreachable(outcome)
      }
    })
  }

  #change(turn: Turn, transaction: Transaction, settled: Settled): void {
    const { transactionalId: id, state } = transaction
    this.#unsettled.add(id)
    turn.change(transactionRecord(transaction))
    turn.onEnd((errorCode) => {
      this.#unsettled.delete(id)
      // Before the answer, so that the next transaction seldom comes too soon.
      if (errorCode === ErrorCode.NONE && isPrepared(transaction)) this.#markers.begin(transaction)
      settled(errorCode, transaction)
      if (!isPrepared(transaction)) this.#waiters.resume(id)
    })
    if (state === 'Ongoing') {
      this.#deadlines.of(transaction, turn)
      this.#scheduleTimeouts(turn)
    } else this.#deadlines.delete(id)
    if (state === 'Empty') this.#scheduleExpiry(turn)
  }

  #complete(turn: Turn, prepared: Transaction, done: (errorCode: ErrorCode) => void): void {
    const known = this.coordinator.get(prepared.transactionalId)
    assert(known === prepared, 'nothing changes a prepared transaction but its completion')
    this.#change(turn, complete(prepared, turn.nowMs), done)
  }

  #describe(transactionalId: string) {
    const errorCode = this.#problemOf(transactionalId)
    if (errorCode !== ErrorCode.NONE) return { transactionalId, errorCode }
    return describeTransaction(transactionalId, this.coordinator.get(transactionalId))
  }

  #list(
    command: TransactionCommandOf<'list-transactions'>,
  ): TransactionAnswers['list-transactions'] {
    const { partitionCount } = this.coordinator
    const partitions = Array.from({ length: partitionCount }, (_, partition) => partition)
    if (partitions.some((partition) => this.runtime.phase(partition) === 'loading')) {
      return { errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS }
    }
    const all = partitions.flatMap((partition) => [...this.coordinator.of(partition)])
    const { wallMs } = this.#parts.now()
    return listTransactions(all, command, wallMs, this.#parts.regexEngine())
  }

  /** What was prepared has to end; what is ongoing may take too long. */
  #onLoaded(turn: Turn): void {
    const all = [...this.coordinator.of(turn.partition)]
    for (const one of all) if (one.state === 'Ongoing') this.#deadlines.of(one, turn)
    const prepared = all.filter(isPrepared)
    turn.onEnd(() => {
      for (const one of prepared) this.#markers.begin(one)
    })
    if (hasOngoing(this.coordinator, turn.partition)) this.#scheduleTimeouts(turn)
    if (this.coordinator.countOf(turn.partition) > 0) this.#scheduleExpiry(turn)
  }

  #onUnloaded(partition: number): void {
    this.#markers.forget(partition)
    this.#deadlines.forget(partition)
    this.#waiters.resumeAll(partition)
  }

  #scheduleTimeouts(turn: Turn): void {
    const key = `timeouts:${turn.partition}`
    if (turn.timer(key) !== undefined) return
    const config = this.#parts.config()
    const intervalMs = config['transaction.abort.timed.out.transaction.cleanup.interval.ms']
    turn.setTimer(key, intervalMs, (later) => {
      for (const { transactionalId, producerEpoch } of timedOut(
        this.coordinator,
        this.#deadlines,
        later,
      )) {
        later.onEnd(() => this.#timeOut(transactionalId, producerEpoch))
      }
      if (hasOngoing(this.coordinator, later.partition)) this.#scheduleTimeouts(later)
    })
  }

  #timeOut(transactionalId: string, producerEpoch: number): void {
    const decision: Decision = (known, nowMs) => {
      const isSame = known?.state === 'Ongoing' && known.producerEpoch === producerEpoch
      return isSame
        ? { kind: 'changed', transaction: fence(known, nowMs) }
        : { kind: 'refused', errorCode: ErrorCode.NONE }
    }
    this.#decide(transactionalId, decision, () => undefined)
  }

  #scheduleExpiry(turn: Turn): void {
    const key = `expiry:${turn.partition}`
    if (turn.timer(key) !== undefined) return
    const config = this.#parts.config()
    const intervalMs = config['transaction.remove.expired.transaction.cleanup.interval.ms']
    turn.setTimer(key, intervalMs, (later) => {
      expireIds(this.coordinator, later, this.#parts.config())
      if (this.coordinator.countOf(later.partition) > 0) this.#scheduleExpiry(later)
    })
  }
}

function partitionsOf(topics: readonly TopicPartitions[]): TransactionPartitions {
  const all = new Map<string, Set<number>>()
  for (const { topic, partitions } of topics) {
    const known = all.get(topic) ?? new Set()
    for (const partition of partitions) known.add(partition)
    all.set(topic, known)
  }
  return all
}

/** What is not in the transaction can only be aborted. KIP-890. */
function verified(
  transaction: Transaction | undefined,
  topics: readonly TopicPartitions[],
): ErrorCode[] {
  return topics.flatMap(({ topic, partitions }) => {
    return partitions.map((partition) => {
      const has = transaction?.partitions.get(topic)?.has(partition) === true
      return has ? ErrorCode.NONE : ErrorCode.TRANSACTION_ABORTABLE
    })
  })
}

function noProducer(errorCode: ErrorCode): ProducerAnswer {
  return { errorCode, producerId: NO_PRODUCER_ID, producerEpoch: NO_EPOCH }
}

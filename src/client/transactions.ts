/**
 * The transactions of a producer: its id and epoch by its transactionalId, what joins, and the end.
 *
 *   new ──begin──► open ──commit──► committing ──► ready ──begin──► open …
 *                   │ a batch or offsets fail         ▲
 *                   ▼                                 │
 *                 failed ──────abort──► aborting ─────┘
 *
 * From any of them a producer may become `fenced` for good: another one has the transactionalId, or
 * it may not use it.
 * Where the cluster has transaction version 2, a partition joins with its first batch, and each end
 * begins a new epoch; before that, partitions and groups are announced. KIP-98, KIP-447, KIP-890.
 */
import { ErrorCode } from '../protocol/errors.ts'
import type { ClusterClient } from './cluster-client.ts'
import type { DeliveryCallback } from './delivery.ts'
import { asKafkaError, KafkaError } from './errors.ts'
import type { ConsumerGroupMetadata } from './group.ts'
import type { OffsetToCommit } from './offsets.ts'
import type { ProducerIdentity } from './partition-queue.ts'
import type { IdentitySource } from './producer-identity.ts'
import { keyOf, type TopicPartition } from './topic-partition.ts'
import { TransactionCoordinator } from './transaction-coordinator.ts'

/** The last version of Produce whose batches do not let their partition join. KIP-890. */
const PRODUCE_BEFORE_V2 = 11

type Phase = 'new' | 'ready' | 'open' | 'failed' | 'committing' | 'aborting' | 'fenced'

/** Settings of the producer. */
export interface TransactionSettings {
  readonly transactionalId: string
  readonly transactionTimeoutMs: number
  /** How long begin and end try. */
  readonly maxBlockMs: number
}

/** The batches of the producer, as far as a transaction's end concerns them. */
export interface TransactionBatches {
  /** Sends all, and resolves when all are acknowledged or given up. */
  flush(): Promise<void>
  /** Gives up those that are not under way. */
  drop(error: KafkaError): void
  /** A partition has joined: its batches may go. */
  wake(): void
}

/** Lives with one producer. At most one of begin, commit and abort is under way. */
export class Transactions implements IdentitySource {
  readonly #cluster: ClusterClient
  readonly #settings: TransactionSettings
  readonly #batches: TransactionBatches
  readonly #coordinator: TransactionCoordinator
  #identity: ProducerIdentity | undefined
  #phase: Phase = 'new'
  /** Why it failed, or is fenced. */
  #error: KafkaError | undefined
  /** The coordinator may know of the transaction. */
  #started = false
  #joinsByItself = false
  /** Partitions that are to be announced with the next request. */
  readonly #wanted: TopicPartition[] = []
  /** Whether a partition that batches are for has joined; there is none before they are. */
  readonly #joined = new Map<string, boolean>()
  /** Partitions and offsets that are about to join, one after the other. */
  #joining: Promise<void> = Promise.resolve()
  #underWay: Promise<void> | undefined

  constructor(cluster: ClusterClient, settings: TransactionSettings, batches: TransactionBatches) {
    this.#cluster = cluster
    this.#settings = settings
    this.#batches = batches
    this.#coordinator = new TransactionCoordinator(cluster, settings)
  }

  /** Those of a producer that has a transactionalId. */
  static of(
    cluster: ClusterClient,
    settings: Omit<TransactionSettings, 'transactionalId'> & {
      readonly transactionalId: string | undefined
    },
    batches: TransactionBatches,
  ): Transactions | undefined {
    const { transactionalId } = settings
    if (transactionalId === undefined) return undefined
    return new Transactions(cluster, { ...settings, transactionalId }, batches)
  }

  get current(): ProducerIdentity | undefined {
    return this.#identity
  }

  get transactionalId(): string {
    return this.#settings.transactionalId
  }

  /** Highest version of Produce that means what the transaction's version does. */
  get produceVersionMax(): number {
    return this.#joinsByItself ? Infinity : PRODUCE_BEFORE_V2
  }

  /** Whether what was given before is sent, and sent again when that fails. */
  get goesOn(): boolean {
    return this.#phase === 'open' || this.#phase === 'committing'
  }

  /** The next transaction has it. */
  renew(): void {}

  /** Why records may not be sent now; undefined: they may. */
  refusal(): KafkaError | undefined {
    if (this.#phase === 'open') return undefined
    if (this.#phase === 'fenced') return this.#error
    if (this.#phase === 'failed') return mustAbort(this.#error)
    if (this.#phase === 'aborting') return wasAborted()
    return stateError('No transaction is open: beginTransaction() or transaction() comes first.')
  }

  // hot
  /** Whether a batch of the partition may be sent: it has joined, or does so with this batch. */
  mayShip(partition: TopicPartition): boolean {
    if (!this.goesOn) return false
    if (this.#joinsByItself) {
      this.#started = true
      return true
    }
    const key = keyOf(partition)
    const joined = this.#joined.get(key)
    if (joined !== undefined) return joined
    this.#joined.set(key, false)
    this.#wanted.push({ topic: partition.topic, partition: partition.partition })
    if (this.#wanted.length === 1) this.#joining = this.#joining.then(() => this.#announce())
    return false
  }

  /** A callback of a send that tells the transaction as well, which has failed if any record of it
   *  cannot be written. */
  watch(callback: DeliveryCallback | undefined): DeliveryCallback {
    return (error, records) => {
      if (error !== null) this.onFailure(error)
      callback?.(error, records)
    }
  }

  /** Something of the transaction could not be done. */
  onFailure(error: KafkaError): void {
    if (this.#phase === 'fenced') return
    if (error.fatal) {
      this.#error = error
      this.#phase = 'fenced'
    } else {
      this.#error ??= error
      if (!this.goesOn) return
      this.#phase = 'failed'
    }
    // Not at once: a batch that failed may be one of many that are being looked through.
    queueMicrotask(() => this.#batches.drop(this.refusal() ?? error))
  }

  /** Opens a transaction. Rejects with KafkaError: TimeoutError, or fatal. */
  begin(): Promise<void> {
    return this.#exclusively(async () => {
      if (this.#phase === 'fenced' || this.#phase === 'failed') throw this.refusal()
      if (this.#phase !== 'new' && this.#phase !== 'ready') {
        throw stateError('A transaction is open already: commit or abort it first.')
      }
      await this.#retry(() => this.#beginOnce(), 'producer id')
      this.#error = undefined
      this.#started = false
      this.#joined.clear()
      this.#phase = 'open'
    })
  }

  /**
   * Commits. Rejects with KafkaError: a TimeoutError leaves it undecided, and the next call goes
   * on; any other that is not fatal says that the transaction has to be aborted.
   */
  commit(): Promise<void> {
    return this.#exclusively(async () => {
      if (this.#phase === 'open') {
        this.#phase = 'committing'
        await this.#settled()
      }
      // Whatever failed meanwhile has changed it.
      const phase = this.#phase as Phase
      if (phase === 'aborting') {
        throw stateError('The abort is not decided: abortTransaction() goes on with it.')
      }
      if (phase !== 'committing') throw this.refusal()
      await this.#end(true)
    })
  }

  /** Aborts. Rejects with KafkaError: a TimeoutError leaves it undecided, and the next call goes
   *  on. */
  abort(): Promise<void> {
    return this.#exclusively(async () => {
      if (this.#phase === 'open' || this.#phase === 'failed') {
        this.#phase = 'aborting'
        this.#batches.drop(wasAborted())
        await this.#settled()
      }
      const phase = this.#phase as Phase
      if (phase === 'committing') {
        throw stateError('The commit is not decided: commitTransaction() goes on with it.')
      }
      if (phase !== 'aborting') throw this.refusal()
      await this.#end(false)
    })
  }

  /** Aborts since `cause` came in between; what it meets itself is logged. Does not reject. */
  async abortAfter(cause: unknown): Promise<void> {
    if (this.#phase !== 'open' && this.#phase !== 'failed') return
    await this.abort().catch((error: unknown) => {
      const { log } = this.#cluster.settings
      const fields = { error: asKafkaError(error).message, cause: String(cause) }
      log.warn('a transaction could not be aborted', fields)
    })
  }

  /** Stores offsets of a group when the transaction commits. Rejects with KafkaError: the
   *  transaction has to be aborted. */
  sendOffsets(offsets: readonly OffsetToCommit[], group: ConsumerGroupMetadata): Promise<void> {
    const refusal = this.refusal()
    if (refusal !== undefined) return Promise.reject(refusal)
    const mine = this.#joining.then(() => this.#sendOffsets(offsets, group))
    this.#joining = mine.catch((error: unknown) => this.onFailure(asKafkaError(error)))
    return mine
  }

  /** Aborts what is open, since nobody will end it. Does not reject. */
  async close(): Promise<void> {
    await this.#underWay?.catch(() => {})
    await this.abortAfter('the producer is closed')
  }

  async #beginOnce(): Promise<void> {
    if (this.#phase === 'new') {
      this.#identity = await this.#coordinator.initialize(this.#identity)
      this.#phase = 'ready'
    }
    this.#joinsByItself = await this.#coordinator.letsPartitionsJoin()
  }

  /** Lets the partitions join that batches wait for. Does not reject. */
  async #announce(): Promise<void> {
    const partitions = this.#wanted.splice(0)
    const identity = this.#identity as ProducerIdentity
    this.#started = true
    try {
      await this.#retryToJoin(() => this.#coordinator.addPartitions(identity, partitions))
      for (const one of partitions) this.#joined.set(keyOf(one), true)
      this.#batches.wake()
    } catch (error) {
      this.onFailure(asKafkaError(error))
    }
  }

  async #sendOffsets(
    offsets: readonly OffsetToCommit[],
    group: ConsumerGroupMetadata,
  ): Promise<void> {
    if (offsets.length === 0) return
    const identity = this.#identity as ProducerIdentity
    const joins = this.#joinsByItself
    this.#started = true
    if (!joins) {
      await this.#retryToJoin(() => this.#coordinator.addOffsets(identity, group.groupId))
    }
    await this.#retryToJoin(() => this.#coordinator.commit(identity, offsets, group, joins))
  }

  /** Resolves when nothing of the transaction is under way. */
  async #settled(): Promise<void> {
    await this.#batches.flush()
    await this.#joining
  }

  async #end(committed: boolean): Promise<void> {
    const failedBefore = this.#error !== undefined
    if (this.#started) {
      try {
        await this.#retry(() => this.#endOnce(committed), 'end of the transaction')
      } catch (error) {
        const failure = asKafkaError(error)
        // The coordinator may have done it: the next call finds out.
        if (failure.retriable) throw failure
        if (committed || failure.fatal) {
          this.onFailure(failure)
          throw failure
        }
        // Whatever the coordinator has of it ends with the next start under the id.
        this.#phase = 'new'
        return
      }
    }
    // A batch of the old epoch may still arrive, and must not be taken for one of the next
    // transaction.
    this.#phase = failedBefore && !this.#joinsByItself ? 'new' : 'ready'
  }

  async #endOnce(committed: boolean): Promise<void> {
    const identity = this.#identity as ProducerIdentity
    this.#identity = await this.#coordinator.end(identity, committed, this.#joinsByItself)
  }

  #retry(attempt: () => Promise<void>, what: string): Promise<void> {
    return this.#cluster.retry(attempt, this.#settings.maxBlockMs, what)
  }

  /** As `#retry`, while the transaction goes on. */
  #retryToJoin(attempt: () => Promise<void>): Promise<void> {
    const unlessAborted = () => (this.goesOn ? attempt() : Promise.reject(wasAborted()))
    return this.#retry(unlessAborted, 'place in the transaction')
  }

  async #exclusively(work: () => Promise<void>): Promise<void> {
    if (this.#underWay !== undefined) {
      throw stateError('The transaction is being begun or ended already.')
    }
    this.#underWay = work()
    try {
      await this.#underWay
    } catch (error) {
      const failure = asKafkaError(error)
      if (failure.fatal) this.onFailure(failure)
      throw failure
    } finally {
      this.#underWay = undefined
    }
  }
}

/** What sends and the commit of a transaction that failed are told. */
function mustAbort(cause: KafkaError | undefined): KafkaError {
  const message = `The transaction has failed and is to be aborted: ${cause?.message}`
  return new KafkaError(ErrorCode.TRANSACTION_ABORTABLE, { message, cause })
}

/** What becomes of records that were not sent when their transaction was aborted. */
function wasAborted(): KafkaError {
  const message = 'The transaction of the record was aborted.'
  return new KafkaError(ErrorCode.TRANSACTION_ABORTABLE, { message, hint: '' })
}

function stateError(message: string): KafkaError {
  return new KafkaError(ErrorCode.INVALID_TXN_STATE, { message })
}

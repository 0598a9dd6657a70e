/**
 * The batches of a transaction in a Produce request: the coordinator has to know that a partition
 * is in the transaction before anything is appended there, or nobody would end it. KIP-890.
 */
import {
  type AppendOrigin,
  type AppendResult,
  FAILED,
  FROM_CLIENT,
  FROM_JOINED,
} from '../../actors/partition-requests.ts'
import type { PartitionImage } from '../../cluster/image.ts'
import type { TransactionProducer } from '../../coordinator/runtime.ts'
import { ErrorCode, errorName } from '../../protocol/errors.ts'
import {
  isTransactional,
  producerEpoch,
  producerId,
  RECORD_BATCH_OVERHEAD,
} from '../../protocol/record-batch.ts'
import type { BrokerContext } from '../context.ts'
import type { Exchange } from './handler.ts'

/** From this version on a partition joins with its first batch. */
const IMPLICIT_FROM = 12
/** The first version that knows TRANSACTION_ABORTABLE. */
const ABORTABLE_FROM = 11

/** Producers that a thread remembers to have joined partitions to their transactions. */
const JOINED_PRODUCERS_MAX = 10_000

/** A batch that waits for the coordinator. */
export interface HeldBatch {
  readonly tag: number
  readonly partition: PartitionImage
  readonly records: Buffer
}

/** Whose transaction a batch belongs to; undefined: none. */
export function transactionProducerOf(records: Buffer | null): TransactionProducer | undefined {
  if (records === null || records.length < RECORD_BATCH_OVERHEAD) return undefined
  const id = producerId(records, 0)
  if (id < 0 || !isTransactional(records, 0)) return undefined
  return { producerId: id, producerEpoch: producerEpoch(records, 0) }
}

/** Lives as long as its request; `append` is called for what may be appended, `fail` otherwise. */
export class ProducedTransaction {
  readonly #exchange: Exchange<never>
  readonly #transactionalId: string
  readonly #producer: TransactionProducer
  readonly #append: (batch: HeldBatch, origin: AppendOrigin) => void
  readonly #fail: (tag: number, result: AppendResult) => void
  /** By tag. */
  readonly #held: HeldBatch[] = []

  constructor(
    exchange: Exchange<never>,
    transactionalId: string,
    producer: TransactionProducer,
    to: {
      append(batch: HeldBatch, origin: AppendOrigin): void
      fail(tag: number, result: AppendResult): void
    },
  ) {
    this.#exchange = exchange
    this.#transactionalId = transactionalId
    this.#producer = producer
    this.#append = to.append
    this.#fail = to.fail
  }

  /** Takes a batch that belongs to the transaction. */
  add(batch: HeldBatch): void {
    this.#held[batch.tag] = batch
  }

  /** All batches are here. */
  start(): void {
    if (this.#exchange.apiVersion < IMPLICIT_FROM) {
      for (const batch of this.#kept()) this.#append(batch, FROM_CLIENT)
      return
    }
    const joined = joinedOf(this.#exchange.context)
    const isFresh = ({ partition }: HeldBatch) => !joined.has(this.#producer, partition.slot)
    const batches = this.#held.some(isFresh) ? this.#kept() : Object.values(this.#held)
    const fresh = batches.filter(isFresh)
    const settle = (batch: HeldBatch, errorCode: ErrorCode) => {
      if (errorCode === ErrorCode.NONE) this.#append(batch, FROM_JOINED)
      else this.#fail(batch.tag, refusal(errorCode, this.#exchange.apiVersion))
    }
    if (fresh.length === 0) {
      for (const batch of batches) settle(batch, ErrorCode.NONE)
      return
    }
    this.#ask(fresh, false, (errorCodes) => {
      for (const [at, { partition }] of fresh.entries()) {
        if (errorCodes[at] === ErrorCode.NONE) joined.add(this.#producer, partition.slot)
      }
      for (const batch of batches) {
        const at = fresh.indexOf(batch)
        settle(batch, at < 0 ? ErrorCode.NONE : (errorCodes[at] as ErrorCode))
      }
    })
  }

  /** The batches, whose bytes stay until the coordinator has answered. */
  #kept(): HeldBatch[] {
    const { frame } = this.#exchange
    for (const batch of Object.values(this.#held)) {
      // Without memory of its own the frame is gone after this call.
      const records = frame === undefined ? Buffer.from(batch.records) : batch.records
      this.#held[batch.tag] = { ...batch, records }
    }
    return Object.values(this.#held)
  }

  /** The partition wants to know whether it is in the transaction. */
  verify(tag: number, guard: number): void {
    const batch = this.#held[tag] as HeldBatch
    this.#ask([batch], true, ([errorCode = ErrorCode.NOT_COORDINATOR]) => {
      if (errorCode === ErrorCode.NONE) this.#append(batch, { ...FROM_CLIENT, guard })
      else this.#fail(tag, refusal(errorCode, this.#exchange.apiVersion))
    })
  }

  #ask(
    batches: readonly HeldBatch[],
    verifyOnly: boolean,
    done: (errorCodes: readonly ErrorCode[]) => void,
  ): void {
    const topics = batches.map(({ partition: { topic, index } }) => {
      return { topic: topic.name, partitions: [index] }
    })
    const of = { transactionalId: this.#transactionalId, ...this.#producer }
    const { context } = this.#exchange
    context.callCoordinator(
      { kind: 'add-partitions-to-txn', ...of, verifyOnly, clientVersion: 2, waits: true, topics },
      (answer) => {
        // The bytes went with the connection.
        if (this.#exchange.abandoned) return
        done(answer?.errorCodes ?? batches.map(() => ErrorCode.NOT_COORDINATOR))
      },
    )
  }
}

/** What a producer is told when the coordinator refuses. Source: Kafka's ReplicaManager. */
function refusal(errorCode: ErrorCode, apiVersion: number): AppendResult {
  switch (errorCode) {
    case ErrorCode.PRODUCER_FENCED:
      return { ...FAILED, errorCode: ErrorCode.INVALID_PRODUCER_EPOCH }
    case ErrorCode.TRANSACTION_ABORTABLE:
      if (apiVersion >= ABORTABLE_FROM) return { ...FAILED, errorCode }
      return {
        ...FAILED,
        errorCode: ErrorCode.INVALID_TXN_STATE,
        errorMessage: 'Partition was not added to the transaction',
      }
    case ErrorCode.CONCURRENT_TRANSACTIONS:
    case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
    case ErrorCode.COORDINATOR_NOT_AVAILABLE:
    case ErrorCode.NOT_COORDINATOR:
      // An error after which all clients try again.
      return {
        ...FAILED,
        errorCode: ErrorCode.NOT_ENOUGH_REPLICAS,
        errorMessage:
          'Unable to verify the partition has been added to the transaction. ' +
          `Underlying error: ${errorName(errorCode)}`,
      }
    default:
      return { ...FAILED, errorCode }
  }
}

/**
 * The partitions that this thread had joined to the transactions of present epochs. A batch of an
 * epoch that is over is refused by its partition, where the marker raised it.
 */
class JoinedPartitions {
  readonly #byProducer = new Map<number, { producerEpoch: number; slots: Set<number> }>()

  has({ producerId: id, producerEpoch: epoch }: TransactionProducer, slot: number): boolean {
    const known = this.#byProducer.get(id)
    return known?.producerEpoch === epoch && known.slots.has(slot)
  }

  add({ producerId: id, producerEpoch: epoch }: TransactionProducer, slot: number): void {
    const known = this.#byProducer.get(id)
    if (known?.producerEpoch === epoch) {
      known.slots.add(slot)
      return
    }
    this.#byProducer.delete(id)
    this.#byProducer.set(id, { producerEpoch: epoch, slots: new Set([slot]) })
    if (this.#byProducer.size <= JOINED_PRODUCERS_MAX) return
    const [oldest] = this.#byProducer.keys()
    this.#byProducer.delete(oldest as number)
  }
}

const byContext = new WeakMap<BrokerContext, JoinedPartitions>()

function joinedOf(context: BrokerContext): JoinedPartitions {
  let joined = byContext.get(context)
  if (joined === undefined) {
    joined = new JoinedPartitions()
    byContext.set(context, joined)
  }
  return joined
}

/**
 * Markers of prepared transactions on their way to the partitions. What was prepared has to end
 * everywhere: a partition that cannot take its marker is asked again for as long as it exists.
 * Source: Kafka's TransactionMarkerChannelManager.
 */
import { ErrorCode } from '../../protocol/errors.ts'
import type { CoordinatorRuntime, Turn } from '../runtime.ts'
import type { MarkerTarget } from './commands.ts'
import { eachPartition, type Transaction } from './transaction.ts'

/** Pause before a partition that refused its marker is asked again. */
const RETRY_MS = 100

/** What sending needs of its coordinator. */
export interface MarkerParts {
  readonly runtime: CoordinatorRuntime
  partitionOf(transactionalId: string): number
  /** Of the partition of `__transaction_state`: rises with each life of the coordinator. */
  coordinatorEpoch(partition: number): number
  /** See TransactionServiceParts. */
  writeMarkers(
    markers: readonly MarkerTarget[],
    done: (errorCodes: readonly ErrorCode[]) => void,
  ): void
  /** All partitions have their marker: logs that, in a turn of the coordinator. */
  complete(turn: Turn, prepared: Transaction, done: (errorCode: ErrorCode) => void): void
}

interface Sending {
  readonly prepared: Transaction
  readonly partition: number
  left: readonly MarkerTarget[]
}

/** Lives on the coordinator's thread. Each prepared transaction is sent by one `Sending`. */
export class MarkerSender {
  readonly #parts: MarkerParts
  readonly #sending = new Map<string, Sending>()

  constructor(parts: MarkerParts) {
    this.#parts = parts
  }

  /** Begins with the markers of a transaction whose end is durable. */
  begin(prepared: Transaction): void {
    const { transactionalId, producerId, producerEpoch, state, clientVersion } = prepared
    const partition = this.#parts.partitionOf(transactionalId)
    const marker = {
      producerId,
      producerEpoch,
      commit: state === 'PrepareCommit',
      coordinatorEpoch: this.#parts.coordinatorEpoch(partition),
      transactionVersion: clientVersion,
    }
    const left = [...eachPartition(prepared.partitions)].map((place) => ({ ...marker, ...place }))
    const sending = { prepared, partition, left }
    this.#sending.set(transactionalId, sending)
    this.#send(sending)
  }

  /** The partition of the coordinator is gone; when it is back, all begins again. */
  forget(partition: number): void {
    for (const [id, sending] of this.#sending) {
      if (sending.partition === partition) this.#sending.delete(id)
    }
  }

  #isCurrent(sending: Sending): boolean {
    const { prepared, partition } = sending
    if (this.#sending.get(prepared.transactionalId) !== sending) return false
    return this.#parts.runtime.phase(partition) === 'active'
  }

  #send(sending: Sending): void {
    if (sending.left.length === 0) {
      this.#complete(sending)
      return
    }
    this.#parts.writeMarkers(sending.left, (errorCodes) => {
      if (!this.#isCurrent(sending)) return
      sending.left = sending.left.filter((_, at) => mayComeAgain(errorCodes[at] as ErrorCode))
      if (sending.left.length === 0) this.#complete(sending)
      else this.#later(sending)
    })
  }

  #complete(sending: Sending): void {
    this.#parts.runtime.run(sending.partition, (turn) => {
      this.#parts.complete(turn, sending.prepared, (errorCode) => {
        if (!this.#isCurrent(sending)) return
        if (errorCode !== ErrorCode.NONE) this.#later(sending)
        else this.#sending.delete(sending.prepared.transactionalId)
      })
    })
  }

  #later(sending: Sending): void {
    this.#parts.runtime.run(sending.partition, (turn) => {
      turn.setTimer(`markers:${sending.prepared.transactionalId}`, RETRY_MS, () => {
        if (this.#isCurrent(sending)) this.#send(sending)
      })
    })
  }
}

/**
 * A partition that does not exist has no transaction; one that knows a higher epoch of the
 * producer, or of the coordinator, has ended this transaction already.
 */
function mayComeAgain(errorCode: ErrorCode): boolean {
  switch (errorCode) {
    case ErrorCode.NONE:
    case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
    case ErrorCode.INVALID_PRODUCER_EPOCH:
    case ErrorCode.TRANSACTION_COORDINATOR_FENCED:
      return false
    default:
      return true
  }
}

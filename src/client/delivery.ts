/** Where the answer to one send gathers: its records may go to several batches. */
import type { KafkaError } from './errors.ts'

/** Records of a send that lie one behind the other. */
interface WrittenRun {
  readonly topic: string
  readonly partition: number
  /** Place of the first in the send. */
  readonly position: number
  readonly count: number
  /** -1: not known. */
  readonly baseOffset: number
  readonly timestamp: number
}

/** Where a record has come to lie. */
export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  /** -1 with acks 0, and for a batch that an earlier try had written already. */
  readonly offset: number
  /** Milliseconds since 1970: the record's own, or that of the append if the topic says so. */
  readonly timestamp: number
}

/** Told once, when all records of a send are written or one of them cannot be. */
export type DeliveryCallback = (
  error: KafkaError | null,
  /** In the order of the messages; with an error, those that were written. */
  records: readonly RecordMetadata[],
) => void

/** Between calls: `remaining` records have no answer. What is known of a record becomes an object
 *  only when the caller gets it, so that none has to outlive the wait for the others. */
export class Delivery {
  readonly #count: number
  readonly #runs: WrittenRun[] = []
  #remaining: number
  #error: KafkaError | null = null
  readonly #settled: DeliveryCallback

  constructor(count: number, settled: DeliveryCallback) {
    this.#count = count
    this.#remaining = count
    this.#settled = settled
  }

  /** Records were written. */
  succeed(run: WrittenRun): void {
    this.#runs.push(run)
    this.#remaining -= run.count
    if (this.#remaining === 0) this.#settle()
  }

  /** `count` records cannot be written. */
  fail(error: KafkaError, count = 1): void {
    this.#error ??= error
    this.#remaining -= count
    if (this.#remaining === 0) this.#settle()
  }

  // hot
  #settle(): void {
    const records: RecordMetadata[] = new Array(this.#count)
    for (const { topic, partition, position, count, baseOffset, timestamp } of this.#runs) {
      for (let i = 0; i < count; i++) {
        const offset = baseOffset < 0 ? -1 : baseOffset + i
        records[position + i] = { topic, partition, offset, timestamp }
      }
    }
    if (this.#error === null) this.#settled(null, records)
    else
      this.#settled(
        this.#error,
        records.filter((record) => record !== undefined),
      )
  }
}

/** Where the answer to one send gathers: its records may go to several batches. */
import type { KafkaError } from './errors.ts'

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

/** Between calls: `remaining` records have no answer. */
export class Delivery {
  readonly records: RecordMetadata[]
  #remaining: number
  #error: KafkaError | null = null
  readonly #settled: DeliveryCallback

  constructor(count: number, settled: DeliveryCallback) {
    this.records = new Array(count)
    this.#remaining = count
    this.#settled = settled
  }

  /** A record was written. */
  succeed(position: number, record: RecordMetadata): void {
    this.records[position] = record
    if (--this.#remaining === 0) this.#settle()
  }

  /** `count` records cannot be written. */
  fail(error: KafkaError, count = 1): void {
    this.#error ??= error
    this.#remaining -= count
    if (this.#remaining === 0) this.#settle()
  }

  #settle(): void {
    if (this.#error === null) this.#settled(null, this.records)
    else
      this.#settled(
        this.#error,
        this.records.filter((record) => record !== undefined),
      )
  }
}

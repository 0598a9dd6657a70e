/** What an answer to a batch means for it. Decides; does nothing. */
import { ErrorCode, isRetriable } from '../protocol/errors.ts'
import { TimeoutError } from './errors.ts'
import type { ProducerBatch } from './producer-batch.ts'
import type { TopicPartition } from './topic-partition.ts'

/** What is to be done with a batch. */
export type ProduceOutcome = 'written' | 'retry' | 'gap' | 'split' | 'fail'

/** What is known of the batch. */
export interface ProduceSituation {
  readonly idempotent: boolean
  /** Records in the batch. */
  readonly count: number
  /** Whether it may be tried again: neither retries nor deliveryTimeoutMs are used up. */
  readonly mayRetry: boolean
}

/** The outcome of `code`. `gap`: earlier batches are missing; the queue knows whether they come. */
export function produceOutcome(code: number, batch: ProduceSituation): ProduceOutcome {
  switch (code) {
    case ErrorCode.NONE:
    // An earlier try was written; only where it lies is not known any more.
    case ErrorCode.DUPLICATE_SEQUENCE_NUMBER:
      return 'written'
    case ErrorCode.MESSAGE_TOO_LARGE:
      return batch.count > 1 ? 'split' : 'fail'
    case ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER:
    case ErrorCode.UNKNOWN_PRODUCER_ID:
    case ErrorCode.INVALID_PRODUCER_EPOCH:
      return batch.idempotent && batch.mayRetry ? 'gap' : 'fail'
    default:
      return isRetriable(code) && batch.mayRetry ? 'retry' : 'fail'
  }
}

/** Whether the broker, which answered with `code`, surely has not written the batch. */
export function surelyNotWritten(code: number): boolean {
  const unsure: number[] = [
    ErrorCode.NETWORK_EXCEPTION,
    ErrorCode.REQUEST_TIMED_OUT,
    ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    ErrorCode.KAFKA_STORAGE_ERROR,
    ErrorCode.UNKNOWN_SERVER_ERROR,
  ]
  return !unsure.includes(code)
}

/** The error of a batch that took longer than deliveryTimeoutMs. `now`: monotonic ms. */
export function notDelivered(
  { lastError: cause, createdMs }: ProducerBatch,
  { topic, partition }: TopicPartition,
  now: number,
): TimeoutError {
  const waited = Math.round(now - createdMs)
  const reason = cause === undefined ? '' : ` Last: ${cause.message}`
  return new TimeoutError(
    `${topic}-${partition}: not delivered within ${waited} ms.${reason}`,
    cause,
  )
}

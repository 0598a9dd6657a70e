/**
 * What a batch from a producer must be before it is appended. Source: Kafka's LogValidator and
 * UnifiedLog.analyzeAndValidateRecords; where they let a wrong batch pass, it is refused here
 * (offset deltas that are not 0..n-1, a transactional batch without a producer id).
 */
import { ErrorCode } from '../protocol/errors.ts'
import {
  baseOffset,
  baseSequence,
  baseTimestamp,
  batchSize,
  CRC_FROM,
  type Crc32c,
  crc as crcOf,
  InvalidRecord,
  isControl,
  isTransactional,
  LOG_OVERHEAD,
  lastOffsetDelta,
  MAGIC_AT,
  MAGIC_V2,
  magic,
  producerId,
  RECORD_BATCH_OVERHEAD,
  RecordCursor,
  recordsCount,
} from '../protocol/record-batch.ts'

/** The rules of one topic that a produced batch is held to. */
export interface BatchRules {
  maxMessageBytes: number
  segmentBytes: number
  compacted: boolean
  logAppendTime: boolean
  timestampBeforeMaxMs: number
  timestampAfterMaxMs: number
}

/** Why a batch is refused, as a Produce response carries it. */
export interface Refusal {
  errorCode: ErrorCode
  message: string | null
  /** Records at fault, by their place in the batch (v8 and later). */
  recordErrors: readonly { batchIndex: number; message: string | null }[] | null
  /** Kafka sees it before it asks the log, so that its answer lacks the log start offset. */
  beforeLog: boolean
}

/**
 * Judges the header of the one batch that `records` must be, and its CRC. `undefined`: sound.
 * The order of the checks is Kafka's, since a batch may be wrong in several ways at once.
 */
export function headerProblem(
  records: Buffer,
  rules: BatchRules,
  crc32c: Crc32c,
): Refusal | undefined {
  const bytes = records.length
  if (bytes <= MAGIC_AT) return invalidRequest('The request holds no record batch')
  const version = magic(records, 0)
  if (version < 0 || version > MAGIC_V2) {
    return refusal(ErrorCode.CORRUPT_MESSAGE, `Unknown magic ${version}`)
  }
  const length = batchSize(records, 0)
  if (length < (version < MAGIC_V2 ? LOG_OVERHEAD : RECORD_BATCH_OVERHEAD)) {
    return refusal(ErrorCode.CORRUPT_MESSAGE, 'The batch length is less than that of a header')
  }
  if (length > bytes) return invalidRequest('The request holds no whole record batch')
  if (version < MAGIC_V2) return invalidRequest('Record batches of magic 0 and 1 are not accepted')
  if (length < bytes) return invalidRequest('A partition takes one record batch in a request')
  if (baseOffset(records, 0) !== 0) return invalid('The base offset of a produced batch must be 0')
  if (length > rules.maxMessageBytes) {
    return refusal(
      ErrorCode.MESSAGE_TOO_LARGE,
      `The batch of ${length} bytes exceeds max.message.bytes, ${rules.maxMessageBytes}`,
    )
  }
  if (crc32c(records.subarray(CRC_FROM, length)) !== crcOf(records, 0)) {
    return refusal(ErrorCode.CORRUPT_MESSAGE, 'The CRC of the batch is wrong')
  }
  const count = recordsCount(records, 0)
  if (count <= 0 || lastOffsetDelta(records, 0) + 1 !== count) {
    return invalid('The record count does not fit the last offset delta')
  }
  if (isControl(records, 0)) return invalid('Clients may not write control records')
  const id = producerId(records, 0)
  if (id >= 0 && baseSequence(records, 0) < 0) {
    return invalid('A batch with a producer id needs a sequence number')
  }
  if (id < 0 && isTransactional(records, 0)) {
    return invalid('A transactional batch needs a producer id')
  }
  if (length > rules.segmentBytes) {
    return refusal(
      ErrorCode.RECORD_LIST_TOO_LARGE,
      `The batch of ${length} bytes exceeds segment.bytes, ${rules.segmentBytes}`,
    )
  }
  return undefined
}

/** What a pass over the records of a batch found. One per thread, reused. */
export interface RecordsFacts {
  maxTimestamp: number
  refusal: Refusal | undefined
}

const cursor = new RecordCursor()

/**
 * Walks over the plain records of a batch in `bytes` from `start` on: their structure, their offset
 * deltas, keys where the topic is compacted, and timestamps. Allocates nothing when all is well.
 */
// hot
export function checkRecords(
  header: Buffer,
  bytes: Buffer,
  start: number,
  rules: BatchRules,
  nowMs: number,
  facts: RecordsFacts,
): void {
  facts.refusal = undefined
  facts.maxTimestamp = -1
  try {
    cursor.reset(bytes, start, bytes.length, recordsCount(header, 0))
    walkRecords(baseTimestamp(header, 0), rules, nowMs, facts)
  } catch (error) {
    if (!(error instanceof InvalidRecord)) throw error
    facts.refusal = invalid(`The records are malformed: ${error.message}`)
  }
}

// hot
function walkRecords(base: number, rules: BatchRules, nowMs: number, facts: RecordsFacts): void {
  const oldest = nowMs - rules.timestampBeforeMaxMs
  const newest = nowMs + rules.timestampAfterMaxMs
  let maxTimestamp = -1
  let faults: RecordFaults | undefined
  for (let i = 0; cursor.next(); i++) {
    if (cursor.offsetDelta !== i) {
      facts.refusal = invalid('Offset deltas must count from 0 without gaps')
      return
    }
    if (rules.compacted && cursor.keyLength < 0) {
      faults ??= new RecordFaults()
      faults.keyless(i)
      continue
    }
    const timestamp = base + cursor.timestampDelta
    if (timestamp > maxTimestamp) maxTimestamp = timestamp
    if (!rules.logAppendTime && timestamp >= 0 && (timestamp < oldest || timestamp > newest)) {
      faults ??= new RecordFaults()
      faults.untimely(i, timestamp, oldest, newest)
    }
  }
  facts.maxTimestamp = maxTimestamp
  facts.refusal = faults?.refusal()
}

/** Records at fault that an answer names; there may be as many as the batch has records. */
const RECORD_ERRORS_MAX = 10_000

/** Records that a message shows beside their number. */
const RECORDS_SHOWN = 3

/** What is wrong with the records of a batch. Source: Kafka's LogValidator.processRecordErrors. */
class RecordFaults {
  readonly #errors: { batchIndex: number; message: string }[] = []
  #count = 0
  #untimely = false

  keyless(index: number): void {
    this.#add(index, 'Compacted topic cannot accept message without key')
  }

  untimely(index: number, timestamp: number, oldest: number, newest: number): void {
    this.#untimely = true
    this.#add(
      index,
      `Timestamp ${timestamp} of message is out of range. ` +
        `The timestamp should be within [${oldest}, ${newest}]`,
    )
  }

  refusal(): Refusal {
    const errorCode = this.#untimely ? ErrorCode.INVALID_TIMESTAMP : ErrorCode.INVALID_RECORD
    return { errorCode, message: this.#message(), recordErrors: this.#errors, beforeLog: false }
  }

  #add(batchIndex: number, message: string): void {
    this.#count++
    if (this.#errors.length < RECORD_ERRORS_MAX) this.#errors.push({ batchIndex, message })
  }

  #message(): string {
    if (this.#untimely) return 'One or more records have been rejected due to invalid timestamp'
    const shown = this.#errors.slice(0, RECORDS_SHOWN).map(({ batchIndex, message }) => {
      return `RecordError(batchIndex=${batchIndex}, message='${message}')`
    })
    const total = `due to ${this.#count} record errors in total`
    const which = `only showing the first three errors at most: [${shown.join(', ')}]`
    return `One or more records have been rejected ${total}, and ${which}`
  }
}

/** A request that Kafka's broker refuses before it looks for the log. */
function invalidRequest(message: string): Refusal {
  return { ...invalid(message), beforeLog: true }
}

function invalid(message: string): Refusal {
  return refusal(ErrorCode.INVALID_RECORD, message)
}

function refusal(errorCode: ErrorCode, message: string): Refusal {
  return {
    errorCode,
    message,
    recordErrors: null,
    beforeLog: errorCode !== ErrorCode.INVALID_RECORD,
  }
}

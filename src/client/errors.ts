/**
 * What the client rejects with. One class per way of dealing with it, as in Kafka's clients; the
 * code, its name and a hint say the rest.
 */
import {
  ErrorCode,
  type ErrorName,
  errorName,
  errorSentence,
  isRetriable,
} from '../protocol/errors.ts'

/** What to do about codes that people meet. */
const hints: Partial<Record<ErrorName, string>> = {
  UNKNOWN_TOPIC_OR_PARTITION:
    'Create the topic, or check its name; it may also have been deleted a moment ago.',
  MESSAGE_TOO_LARGE:
    'Raise max.message.bytes of the topic, lower batchSize, or keep large values elsewhere.',
  RECORD_LIST_TOO_LARGE: 'Raise segment.bytes of the topic or lower batchSize.',
  NOT_ENOUGH_REPLICAS: 'See which brokers are down, or lower min.insync.replicas of the topic.',
  INVALID_REPLICATION_FACTOR: 'Ask for no more replicas than there are brokers.',
  INVALID_RECORD: 'A compacted topic takes only records with a key.',
  INVALID_TIMESTAMP: 'Timestamps are milliseconds since 1970; see message.timestamp.after.max.ms.',
  TOPIC_ALREADY_EXISTS: 'Nothing has to be done if any topic of this name will do.',
  NON_EMPTY_GROUP: 'Close all consumers of the group first.',
  GROUP_ID_NOT_FOUND:
    'The group has never committed or joined, has expired, or is of another type: see listGroups.',
  UNKNOWN_MEMBER_ID: 'The member was too slow: raise sessionTimeoutMs or maxPollIntervalMs.',
  ILLEGAL_GENERATION: 'The group has rebalanced: commit before partitions are taken away.',
  FENCED_INSTANCE_ID: 'Give each running consumer a groupInstanceId of its own.',
  REBALANCE_IN_PROGRESS: 'Poll again, so that the consumer joins the new generation.',
  OFFSET_OUT_OF_RANGE: 'The records were deleted: set autoOffsetReset, or seek.',
  OUT_OF_ORDER_SEQUENCE_NUMBER: 'Records before these were lost; the producer starts anew.',
  PRODUCER_FENCED: 'Another producer uses the same transactionalId; close this one.',
  UNSUPPORTED_VERSION: 'The broker is too old for this call.',
  TOPIC_AUTHORIZATION_FAILED: 'Add an ACL for the topic.',
  GROUP_AUTHORIZATION_FAILED: 'Add an ACL for the group.',
  CLUSTER_AUTHORIZATION_FAILED: 'Add an ACL for the cluster.',
  SASL_AUTHENTICATION_FAILED: 'Check user and password.',
  NETWORK_EXCEPTION: 'Check that the broker runs, and that its advertised address can be reached.',
  REQUEST_TIMED_OUT:
    'The broker is slow or cannot be reached; raise requestTimeoutMs if it is slow.',
  POLICY_VIOLATION: 'The configuration of the topic or broker does not allow this.',
}

/** Details of an error that the code alone does not tell. */
export interface KafkaErrorDetails {
  /** What went wrong, in a sentence. Default: that of the code. */
  readonly message?: string | undefined
  /** Default: what usually helps. */
  readonly hint?: string
  readonly cause?: unknown
}

/** An error of the Kafka protocol, or of the client itself in the same terms. */
export class KafkaError extends Error {
  /** Kafka's number; -1 where it has none. */
  readonly code: number
  /** Kafka's name of the code, such as NOT_LEADER_OR_FOLLOWER. */
  override readonly name: string
  /** Whether the same call may succeed later. The client has tried that already. */
  readonly retriable: boolean
  /** Whether the producer or consumer is of no use any more and has to be closed. */
  readonly fatal: boolean
  /** What usually helps; may be empty. */
  readonly hint: string

  constructor(code: number, details: KafkaErrorDetails = {}) {
    super(details.message ?? errorSentence(code), { cause: details.cause })
    this.code = code
    this.name = errorName(code)
    this.retriable = isRetriable(code)
    this.fatal = FATAL.has(code)
    this.hint = details.hint ?? hints[this.name as ErrorName] ?? ''
  }
}

const FATAL: ReadonlySet<number> = new Set([
  ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
  ErrorCode.FENCED_INSTANCE_ID,
  ErrorCode.PRODUCER_FENCED,
  ErrorCode.SASL_AUTHENTICATION_FAILED,
  ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  ErrorCode.UNSUPPORTED_SASL_MECHANISM,
])

/** Worth another try. The client's own retries have run out when a caller sees it. */
export class RetriableError extends KafkaError {}

/** The leader or the coordinator is elsewhere by now: metadata has to be fetched before a retry. */
export class InvalidMetadataError extends RetriableError {}

/** The connection broke or could not be made. */
export class DisconnectError extends InvalidMetadataError {
  constructor(message: string, cause?: unknown) {
    super(ErrorCode.NETWORK_EXCEPTION, { message, cause })
  }
}

/** Something did not happen in time. */
export class TimeoutError extends RetriableError {
  constructor(message: string, cause?: unknown) {
    super(ErrorCode.REQUEST_TIMED_OUT, { message, cause })
  }
}

/** An ACL or a password stands in the way. */
export class AuthorizationError extends KafkaError {}

/** The producer or consumer cannot go on; close it. */
export class FatalError extends KafkaError {}

/** The client was closed. */
export class ClosedError extends KafkaError {
  override readonly name = 'CLIENT_CLOSED'
  constructor(what: string) {
    super(ErrorCode.UNKNOWN_SERVER_ERROR, { message: `The ${what} is closed.` })
  }
}

/** The producer's buffer memory was full for maxBlockMs, or too many sends wait for it. */
export class BufferExhaustedError extends TimeoutError {
  override readonly name = 'BUFFER_EXHAUSTED'
}

/** The leader has lost records that were read already, and autoOffsetReset is 'none'. KIP-320. */
export class LogTruncationError extends KafkaError {
  override readonly name = 'LOG_TRUNCATION'
  /** Where the log and what was read part; undefined: not known. */
  readonly divergentOffset: number | undefined

  constructor(partition: string, position: number, divergentOffset: number | undefined) {
    const where = divergentOffset === undefined ? 'all that was read' : `from ${divergentOffset} on`
    super(ErrorCode.OFFSET_OUT_OF_RANGE, {
      message: `${partition} was read up to ${position} and has lost ${where}.`,
      hint: 'seek() to where to go on, or set autoOffsetReset.',
    })
    this.divergentOffset = divergentOffset
  }
}

/** Some items of a call failed; the others are done. Code and message are those of the first. */
export class PartialError extends KafkaError {
  /** By topic, `topic-partition`, group or resource. */
  readonly failures: ReadonlyMap<string, KafkaError>

  /** `failures` is not empty. */
  constructor(failures: ReadonlyMap<string, KafkaError>) {
    const [[item, first] = ['', undefined]] = failures
    const more = failures.size > 1 ? ` (and ${failures.size - 1} more)` : ''
    super(first?.code ?? ErrorCode.UNKNOWN_SERVER_ERROR, {
      message: `${item}: ${first?.message ?? ''}${more}`,
      cause: first,
    })
    this.failures = failures
  }
}

const INVALID_METADATA: ReadonlySet<number> = new Set([
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.INCONSISTENT_TOPIC_ID,
  ErrorCode.LEADER_NOT_AVAILABLE,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.REPLICA_NOT_AVAILABLE,
  ErrorCode.LISTENER_NOT_FOUND,
  ErrorCode.FENCED_LEADER_EPOCH,
  ErrorCode.UNKNOWN_LEADER_EPOCH,
  ErrorCode.KAFKA_STORAGE_ERROR,
  ErrorCode.NETWORK_EXCEPTION,
  ErrorCode.NOT_CONTROLLER,
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE,
  ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE,
])

const AUTHORIZATION: ReadonlySet<number> = new Set([
  ErrorCode.TOPIC_AUTHORIZATION_FAILED,
  ErrorCode.GROUP_AUTHORIZATION_FAILED,
  ErrorCode.DELEGATION_TOKEN_AUTHORIZATION_FAILED,
])

/** Whether metadata has to be fetched anew after this code. */
export function isInvalidMetadata(code: number): boolean {
  return INVALID_METADATA.has(code)
}

/** The error of a code, in the class that says how to deal with it. `code` is not NONE. */
export function kafkaError(code: number, message?: string | null): KafkaError {
  const details = { message: message ?? undefined }
  if (FATAL.has(code)) return new FatalError(code, details)
  if (AUTHORIZATION.has(code)) return new AuthorizationError(code, details)
  if (INVALID_METADATA.has(code)) return new InvalidMetadataError(code, details)
  if (isRetriable(code)) return new RetriableError(code, details)
  return new KafkaError(code, details)
}

/** Throws the error of `code` unless it is NONE. */
export function throwOnError(code: number, message?: string | null): void {
  if (code !== ErrorCode.NONE) throw kafkaError(code, message)
}

/** Any rejection as a KafkaError. */
export function asKafkaError(error: unknown): KafkaError {
  if (error instanceof KafkaError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, { message, cause: error })
}

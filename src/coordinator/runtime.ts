/**
 * What all coordinators have in common: their state is a log. A turn (a request, or a time that has
 * come) names records; they are appended to the partition's log, then they change the state, then
 * the answers leave. A start is the same replay. Source: Kafka's CoordinatorRuntime.
 */
import { assert } from '../base/assert.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { encodeKey, encodeValue, type RecordSchema } from '../protocol/records/record.ts'
import type { Message, MessageOf } from '../protocol/schema.ts'
import { CoordinatorTimers } from './timers.ts'

/** A record of a coordinator's topic; a null value is a tombstone. */
export interface CoordinatorRecord<K extends Message = Message, V extends Message = Message> {
  readonly schema: RecordSchema<K, V>
  readonly key: MessageOf<K>
  readonly value: MessageOf<V> | null
  /** In which version of its schema the value is written. */
  readonly version: number
}

/** A record with its types checked; the types are erased in the answer. */
export function recordOf<K extends Message, V extends Message>(
  schema: RecordSchema<K, V>,
  key: MessageOf<K>,
  value: MessageOf<V> | null,
  version: number = schema.value.versions[1],
): CoordinatorRecord {
  return { schema, key, value, version } as unknown as CoordinatorRecord
}

/** Takes the answer to a request; called once. */
export type Reply<R> = (response: R) => void

/** Where a record came from. */
export interface ReplayOrigin {
  readonly partition: number
  /** Of the transaction that the record belongs to; -1: none, so the record holds at once. */
  readonly producerId: number
  /** Wall milliseconds. */
  readonly nowMs: number
}

/** The state machine that a runtime serves. */
export interface CoordinatorMachine {
  /** The only way by which logged state changes, live and at the start. */
  replay(record: CoordinatorRecord, origin: ReplayOrigin): void
  /** A transaction ended in this partition's log: what it wrote holds, or is dropped. */
  onTransactionEnd(partition: number, producerId: number, commit: boolean, nowMs: number): void
  /** All of a partition's log was replayed; timers start now. */
  onLoaded(turn: Turn): void
  /** The state of a partition is to be forgotten, with all answers that it owes. */
  onUnloaded(partition: number): void
}

/** A key and a value as they are logged. */
export interface EncodedRecord {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** What a runtime needs of its shell. */
export interface CoordinatorHost {
  /**
   * Appends the records as one batch. `done` is called once: with an error before this returns when
   * nothing was written, else when the batch is as durable as the topic's policy wants it.
   */
  append(
    partition: number,
    records: readonly EncodedRecord[],
    nowMs: number,
    done: (errorCode: ErrorCode) => void,
  ): void
  /** What was written may be lost: the partition is to be replayed from its log again. */
  reload(partition: number): void
}

/** Both clocks: wall for what is kept, monotonic for what is waited for; milliseconds. */
export interface Now {
  readonly wallMs: number
  readonly monotonicMs: number
}

/** absent: there is no such partition, or nobody has begun to load it. */
export type PartitionPhase = 'absent' | 'loading' | 'active'

/** One request or one time that has come, until its answers have left. */
export class Turn {
  readonly partition: number
  /** Wall milliseconds. */
  readonly nowMs: number
  readonly #monotonicMs: number
  readonly #timers: CoordinatorTimers
  readonly #records: { record: CoordinatorRecord; replayed: boolean }[] = []
  readonly #endings: ((errorCode: ErrorCode) => void)[] = []

  readonly #follow: (operation: (turn: Turn) => void) => boolean

  constructor(
    partition: number,
    now: Now,
    timers: CoordinatorTimers,
    follow: (operation: (turn: Turn) => void) => boolean,
  ) {
    this.partition = partition
    this.#follow = follow
    this.nowMs = now.wallMs
    this.#monotonicMs = now.monotonicMs
    this.#timers = timers
  }

  get records(): readonly { record: CoordinatorRecord; replayed: boolean }[] {
    return this.#records
  }

  /** Logs a record; it changes the state by `replay` once it is written. */
  change(record: CoordinatorRecord): void {
    this.#records.push({ record, replayed: true })
  }

  /** Logs what the state holds already (Kafka's classic groups are written so). */
  persist(record: CoordinatorRecord): void {
    this.#records.push({ record, replayed: false })
  }

  /** Answers when all records of this turn are durable; `failed` makes the answer otherwise. */
  answer<R>(reply: Reply<R>, response: R, failed: (errorCode: ErrorCode) => R): void {
    this.#endings.push((errorCode) => {
      reply(errorCode === ErrorCode.NONE ? response : failed(errorCode))
    })
  }

  /** Runs when the records of this turn are durable, or with the coordinator error why not. */
  onEnd(ending: (errorCode: ErrorCode) => void): void {
    this.#endings.push(ending)
  }

  /** As onEnd, in a turn of its own; does not run when the partition was unloaded meanwhile. */
  followedBy(operation: (turn: Turn, errorCode: ErrorCode) => void): void {
    this.#endings.push((errorCode) => this.#follow((turn) => operation(turn, errorCode)))
  }

  /**
   * For callbacks from elsewhere, when this turn has ended: runs `operation` in a turn of its own.
   * false: the partition was unloaded meanwhile, and nothing was run.
   */
  resume(operation: (turn: Turn) => void): boolean {
    return this.#follow(operation)
  }

  /** Sets or replaces the timer `key`, which is unique in the coordinator. */
  setTimer(key: string, delayMs: number, run: (turn: Turn) => void): void {
    this.#timers.set(key, this.partition, this.#monotonicMs + delayMs, run)
  }

  /** Gives the timer `key` its time anew, as it is; false: there is none. */
  restartTimer(key: string, delayMs: number): boolean {
    return this.#timers.move(key, this.#monotonicMs + delayMs)
  }

  cancelTimer(key: string): void {
    this.#timers.cancel(key)
  }

  hasTimer(key: string): boolean {
    return this.#timers.has(key)
  }

  /** For the runtime: the turn is over. */
  end(errorCode: ErrorCode): void {
    for (const ending of this.#endings) ending(errorCode)
  }
}

export interface RuntimeOptions {
  readonly machine: CoordinatorMachine
  readonly host: CoordinatorHost
  now(): Now
}

/** Lives on the coordinator's thread. Between calls every written record has been replayed. */
export class CoordinatorRuntime {
  readonly timers: CoordinatorTimers
  readonly #options: RuntimeOptions
  readonly #phases: PartitionPhase[] = []

  constructor(options: RuntimeOptions) {
    this.#options = options
    this.timers = new CoordinatorTimers(options.now().monotonicMs)
  }

  phase(partition: number): PartitionPhase {
    return this.#phases[partition] ?? 'absent'
  }

  /** Why an operation on this partition cannot be run now; NONE: it can. */
  problemOf(partition: number): ErrorCode {
    switch (this.phase(partition)) {
      case 'active':
        return ErrorCode.NONE
      case 'loading':
        return ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
      default:
        return ErrorCode.NOT_COORDINATOR
    }
  }

  /** Runs one operation on an active partition, writes its records and lets its answers go. */
  run(partition: number, operation: (turn: Turn) => void): void {
    assert(this.phase(partition) === 'active', 'only an active partition has turns')
    const turn = new Turn(partition, this.#options.now(), this.timers, (following) => {
      if (this.phase(partition) !== 'active') return false
      this.run(partition, following)
      return true
    })
    operation(turn)
    this.#settle(turn)
  }

  /** A time has come: runs what is due. */
  advance(): void {
    this.timers.advance(this.#options.now().monotonicMs, ({ partition, run }) => {
      if (this.phase(partition) === 'active') this.run(partition, run)
    })
  }

  beginLoad(partition: number): void {
    if (this.phase(partition) !== 'absent') this.unload(partition)
    this.#phases[partition] = 'loading'
  }

  /** A record of a partition that is being loaded. `producerId`: see ReplayOrigin. */
  replay(partition: number, record: CoordinatorRecord, producerId: number): void {
    const { machine, now } = this.#options
    machine.replay(record, { partition, producerId, nowMs: now().wallMs })
  }

  /** A transaction marker, of a partition that is being loaded or is active. */
  endTransaction(partition: number, producerId: number, commit: boolean): void {
    const { machine, now } = this.#options
    machine.onTransactionEnd(partition, producerId, commit, now().wallMs)
  }

  finishLoad(partition: number): void {
    this.#phases[partition] = 'active'
    this.run(partition, (turn) => this.#options.machine.onLoaded(turn))
  }

  unload(partition: number): void {
    this.#phases[partition] = 'absent'
    this.timers.cancelAll(partition)
    this.#options.machine.onUnloaded(partition)
  }

  #settle(turn: Turn): void {
    const { records, partition } = turn
    if (records.length === 0) {
      turn.end(ErrorCode.NONE)
      return
    }
    let written = false
    let outcome: ErrorCode | undefined
    const encoded = records.map(({ record }) => encodeRecord(record))
    this.#options.host.append(partition, encoded, turn.nowMs, (errorCode) => {
      if (written) this.#finish(turn, errorCode)
      else outcome = errorCode
    })
    if (outcome !== undefined && outcome !== ErrorCode.NONE) {
      turn.end(coordinatorError(outcome))
      return
    }
    written = true
    const origin = { partition, producerId: -1, nowMs: turn.nowMs }
    for (const { record, replayed } of records) {
      if (replayed) this.#options.machine.replay(record, origin)
    }
    if (outcome !== undefined) turn.end(ErrorCode.NONE)
  }

  /** The end of a batch that was written first and made durable later. */
  #finish(turn: Turn, errorCode: ErrorCode): void {
    if (errorCode === ErrorCode.NONE) {
      turn.end(errorCode)
      return
    }
    if (this.phase(turn.partition) === 'active') {
      this.unload(turn.partition)
      this.#options.host.reload(turn.partition)
    }
    turn.end(coordinatorError(errorCode))
  }
}

/** A record as it is logged. */
export function encodeRecord({ schema, key, value, version }: CoordinatorRecord): EncodedRecord {
  return {
    key: encodeKey(schema, key),
    value: value === null ? null : encodeValue(schema, version, value),
  }
}

/** What a client is told when a record could not be written. */
function coordinatorError(errorCode: ErrorCode): ErrorCode {
  switch (errorCode) {
    case ErrorCode.KAFKA_STORAGE_ERROR:
    case ErrorCode.NOT_LEADER_OR_FOLLOWER:
      return ErrorCode.NOT_COORDINATOR
    case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
    case ErrorCode.NOT_ENOUGH_REPLICAS:
    case ErrorCode.REQUEST_TIMED_OUT:
      return ErrorCode.COORDINATOR_NOT_AVAILABLE
    case ErrorCode.MESSAGE_TOO_LARGE:
    case ErrorCode.RECORD_LIST_TOO_LARGE:
      return ErrorCode.UNKNOWN_SERVER_ERROR
    default:
      return errorCode
  }
}

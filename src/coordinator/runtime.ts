/**
 * What all coordinators have in common: their state is a log. A turn (a request, or a time that has
 * come) names records; they are appended to the partition's log, then they change the state, then
 * the answers leave. A start is the same replay. Source: Kafka's CoordinatorRuntime.
 */
import { assert } from '../base/assert.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { encodeKey, encodeValue, type RecordSchema } from '../protocol/records/record.ts'
import type { Message, MessageOf } from '../protocol/schema.ts'
import { type CoordinatorTimer, CoordinatorTimers } from './timers.ts'

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

/** Whose transaction something is written in. */
export interface TransactionProducer {
  readonly producerId: number
  readonly producerEpoch: number
}

/** The end of a transaction in one partition. `transactionVersion`: see KIP-1228. */
export interface TransactionMarker extends TransactionProducer {
  readonly commit: boolean
  readonly coordinatorEpoch: number
  readonly transactionVersion: number
}

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
   * Appends the records as one batch, of a transaction where there is a producer. `done` is called
   * once: with an error before this returns when nothing was written, else when the batch is as
   * durable as the topic's policy wants it.
   */
  append(
    partition: number,
    batch: {
      readonly records: readonly EncodedRecord[]
      readonly nowMs: number
      readonly producer: TransactionProducer | undefined
    },
    done: (errorCode: ErrorCode) => void,
  ): void
  /** Appends a marker; `done` as above. */
  appendMarker(
    partition: number,
    marker: TransactionMarker,
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

/** A record that is to be logged; `replayed`: it changes the state then. */
interface TurnRecord {
  readonly record: CoordinatorRecord
  readonly replayed: boolean
}

/** Hears how the records of a turn were logged. */
type Ending = (errorCode: ErrorCode) => void

/** One request or one time that has come, until its answers have left. */
export class Turn {
  readonly partition: number
  /** Whose transaction the records belong to. */
  readonly producer: TransactionProducer | undefined
  /** Wall milliseconds. */
  readonly nowMs: number
  readonly monotonicMs: number
  readonly #timers: CoordinatorTimers
  readonly #records: TurnRecord[] = []
  readonly #endings: Ending[] = []

  readonly #follow: (operation: (turn: Turn) => void) => boolean

  constructor(
    partition: number,
    now: Now,
    timers: CoordinatorTimers,
    follow: (operation: (turn: Turn) => void) => boolean,
    producer: TransactionProducer | undefined,
  ) {
    this.partition = partition
    this.producer = producer
    this.#follow = follow
    this.nowMs = now.wallMs
    this.monotonicMs = now.monotonicMs
    this.#timers = timers
  }

  get records(): readonly TurnRecord[] {
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
    this.onEnd((errorCode) => {
      reply(errorCode === ErrorCode.NONE ? response : failed(errorCode))
    })
  }

  /** Runs when the records of this turn are durable, or with the coordinator error why not. */
  onEnd(ending: Ending): void {
    this.#endings.push(ending)
  }

  /** As onEnd, in a turn of its own; does not run when the partition was unloaded meanwhile. */
  followedBy(operation: (turn: Turn, errorCode: ErrorCode) => void): void {
    this.onEnd((errorCode) => this.#follow((turn) => operation(turn, errorCode)))
  }

  /**
   * For callbacks from elsewhere, when this turn has ended: runs `operation` in a turn of its own.
   * false: the partition was unloaded meanwhile, and nothing was run.
   */
  resume(operation: (turn: Turn) => void): boolean {
    return this.#follow(operation)
  }

  /** Sets or replaces the timer `key`, which is unique in the coordinator. */
  setTimer(key: string, delayMs: number, run: (turn: Turn) => void): CoordinatorTimer {
    return this.#timers.set(key, this.partition, this.monotonicMs + delayMs, run)
  }

  /** The timer `key` that is set; undefined: there is none. */
  timer(key: string): CoordinatorTimer | undefined {
    return this.#timers.get(key)
  }

  /** Gives a timer its time anew, as it is; false: it is set no more, or never was. */
  restartTimer(timer: CoordinatorTimer | undefined, delayMs: number): boolean {
    return timer !== undefined && this.#timers.move(timer, this.monotonicMs + delayMs)
  }

  cancelTimer(key: string): void {
    this.#timers.cancel(key)
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

  /**
   * Runs one operation on an active partition, writes its records and lets its answers go.
   * `producer`: the records belong to its transaction, and hold when that is committed.
   */
  run(
    partition: number,
    operation: (turn: Turn) => void,
    producer: TransactionProducer | undefined = undefined,
  ): void {
    assert(this.phase(partition) === 'active', 'only an active partition has turns')
    const follow = (following: (turn: Turn) => void) => {
      if (this.phase(partition) !== 'active') return false
      this.run(partition, following)
      return true
    }
    const turn = new Turn(partition, this.#options.now(), this.timers, follow, producer)
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

  /**
   * Ends a transaction in the log of an active partition; `done` hears when that is durable, or why
   * it was not written.
   */
  writeMarker(
    partition: number,
    marker: TransactionMarker,
    done: (errorCode: ErrorCode) => void,
  ): void {
    const { producerId, commit } = marker
    this.#write(
      partition,
      (written) => this.#options.host.appendMarker(partition, marker, written),
      () => this.endTransaction(partition, producerId, commit),
      done,
    )
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
    const { nowMs, producer } = turn
    const batch = { records: records.map(({ record }) => encodeRecord(record)), nowMs, producer }
    const origin = { partition, producerId: producer?.producerId ?? -1, nowMs }
    this.#write(
      partition,
      (written) => this.#options.host.append(partition, batch, written),
      () => {
        for (const { record, replayed } of records) {
          if (replayed) this.#options.machine.replay(record, origin)
        }
      },
      (errorCode) =>
        turn.end(errorCode === ErrorCode.NONE ? errorCode : coordinatorError(errorCode)),
    )
  }

  /** What is written changes the state at once, and is told when it is durable. */
  #write(
    partition: number,
    write: (done: (errorCode: ErrorCode) => void) => void,
    apply: () => void,
    end: (errorCode: ErrorCode) => void,
  ): void {
    let written = false
    let outcome: ErrorCode | undefined
    write((errorCode) => {
      if (!written) outcome = errorCode
      else this.#finish(partition, errorCode, end)
    })
    if (outcome !== undefined && outcome !== ErrorCode.NONE) {
      end(outcome)
      return
    }
    written = true
    apply()
    if (outcome !== undefined) end(ErrorCode.NONE)
  }

  /** The end of a batch that was written first and made durable later. */
  #finish(partition: number, errorCode: ErrorCode, end: (errorCode: ErrorCode) => void): void {
    if (errorCode !== ErrorCode.NONE && this.phase(partition) === 'active') {
      this.unload(partition)
      this.#options.host.reload(partition)
    }
    end(errorCode)
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

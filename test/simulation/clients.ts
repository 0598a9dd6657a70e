/**
 * Clients of the simulated broker: idempotent producers, readers, and somebody who deletes records.
 */
import { ErrorCode } from '../../src/protocol/errors.ts'
import { batchOf } from '../log/batches.ts'
import type { ClientConnection, Transport } from './broker.ts'
import { Broken, type PartitionLedger, recordsIn } from './promises.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

/** The sequence begins near its end, so that runs go over the wrap. */
const FIRST_SEQUENCE = 2 ** 31 - 40
const IN_FLIGHT_MAX = 5
/** A request that is not answered for so long is sent again, over a new connection. */
const TIMEOUT_MS = 10_000

/** Errors after which a producer sends the same batch again. */
const RETRIABLE: ReadonlySet<number> = new Set([
  ErrorCode.KAFKA_STORAGE_ERROR,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
])

export interface ClientParts {
  scheduler: Scheduler
  random: Random
  transport: Transport
  slot: number
  ledger: PartitionLedger
}

interface PendingBatch {
  sequence: number
  values: string[]
  bytes: Buffer
  isSending: boolean
}

/** Sends batches in order, five in flight, each until it is acknowledged. */
export class SimulatedProducer {
  readonly #parts: ClientParts
  readonly #id: number
  readonly #pending: PendingBatch[] = []
  #connection: ClientConnection
  #sequence = FIRST_SEQUENCE
  #records = 0
  #isKnown = false
  stopped = false

  constructor(id: number, parts: ClientParts) {
    this.#id = id
    this.#parts = parts
    this.#connection = this.#connect()
    this.#turn()
  }

  /** Whether everything that was sent was acknowledged. */
  get isDone(): boolean {
    return this.stopped && this.#pending.length === 0
  }

  #turn(): void {
    const { random, scheduler } = this.#parts
    // The first one goes alone: a broker takes any sequence from a producer that it does not know.
    const most = this.#isKnown ? IN_FLIGHT_MAX : 1
    if (!this.stopped && this.#pending.length < most && random.chance(0.8)) this.#make()
    // In order: none may overtake one that has to be sent again.
    for (const batch of this.#pending) if (!batch.isSending) this.#send(batch)
    if (!this.isDone) scheduler.after(random.int(1, 200), () => this.#turn())
  }

  #make(): void {
    const { random, ledger, scheduler } = this.#parts
    const count = random.int(1, 6)
    const values = Array.from({ length: count }, () => `${this.#id}:${this.#records++}`)
    for (const value of values) ledger.sent(value)
    const bytes = batchOf({
      producerId: this.#id,
      producerEpoch: 0,
      sequence: this.#sequence,
      timestamp: 1_700_000_000_000 + scheduler.nowMs,
      values,
    })
    this.#pending.push({ sequence: this.#sequence, values, bytes, isSending: false })
    this.#sequence = (this.#sequence + count) % 2 ** 31
  }

  /** A new connection; all that was not answered over the last one is sent again. */
  #connect(): ClientConnection {
    for (const batch of this.#pending) batch.isSending = false
    const connection: ClientConnection = this.#parts.transport.connect(() => {
      if (this.#connection === connection) this.#connection = this.#connect()
    })
    return connection
  }

  #send(batch: PendingBatch): void {
    const connection = this.#connection
    batch.isSending = true
    this.#parts.scheduler.after(TIMEOUT_MS, () => {
      if (this.#connection !== connection || !this.#pending.includes(batch)) return
      connection.lose()
    })
    connection.append(this.#parts.slot, batch.bytes, (result) => {
      const at = this.#pending.indexOf(batch)
      if (at < 0 || this.#connection !== connection) return
      if (result.errorCode === ErrorCode.NONE) this.#acked(batch, at, result.baseOffset)
      else this.#refused(batch, at, result.errorCode)
    })
  }

  #acked(batch: PendingBatch, at: number, baseOffset: number): void {
    for (const [i, value] of batch.values.entries()) this.#parts.ledger.acked(value, baseOffset + i)
    this.#pending.splice(at, 1)
    this.#isKnown = true
  }

  #refused(batch: PendingBatch, at: number, errorCode: number): void {
    const waits = errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER && at > 0
    if (!waits && !RETRIABLE.has(errorCode)) {
      const { name } = this.#parts.ledger
      throw new Broken(
        `${name}: ${batch.values[0]} (${batch.sequence}) was refused with ${errorCode}`,
      )
    }
    batch.isSending = false
  }
}

/** Reads from somewhere on, again and again. */
export class SimulatedReader {
  readonly #parts: ClientParts
  #offset = 0
  #waiting = 0
  #connection: ClientConnection
  stopped = false

  constructor(parts: ClientParts) {
    this.#parts = parts
    this.#connection = this.#connect()
    this.#turn()
  }

  #connect(): ClientConnection {
    return this.#parts.transport.connect(() => {
      this.#connection = this.#connect()
    })
  }

  #turn(): void {
    const { random, scheduler, ledger, slot } = this.#parts
    if (this.stopped) return
    if (random.chance(0.05))
      this.#offset = Math.max(ledger.start, this.#offset - random.int(0, 200))
    const asked = this.#offset
    const before = ledger.asks(asked)
    const turn = ++this.#waiting
    this.#connection.read(slot, asked, random.int(1, 4000), (read) => {
      if (turn !== this.#waiting) return
      if (read.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) {
        this.#offset = ledger.start
      } else if (read.errorCode === ErrorCode.NONE) {
        const records = recordsIn(read.bytes)
        ledger.read(before, { start: read.logStartOffset, high: read.highWatermark }, records)
        this.#offset = (records.at(-1)?.offset ?? asked - 1) + 1
      } else if (!RETRIABLE.has(read.errorCode)) {
        throw new Broken(`${ledger.name}: a read at ${asked} was answered with ${read.errorCode}`)
      }
    })
    scheduler.after(random.int(20, 400), () => this.#turn())
  }
}

/** Deletes the older records now and then. */
export function deleteRecordsNowAndThen(parts: ClientParts, end: () => boolean): void {
  const { random, scheduler, transport, slot, ledger } = parts
  scheduler.after(random.int(1000, 20_000), () => {
    if (end()) return
    const offset = random.chance(0.2) ? -1 : ledger.start + random.int(0, 60)
    const connection = transport.connect(() => {})
    connection.deleteRecords(slot, offset, (low) => ledger.deletedBelow(low))
    deleteRecordsNowAndThen(parts, end)
  })
}

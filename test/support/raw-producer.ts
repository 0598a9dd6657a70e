/**
 * An idempotent producer that never gives up: five requests in flight, and what was not
 * acknowledged is sent again with the same sequences over new connections and restarted brokers. It
 * remembers what was acknowledged at which offset, for those who read back.
 *
 * A value is `<producer>/<partition>/<number>/` and padding; numbers count up per partition from 0.
 */
import { gzipSync } from 'node:zlib'
import { crc32c } from '@node-rs/crc32'
import { Produce } from '../../src/protocol/apis/00-produce.ts'
import { InitProducerId } from '../../src/protocol/apis/22-init-producer-id.ts'
import { ErrorCode, errorName } from '../../src/protocol/errors.ts'
import { buildBatch } from '../../src/protocol/record-batch.ts'
import { ConnectionLost, RawConnection } from './raw-connection.ts'
import { pause, type Seeded } from './seeded.ts'

const IN_FLIGHT_MAX = 5
const PRODUCE_VERSION = 9

/** A batch that was acknowledged. */
export interface Acknowledged {
  readonly partition: number
  readonly baseOffset: number
  /** Number of its first record. */
  readonly first: number
  readonly count: number
}

interface Batch {
  readonly partition: number
  readonly first: number
  readonly count: number
  readonly bytes: Buffer
  acknowledged: boolean
}

/** What a producer is made of. */
export interface ProducerOptions {
  /** Unique among the producers of a topic for ever. */
  readonly name: string
  readonly topic: string
  readonly partitions: number
  readonly random: Seeded
  /** Where the broker is now; changes with each restart. `undefined`: nowhere at the moment. */
  readonly port: () => number | undefined
}

/** Errors after which the same batch may be sent again. */
const RETRIABLE: ReadonlySet<number> = new Set([
  ErrorCode.KAFKA_STORAGE_ERROR,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.REQUEST_TIMED_OUT,
])

export class RawProducer {
  readonly acknowledged: Acknowledged[] = []
  /** Per partition: how many records were made. */
  readonly made: number[]
  /** Answers that break a promise of the broker. */
  readonly faults: string[] = []
  /** Errors that were answered, by name. */
  readonly errors = new Map<string, number>()
  readonly #options: ProducerOptions
  /** Requests that are not wholly acknowledged, oldest first. */
  readonly #unanswered: Batch[][] = []
  /** Partitions that refused a batch over the present connection. */
  readonly #refusedHere = new Set<number>()
  /**
   * Partitions that acknowledged something. One that does not know the producer believes any
   * sequence,
   *  as Kafka's does, so the first batch goes alone. */
  readonly #known = new Set<number>()
  #producerId = -1
  #stopping = false
  #aborted = false
  /** Its connections so far, and what the present one is for. */
  #connections = 0
  #doing = 'not begun'

  constructor(options: ProducerOptions) {
    this.#options = options
    this.made = Array.from({ length: options.partitions }, () => 0)
  }

  get name(): string {
    return this.#options.name
  }

  /** What it is at, for those who look into a failure. */
  state(): string {
    const open = this.#unanswered.flat().filter(({ acknowledged }) => !acknowledged)
    const waiting = open.map(({ partition, first }) => `${partition}:${first}`)
    const errors = [...this.errors].map(([name, count]) => `${count} ${name}`)
    const said = [...errors, ...this.faults].join(', ')
    return (
      `${this.name} of ${this.#options.topic}, ${this.#doing}, ` +
      `${this.acknowledged.length} batches acknowledged, open ${waiting.join(' ')}: ${said}`
    )
  }

  /** Makes no new records; `run` ends when all that were made are acknowledged. */
  stop(): void {
    this.#stopping = true
  }

  /** Gives up what is not acknowledged yet. */
  abort(): void {
    this.#aborted = true
  }

  /** Produces until `stop` or `abort`. */
  async run(): Promise<void> {
    while (!this.#isDone()) {
      this.#doing = `connecting after ${this.#connections} connections`
      const connection = await this.#connect()
      if (connection === undefined) continue
      this.#doing = `on connection ${++this.#connections}`
      try {
        await this.#produceOver(connection)
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error
      }
      connection.close()
      await pause(5)
    }
    this.#doing = 'done'
  }

  #isDone(): boolean {
    return this.#aborted || (this.#stopping && this.#unanswered.length === 0)
  }

  async #connect(): Promise<RawConnection | undefined> {
    const port = this.#options.port()
    if (port !== undefined) {
      try {
        return await RawConnection.open(port)
      } catch {
        // It is being started.
      }
    }
    await pause(10)
    return undefined
  }

  async #produceOver(connection: RawConnection): Promise<void> {
    if (this.#producerId < 0) await this.#init(connection)
    this.#refusedHere.clear()
    let failed = false
    /** Requests in flight here, oldest first. */
    const inFlight: Promise<void>[] = []
    const send = (batches: readonly Batch[]) => {
      const sent = this.#send(connection, batches).then((ok) => {
        if (!ok) failed = true
      })
      sent.catch(() => {})
      inFlight.push(sent)
    }
    for (const batches of this.#unanswered) send(batches)
    while (!failed && !connection.isClosed) {
      if (inFlight.length < IN_FLIGHT_MAX && !this.#stopping && !this.#aborted) {
        const batches = this.#makeRequest()
        if (batches.length > 0) {
          this.#unanswered.push(batches)
          send(batches)
          continue
        }
      }
      if (inFlight.length === 0) break
      await inFlight.shift()
      if (!failed) this.#unanswered.shift()
    }
    await Promise.allSettled(inFlight)
    // What was answered out of the middle of a failure is known to be there.
    const left = this.#unanswered.filter((batches) => batches.some((one) => !one.acknowledged))
    this.#unanswered.splice(0, this.#unanswered.length, ...left)
    if (failed) await pause(this.#options.random.between(1, 50))
  }

  async #init(connection: RawConnection): Promise<void> {
    const answer = await connection.ask(InitProducerId, 4, {
      transactionalId: null,
      transactionTimeoutMs: 60_000,
    })
    if (answer.errorCode === ErrorCode.NONE) this.#producerId = answer.producerId
    else throw new ConnectionLost(`InitProducerId: ${errorName(answer.errorCode)}`)
  }

  /** Whether all of them are acknowledged now. */
  async #send(connection: RawConnection, batches: readonly Batch[]): Promise<boolean> {
    const open = batches.filter((one) => !one.acknowledged)
    if (open.length === 0) return true
    const response = await connection.ask(Produce, PRODUCE_VERSION, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 30_000,
      topicData: [
        {
          name: this.#options.topic,
          partitionData: open.map(({ partition, bytes }) => ({ index: partition, records: bytes })),
        },
      ],
    })
    let ok = true
    for (const { index, errorCode, baseOffset } of response.responses[0]?.partitionResponses ??
      []) {
      const batch = open.find(({ partition }) => partition === index)
      if (batch === undefined) throw new Error(`an answer for partition ${index}, not asked`)
      if (errorCode === ErrorCode.NONE) this.#acknowledge(batch, baseOffset)
      else {
        ok = false
        this.#refused(batch, errorCode)
      }
    }
    return ok
  }

  #acknowledge(batch: Batch, baseOffset: number): void {
    const { partition, first, count } = batch
    batch.acknowledged = true
    this.#known.add(partition)
    this.acknowledged.push({ partition, baseOffset, first, count })
  }

  #refused(batch: Batch, errorCode: number): void {
    const name = errorName(errorCode)
    const isFirst = !this.#refusedHere.has(batch.partition)
    this.#refusedHere.add(batch.partition)
    this.errors.set(name, (this.errors.get(name) ?? 0) + 1)
    if (RETRIABLE.has(errorCode)) return
    // A gap is what must follow the refusal of an earlier batch of the same pipeline.
    if (errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER && !isFirst) return
    this.faults.push(`${this.name}: batch ${batch.first} of ${batch.partition} got ${name}`)
    this.#aborted = true
  }

  /** Batches for one to three partitions; none when all wait for their first acknowledgement. */
  #makeRequest(): Batch[] {
    const { partitions, random } = this.#options
    const start = random.between(0, partitions - 1)
    const count = random.between(1, 3)
    const batches: Batch[] = []
    for (let i = 0; i < partitions && batches.length < count; i++) {
      const partition = (start + i) % partitions
      const mayFollow = this.made[partition] === 0 || this.#known.has(partition)
      if (mayFollow) batches.push(this.#makeBatch(partition))
    }
    return batches
  }

  #makeBatch(partition: number): Batch {
    const { random, name } = this.#options
    const first = this.made[partition] as number
    const large = random.chance(0.05)
    const count = large ? random.between(1, 50) : random.between(1, 12)
    this.made[partition] = first + count
    const now = 1_700_000_000_000 + first
    const records = Array.from({ length: count }, (_, i) => ({
      timestamp: now + i,
      key: Buffer.from(name),
      value: Buffer.from(
        paddedValue(name, partition, first + i, large ? 4000 : random.between(0, 600)),
      ),
    }))
    const header = { producerId: this.#producerId, producerEpoch: 0, baseSequence: first }
    const bytes = random.chance(0.1)
      ? buildBatch({ ...header, records, attributes: 1 }, crc32c, (section) => gzipSync(section))
      : buildBatch({ ...header, records }, crc32c)
    return { partition, first, count, bytes, acknowledged: false }
  }
}

function paddedValue(name: string, partition: number, number: number, padding: number): string {
  return `${name}/${partition}/${number}/`.padEnd(padding, 'abcdefghij')
}

/** Who wrote a value: the other way of what the producer does. */
export function readValue(value: Buffer): { name: string; partition: number; number: number } {
  const [name = '', partition, number] = value.toString('latin1', 0, 100).split('/')
  return { name, partition: Number(partition), number: Number(number) }
}

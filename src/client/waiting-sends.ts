/** Sends of a producer that are not all in batches: they wait for metadata or for buffer memory. */
import type { Delivery } from './delivery.ts'
import { BufferExhaustedError, type KafkaError } from './errors.ts'
import type { PlainMessage } from './message-encoder.ts'
import type { ProducerMetrics } from './producer-metrics.ts'
import type { ProducerTopic, WaitingSend } from './producer-topic.ts'

/** Sends that may wait for metadata or memory; the next is refused. */
const WAITING_SENDS_MAX = 100_000

/** Lives with one producer. Between calls: a timer runs if sends wait for memory. */
export class WaitingSends {
  /** Those that wait for memory, in order. */
  readonly blocked: WaitingSend[] = []
  /** Those that wait for metadata are with their topics. */
  readonly #topics: ReadonlyMap<string, ProducerTopic>
  readonly #maxBlockMs: number
  readonly #metrics: ProducerMetrics
  readonly #onExpired: () => void
  #serial = 0
  #timer: NodeJS.Timeout | undefined
  readonly #onChange: (() => void)[] = []

  /** `onExpired`: some of those that wait for memory were given up. */
  constructor(
    topics: ReadonlyMap<string, ProducerTopic>,
    maxBlockMs: number,
    metrics: ProducerMetrics,
    onExpired: () => void,
  ) {
    this.#topics = topics
    this.#maxBlockMs = maxBlockMs
    this.#metrics = metrics
    this.#onExpired = onExpired
  }

  get count(): number {
    return this.#lists().reduce((sum, { length }) => sum + length, 0)
  }

  /** That of the last send that had to wait. */
  get serial(): number {
    return this.#serial
  }

  /** The serial of the oldest that waits; Infinity: none does. */
  get oldest(): number {
    return Math.min(...this.#lists().map(([head]) => head?.serial ?? Infinity))
  }

  /** Puts a send into `list`, `next` being its first message that is in no batch. */
  add(
    list: WaitingSend[],
    topic: ProducerTopic,
    messages: readonly PlainMessage[],
    delivery: Delivery | undefined,
    next: number,
  ): void {
    const deadlineMs = performance.now() + this.#maxBlockMs
    const send = { topic, messages, delivery, next, deadlineMs, serial: ++this.#serial }
    if (list.length >= WAITING_SENDS_MAX) {
      const message = `${WAITING_SENDS_MAX} sends wait already.`
      queueMicrotask(() => this.giveUp(send, new BufferExhaustedError(message)))
      return
    }
    list.push(send)
    this.armExpiry()
  }

  giveUp(send: WaitingSend, error: KafkaError): void {
    const count = send.messages.length - send.next
    this.#metrics.recordsFailed += count
    send.delivery?.fail(error, count)
  }

  giveUpAll(error: KafkaError): void {
    for (const list of this.#lists()) for (const send of list.splice(0)) this.giveUp(send, error)
    this.tellChange()
  }

  /** Sends wait in the order of their deadlines, or nearly so: those that waited for metadata
   *  before are told a little late. */
  armExpiry(): void {
    const [oldest] = this.blocked
    if (oldest === undefined || this.#timer !== undefined) return
    const delay = Math.max(1, oldest.deadlineMs - performance.now())
    this.#timer = setTimeout(() => this.#expire(), delay)
  }

  /** Resolves when something has changed for those that wait. */
  change(): Promise<void> {
    return new Promise((resolve) => this.#onChange.push(resolve))
  }

  tellChange(): void {
    for (const tell of this.#onChange.splice(0)) tell()
  }

  /** Gives all up for good. */
  close(error: KafkaError): void {
    clearTimeout(this.#timer)
    this.giveUpAll(error)
  }

  /** Those that wait for metadata are told by who asked for it, and knows why it does not come. */
  #expire(): void {
    this.#timer = undefined
    const now = performance.now()
    const what = `No buffer memory came free within ${this.#maxBlockMs} ms.`
    for (const send of this.blocked.splice(0)) {
      if (send.deadlineMs > now) this.blocked.push(send)
      else this.giveUp(send, new BufferExhaustedError(what))
    }
    this.#onExpired()
    this.tellChange()
    this.armExpiry()
  }

  #lists(): WaitingSend[][] {
    return [this.blocked, ...[...this.#topics.values()].map(({ waiting }) => waiting)]
  }
}

/** The producer: what a program calls. Takes records, finds their partitions, and lets the sender
 *  do the rest. */

import { Accumulator } from './accumulator.ts'
import { ClusterClient } from './cluster-client.ts'
import { Delivery, type DeliveryCallback, type RecordMetadata } from './delivery.ts'
import { asKafkaError, BufferExhaustedError, ClosedError, type KafkaError } from './errors.ts'
import {
  checkedBytes,
  checkSize,
  flatHeaders,
  MessageEncoder,
  type PlainMessage,
  type Sent,
} from './message-encoder.ts'
import type { TopicMetadata } from './metadata.ts'
import { newProducerMetrics, type ProducerMetrics } from './producer-metrics.ts'
import {
  type ProducerOptions,
  type ResolvedProducerSettings,
  resolveProducerSettings,
  type SendRequest,
} from './producer-options.ts'
import {
  type PartitionChoice,
  ProducerTopic,
  partitionChoice,
  type WaitingSend,
} from './producer-topic.ts'
import type { RecordBytes } from './record-size.ts'
import { Sender } from './sender.ts'
import { type AnyTopic, nameOf } from './topic.ts'
import { closeWhenCollected, wasClosed } from './when-collected.ts'

/** Sends that may wait for metadata or memory; the next is refused. */
const WAITING_SENDS_MAX = 100_000

/** Sends records to a cluster, or to a broker in process. Lives on one thread. */
export class Producer<K = RecordBytes, V = RecordBytes> {
  readonly #cluster: ClusterClient
  readonly #settings: ResolvedProducerSettings
  readonly #batches: Accumulator
  readonly #sender: Sender
  readonly #encoder: MessageEncoder<K, V>
  readonly #choice: PartitionChoice
  readonly #metrics: ProducerMetrics = newProducerMetrics()
  readonly #topics = new Map<string, ProducerTopic>()
  readonly #topicsAskedFor = new Set<ProducerTopic>()
  /** Sends that wait for memory, in order. */
  readonly #blocked: WaitingSend[] = []
  /** Sends whose serializers need time; the next waits for it. */
  #serializing: Promise<void> | undefined
  #serial = 0
  #waitingTimer: NodeJS.Timeout | undefined
  readonly #onWaitingChange: (() => void)[] = []
  #closing: Promise<void> | undefined

  /** Connects at the first send. Throws TypeError for settings that contradict each other. */
  constructor(options: ProducerOptions<K, V>) {
    this.#cluster = new ClusterClient(options, {
      name: 'producer',
      allowAutoTopicCreation: options.allowAutoTopicCreation ?? true,
    })
    const { requestTimeoutMs, log } = this.#cluster.settings
    closeWhenCollected(this, this.#cluster)
    this.#settings = resolveProducerSettings(options, requestTimeoutMs)
    this.#encoder = new MessageEncoder(options, log)
    this.#choice = partitionChoice(options.partitioner, this.#settings.batchSize)
    this.#batches = new Accumulator(this.#settings.batchSize, this.#metrics)
    this.#sender = new Sender(this.#cluster, this.#settings, this.#batches, this.#metrics, () =>
      this.#onMemory(),
    )
  }

  /**
   * Sends messages of one topic. Resolves when all are acknowledged, to where each has come to lie,
   * in the order of the messages. Rejects with KafkaError when one of them cannot be written, after
   * retries; others of the same call may have been written. While buffer memory is full it waits.
   */
  send<T extends AnyTopic>(request: SendRequest<K, V, T>): Promise<readonly RecordMetadata[]>
  /** The same without a promise: `callback` is told. False: buffer memory is full, and it would be
   *  kind to wait for `ready()`. */
  send<T extends AnyTopic>(request: SendRequest<K, V, T>, callback: DeliveryCallback): boolean
  send(
    request: SendRequest<K, V, AnyTopic>,
    callback?: DeliveryCallback,
  ): Promise<readonly RecordMetadata[]> | boolean {
    const sent = request as Sent<K, V>
    if (callback !== undefined) return this.#submit(sent, callback)
    return new Promise((resolve, reject) => {
      this.#submit(sent, (error, records) => {
        if (error === null) resolve(records)
        else reject(error)
      })
    })
  }

  /** Fire and forget: retried like all others, but nobody is told in the end. `metrics` counts what
   *  failed. False: buffer memory is full, or the topic is not known yet, and it would be kind to
   *  wait for `ready()`: of those that wait, no more than 100,000 are kept. */
  post<T extends AnyTopic>(request: SendRequest<K, V, T>): boolean {
    return this.#submit(request as Sent<K, V>, undefined)
  }

  /** Resolves when send and post would not have to wait for buffer memory or for topics. */
  async ready(): Promise<void> {
    while (this.#isBusy() && this.#closing === undefined) await this.#waitingChange()
  }

  /** Sends all that was given before the call, and resolves when all of it is acknowledged or given
   *  up. Errors are told to those who sent. */
  async flush(): Promise<void> {
    await this.#serializing
    const serial = this.#serial
    while (this.#oldestWaiting() <= serial) {
      this.#sender.pressed = true
      this.#sender.wake()
      await this.#waitingChange()
    }
    await this.#batches.flush(() => this.#sender.wake())
  }

  /** What the topic's partitions are. Rejects with KafkaError when it does not exist within
   *  maxBlockMs. */
  async partitionsFor(topic: string): Promise<TopicMetadata> {
    return this.#cluster.topicMetadata(topic, this.#settings.maxBlockMs)
  }

  /** A copy of the counters. */
  metrics(): ProducerMetrics {
    const waitingSends = this.#waitingLists().reduce((sum, { length }) => sum + length, 0)
    return { ...this.#metrics, waitingSends }
  }

  /**
   * Takes no more records, flushes, and closes the connections. After `timeoutMs` what is not
   * acknowledged is given up. Default: deliveryTimeoutMs.
   */
  close({ timeoutMs = this.#settings.deliveryTimeoutMs } = {}): Promise<void> {
    wasClosed(this)
    this.#closing ??= this.#close(timeoutMs)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs)
    })
    await Promise.race([this.flush(), late])
    clearTimeout(timer)
    const error = new ClosedError('producer')
    this.#failWaiting(error)
    this.#sender.abort(error)
    this.#cluster.close()
    clearTimeout(this.#waitingTimer)
    this.#tellWaitingChange()
    this.#encoder.close()
  }

  #submit(request: Sent<K, V>, callback: DeliveryCallback | undefined): boolean {
    const topic = nameOf(request.topic)
    const { length } = request.messages
    if (this.#closing !== undefined) {
      const error = new ClosedError('producer')
      if (callback === undefined) throw error
      queueMicrotask(() => callback(error, []))
      return false
    }
    if (length === 0) {
      if (callback !== undefined) queueMicrotask(() => callback(null, []))
      return true
    }
    const told = this.#encoder.acknowledged(callback)
    const delivery = told === undefined ? undefined : new Delivery(length, told)
    try {
      const messages = this.#encoder.encode(request)
      if (messages instanceof Promise || this.#serializing !== undefined) {
        this.#submitLater(topic, messages, delivery, length)
      } else {
        this.#enqueue(topic, messages, delivery)
      }
    } catch (error) {
      if (delivery === undefined) throw error
      queueMicrotask(() => delivery.fail(asKafkaError(error), length))
    }
    return !this.#isBusy()
  }

  /** Serializers of one send after the other's, so that records keep their order. */
  #submitLater(
    topic: string,
    messages: readonly PlainMessage[] | Promise<readonly PlainMessage[]>,
    delivery: Delivery | undefined,
    count: number,
  ): void {
    const before = this.#serializing
    const mine = (async () => {
      await before
      try {
        this.#enqueue(topic, await messages, delivery)
      } catch (error) {
        delivery?.fail(asKafkaError(error), count)
      }
    })()
    this.#serializing = mine
    // A rejection is dealt with above; until its turn comes it may not count as unhandled.
    if (messages instanceof Promise) messages.catch(() => {})
    void mine.then(() => {
      if (this.#serializing === mine) this.#serializing = undefined
    })
  }

  #enqueue(name: string, messages: readonly PlainMessage[], delivery: Delivery | undefined): void {
    let topic = this.#topics.get(name)
    if (topic === undefined) {
      topic = new ProducerTopic(name)
      this.#topics.set(name, topic)
    }
    if (
      topic.waiting.length === 0 &&
      this.#blocked.length === 0 &&
      topic.refresh(this.#cluster.metadata)
    ) {
      const done = this.#append(topic, messages, 0, delivery)
      if (done === messages.length) return
      this.#wait(this.#blocked, topic, messages, delivery, done)
      this.#press()
      return
    }
    if (topic.metadata === undefined || topic.waiting.length > 0) {
      this.#wait(topic.waiting, topic, messages, delivery, 0)
      this.#fetch(topic)
      this.#sender.prepare()
    } else {
      this.#wait(this.#blocked, topic, messages, delivery, 0)
    }
  }

  // hot
  /** Puts messages into batches from number `from` on, until memory is full. Answers how far. */
  #append(
    topic: ProducerTopic,
    messages: readonly PlainMessage[],
    from: number,
    delivery: Delivery | undefined,
  ): number {
    const { bufferMemory, maxRequestSize } = this.#settings
    const metrics = this.#metrics
    const now = Date.now()
    let at = from
    for (; at < messages.length && metrics.bufferBytes < bufferMemory; at++) {
      const message = messages[at] as PlainMessage
      try {
        const key = checkedBytes(message.key ?? null, 'key')
        const value = checkedBytes(message.value, 'value')
        checkSize(key, value, maxRequestSize)
        const sticky = message.partition === undefined && this.#choice.partitioner === undefined
        const partition = message.partition ?? topic.partitionOf(key, value, this.#choice)
        topic.checkPartition(partition)
        const queue = this.#batches.queueOf(topic.name, partition)
        const timestamp = message.timestamp ?? now
        const headers = message.headers && flatHeaders(message.headers)
        const bytes = this.#batches.append(queue, timestamp, key, value, headers, delivery, at)
        if (sticky && key === null) topic.sticky.used(bytes)
      } catch (error) {
        metrics.recordsFailed++
        const failure = asKafkaError(error)
        if (delivery !== undefined) queueMicrotask(() => delivery.fail(failure))
      }
    }
    if (at > from) this.#sender.wake()
    return at
  }

  #fetch(topic: ProducerTopic): void {
    if (this.#topicsAskedFor.has(topic)) return
    this.#topicsAskedFor.add(topic)
    this.#cluster.topicMetadata(topic.name, this.#settings.maxBlockMs).then(
      () => {
        this.#topicsAskedFor.delete(topic)
        topic.refresh(this.#cluster.metadata)
        // Behind those that wait for memory, if any; a topic's own sends stay in order.
        const sends = topic.waiting.splice(0)
        this.#blocked.push(...sends)
        this.#onMemory()
      },
      (error: unknown) => {
        this.#topicsAskedFor.delete(topic)
        for (const send of topic.waiting.splice(0)) this.#giveUp(send, asKafkaError(error))
        this.#tellWaitingChange()
      },
    )
  }

  #wait(
    list: WaitingSend[],
    topic: ProducerTopic,
    messages: readonly PlainMessage[],
    delivery: Delivery | undefined,
    next: number,
  ): void {
    const deadlineMs = performance.now() + this.#settings.maxBlockMs
    const send = { topic, messages, delivery, next, deadlineMs, serial: ++this.#serial }
    if (list.length >= WAITING_SENDS_MAX) {
      const message = `${WAITING_SENDS_MAX} sends wait already.`
      queueMicrotask(() => this.#giveUp(send, new BufferExhaustedError(message)))
      return
    }
    list.push(send)
    this.#armExpiry()
  }

  /** Memory has come free: those that wait go on in order. */
  #onMemory(): void {
    if (this.#blocked.length > 0) {
      let taken = 0
      for (const send of this.#blocked) {
        send.topic.refresh(this.#cluster.metadata)
        send.next = this.#append(send.topic, send.messages, send.next, send.delivery)
        if (send.next < send.messages.length) break
        taken++
      }
      this.#blocked.splice(0, taken)
      this.#press()
    }
    this.#tellWaitingChange()
  }

  /** While somebody waits, batches leave before they are full. */
  #press(): void {
    this.#armExpiry()
    this.#sender.pressed = this.#blocked.length > 0
    if (this.#sender.pressed) this.#sender.wake()
  }

  /** Those that wait for metadata are told by `#fetch`, which knows why it does not come. */
  #expire(): void {
    this.#waitingTimer = undefined
    const now = performance.now()
    const what = `No buffer memory came free within ${this.#settings.maxBlockMs} ms.`
    for (const send of this.#blocked.splice(0)) {
      if (send.deadlineMs > now) this.#blocked.push(send)
      else this.#giveUp(send, new BufferExhaustedError(what))
    }
    this.#press()
    this.#tellWaitingChange()
    this.#armExpiry()
  }

  /** Sends wait in the order of their deadlines, or nearly so: those that waited for metadata
   *  before are told a little late. */
  #armExpiry(): void {
    const [oldest] = this.#blocked
    if (oldest === undefined || this.#waitingTimer !== undefined) return
    const delay = Math.max(1, oldest.deadlineMs - performance.now())
    this.#waitingTimer = setTimeout(() => this.#expire(), delay)
  }

  #failWaiting(error: KafkaError): void {
    for (const list of this.#waitingLists()) {
      for (const send of list.splice(0)) this.#giveUp(send, error)
    }
  }

  #giveUp(send: WaitingSend, error: KafkaError): void {
    const count = send.messages.length - send.next
    this.#metrics.recordsFailed += count
    send.delivery?.fail(error, count)
  }

  #waitingLists(): WaitingSend[][] {
    return [this.#blocked, ...[...this.#topics.values()].map(({ waiting }) => waiting)]
  }

  #oldestWaiting(): number {
    return Math.min(...this.#waitingLists().map(([head]) => head?.serial ?? Infinity))
  }

  /** What is sent now would wait. */
  #isBusy(): boolean {
    if (this.#topicsAskedFor.size > 0 || this.#blocked.length > 0) return true
    return this.#metrics.bufferBytes >= this.#settings.bufferMemory
  }

  #waitingChange(): Promise<void> {
    return new Promise((resolve) => this.#onWaitingChange.push(resolve))
  }

  #tellWaitingChange(): void {
    for (const tell of this.#onWaitingChange.splice(0)) tell()
  }
}

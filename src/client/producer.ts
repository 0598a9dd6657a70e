/** The producer: what a program calls. Takes records, finds their partitions, and lets the sender
 *  do the rest. */

import { Accumulator } from './accumulator.ts'
import { ClusterClient } from './cluster-client.ts'
import { Delivery, type DeliveryCallback, type RecordMetadata } from './delivery.ts'
import { asKafkaError, ClosedError, type KafkaError } from './errors.ts'
import type { ConsumerGroupMetadata } from './group.ts'
import {
  checkedBytes,
  checkSize,
  flatHeaders,
  MessageEncoder,
  type PlainMessage,
  type Sent,
} from './message-encoder.ts'
import type { TopicMetadata } from './metadata.ts'
import type { OffsetToCommit } from './offsets.ts'
import { newProducerMetrics, type ProducerMetrics } from './producer-metrics.ts'
import {
  type ProducerOptions,
  type ResolvedProducerSettings,
  resolveProducerSettings,
  type SendRequest,
} from './producer-options.ts'
import { type PartitionChoice, ProducerTopic, partitionChoice } from './producer-topic.ts'
import type { RecordBytes } from './record-size.ts'
import { Sender } from './sender.ts'
import { type AnyTopic, nameOf } from './topic.ts'
import { Transactions } from './transactions.ts'
import { WaitingSends } from './waiting-sends.ts'
import { closeWhenCollected, wasClosed } from './when-collected.ts'
import { within } from './within.ts'

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
  readonly #waiting: WaitingSends
  /** undefined: no transactionalId. */
  readonly #transactions: Transactions | undefined
  /** Sends whose serializers need time; the next waits for it. */
  #serializing: Promise<void> | undefined
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
    const { maxBlockMs } = this.#settings
    this.#waiting = new WaitingSends(this.#topics, maxBlockMs, this.#metrics, () => this.#press())
    this.#transactions = Transactions.of(this.#cluster, this.#settings, {
      flush: () => this.flush(),
      drop: (error) => this.#drop(error),
      wake: () => this.#sender.wake(),
    })
    this.#sender = new Sender(
      this.#cluster,
      this.#settings,
      this.#batches,
      this.#metrics,
      () => this.#onMemory(),
      this.#transactions,
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
    while (this.#isBusy() && this.#closing === undefined) await this.#waiting.change()
  }

  /** Sends all that was given before the call, and resolves when all of it is acknowledged or given
   *  up. Errors are told to those who sent. */
  async flush(): Promise<void> {
    await this.#serializing
    const { serial } = this.#waiting
    while (this.#waiting.oldest <= serial) {
      this.#sender.pressed = true
      this.#sender.wake()
      await this.#waiting.change()
    }
    await this.#batches.flush(() => this.#sender.wake())
  }

  /**
   * Begins a transaction: all that is sent until its end is seen as a whole, by consumers that read
   * committed records only. The first one ends what an earlier producer of the same transactionalId
   * left open, and fences that producer. Rejects with KafkaError, which may be fatal.
   */
  async beginTransaction(): Promise<void> {
    await this.#needTransactions().begin()
  }

  /**
   * Sends all that was given, and commits. Rejects with KafkaError: a TimeoutError leaves it
   * undecided, and the next call goes on; after any other the transaction is to be aborted, unless
   * the error is fatal.
   */
  async commitTransaction(): Promise<void> {
    await this.#needTransactions().commit()
  }

  /** Drops what is not sent, and aborts: nobody who reads committed records sees any of it. Rejects
   *  with KafkaError: a TimeoutError leaves it undecided, and the next call goes on. */
  async abortTransaction(): Promise<void> {
    await this.#needTransactions().abort()
  }

  /**
   * Commits offsets of a group with the transaction: `group` is what `consumer.groupMetadata()`
   * says, whose enableAutoCommit is off. Rejects with KafkaError when they cannot be stored; then
   * the transaction is to be aborted, unless the error is fatal. KIP-447.
   */
  async sendOffsetsToTransaction(
    offsets: readonly OffsetToCommit[],
    group: ConsumerGroupMetadata,
  ): Promise<void> {
    await this.#needTransactions().sendOffsets(offsets, group)
  }

  /** Begins a transaction, does `work`, and commits; if `work` or the commit fails, it aborts and
   *  rejects with that error. */
  async transaction<R>(work: (producer: this) => R | Promise<R>): Promise<R> {
    const transactions = this.#needTransactions()
    await transactions.begin()
    try {
      const result = await work(this)
      await transactions.commit()
      return result
    } catch (error) {
      await transactions.abortAfter(error)
      throw error
    }
  }

  /** What the topic's partitions are. Rejects with KafkaError when it does not exist within
   *  maxBlockMs. */
  async partitionsFor(topic: string): Promise<TopicMetadata> {
    return this.#cluster.topicMetadata(topic, this.#settings.maxBlockMs)
  }

  /** A copy of the counters. */
  metrics(): ProducerMetrics {
    return { ...this.#metrics, waitingSends: this.#waiting.count }
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
    await within(this.#transactions?.close() ?? this.flush(), timeoutMs)
    const error = new ClosedError('producer')
    this.#waiting.close(error)
    this.#sender.abort(error)
    this.#cluster.close()
    this.#encoder.close()
  }

  #submit(request: Sent<K, V>, callback: DeliveryCallback | undefined): boolean {
    const topic = nameOf(request.topic)
    const { length } = request.messages
    const refusal = this.#refusal()
    if (refusal !== undefined) {
      if (callback === undefined) throw refusal
      queueMicrotask(() => callback(refusal, []))
      return false
    }
    if (length === 0) {
      if (callback !== undefined) queueMicrotask(() => callback(null, []))
      return true
    }
    const plain = this.#encoder.acknowledged(callback)
    const told = this.#transactions?.watch(plain) ?? plain
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

  #needTransactions(): Transactions {
    if (this.#transactions !== undefined) return this.#transactions
    throw new TypeError('A transaction needs a producer with a transactionalId.')
  }

  /** Why nothing is taken now. */
  #refusal(): KafkaError | undefined {
    if (this.#closing !== undefined) return new ClosedError('producer')
    return this.#transactions?.refusal()
  }

  /** Gives up what is not under way. */
  #drop(error: KafkaError): void {
    this.#waiting.giveUpAll(error)
    this.#sender.drop(error)
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
        const encoded = await messages
        // The transaction may have been given up meanwhile.
        if (this.#transactions?.goesOn === false) throw this.#transactions.refusal()
        this.#enqueue(topic, encoded, delivery)
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
      this.#waiting.blocked.length === 0 &&
      topic.refresh(this.#cluster.metadata)
    ) {
      const done = this.#append(topic, messages, 0, delivery)
      if (done === messages.length) return
      this.#waiting.add(this.#waiting.blocked, topic, messages, delivery, done)
      this.#press()
      return
    }
    if (topic.metadata === undefined || topic.waiting.length > 0) {
      this.#waiting.add(topic.waiting, topic, messages, delivery, 0)
      this.#fetch(topic)
      this.#sender.prepare()
    } else {
      this.#waiting.add(this.#waiting.blocked, topic, messages, delivery, 0)
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
        this.#waiting.blocked.push(...sends)
        this.#onMemory()
      },
      (error: unknown) => {
        this.#topicsAskedFor.delete(topic)
        for (const send of topic.waiting.splice(0)) this.#waiting.giveUp(send, asKafkaError(error))
        this.#waiting.tellChange()
      },
    )
  }

  /** Memory has come free: those that wait go on in order. */
  #onMemory(): void {
    if (this.#waiting.blocked.length > 0) {
      let taken = 0
      for (const send of this.#waiting.blocked) {
        send.topic.refresh(this.#cluster.metadata)
        send.next = this.#append(send.topic, send.messages, send.next, send.delivery)
        if (send.next < send.messages.length) break
        taken++
      }
      this.#waiting.blocked.splice(0, taken)
      this.#press()
    }
    this.#waiting.tellChange()
  }

  /** While somebody waits, batches leave before they are full. */
  #press(): void {
    this.#waiting.armExpiry()
    this.#sender.pressed = this.#waiting.blocked.length > 0
    if (this.#sender.pressed) this.#sender.wake()
  }

  /** What is sent now would wait. */
  #isBusy(): boolean {
    if (this.#topicsAskedFor.size > 0 || this.#waiting.blocked.length > 0) return true
    return this.#metrics.bufferBytes >= this.#settings.bufferMemory
  }
}

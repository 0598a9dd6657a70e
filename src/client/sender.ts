/**
 * Sends the batches of a producer: gathers those that are ready by leader, several requests in
 * flight to each, and does what the answers ask for.
 */
import { crc32c } from '@node-rs/crc32'
import { createCodecs } from '../codecs/codecs.ts'
import { Produce } from '../protocol/apis/00-produce.ts'
import type { Accumulator } from './accumulator.ts'
import type { ClusterClient } from './cluster-client.ts'
import type { ClientConnection } from './connection.ts'
import { asKafkaError, isInvalidMetadata, type KafkaError, kafkaError } from './errors.ts'
import type { PartitionQueue } from './partition-queue.ts'
import { notDelivered, produceOutcome, surelyNotWritten } from './produce-outcome.ts'
import {
  answersOf,
  answerToAll,
  type BatchAnswer,
  fits,
  produceBody,
  produceVersionMax,
  type Shipment,
  WRITTEN,
} from './produce-request.ts'
import type { ProducerBatch, SealTools } from './producer-batch.ts'
import { AnonymousIdentity, type IdentitySource } from './producer-identity.ts'
import type { ProducerMetrics } from './producer-metrics.ts'
import type { ResolvedProducerSettings } from './producer-options.ts'
import type { Transactions } from './transactions.ts'

/** While requests are under way, batches that are not full leave no more often than this. */
const COALESCE_MS = 1

/** What is under way to one broker. */
interface NodeTraffic {
  inFlight: number
  lastSentMs: number
  connecting: boolean
}

/** Lives on the producer's thread. */
export class Sender {
  readonly #cluster: ClusterClient
  readonly #settings: ResolvedProducerSettings
  readonly #metrics: ProducerMetrics
  readonly #onMemory: () => void
  readonly #tools: SealTools
  readonly #batches: Accumulator
  readonly #nodes = new Map<number, NodeTraffic>()
  readonly #identity: IdentitySource
  readonly #transactions: Transactions | undefined
  /** Somebody waits for memory: what is not full leaves all the same. */
  pressed = false
  #scheduled = false
  #timer: NodeJS.Timeout | undefined
  #timerAtMs = Infinity

  /** `onMemory`: buffer memory came free. `transactions`: in which all is sent. */
  constructor(
    cluster: ClusterClient,
    settings: ResolvedProducerSettings,
    batches: Accumulator,
    metrics: ProducerMetrics,
    onMemory: () => void,
    transactions: Transactions | undefined,
  ) {
    this.#cluster = cluster
    this.#transactions = transactions
    this.#settings = settings
    this.#batches = batches
    this.#metrics = metrics
    this.#onMemory = onMemory
    this.#identity =
      transactions ??
      new AnonymousIdentity(cluster, settings.maxBlockMs, {
        onIdentity: () => this.#drain(),
        onIdentityFailed: (error) => this.abort(error),
      })
    const { codec, level } = settings
    this.#tools = { codecs: createCodecs(), crc32c: (bytes) => crc32c(bytes), codec, level }
  }

  /** Sends what is ready, in this turn of the event loop. */
  wake(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#drain()
    })
  }

  /** Asks for what the first batch will need, while metadata is still on its way. */
  prepare(): void {
    if (this.#settings.idempotent && this.#identity.current === undefined) this.#identity.renew()
  }

  /** Gives up all batches. */
  abort(error: KafkaError): void {
    this.#disarm()
    for (const [batch, queue] of [...this.#batches.incomplete])
      this.#fail(queue, batch, error, false)
  }

  /** Gives up the batches that are not under way. */
  drop(error: KafkaError): void {
    for (const [batch, queue] of [...this.#batches.incomplete]) {
      const isUnderWay = queue.inFlight.includes(batch)
      if (!isUnderWay && this.#batches.incomplete.has(batch)) this.#fail(queue, batch, error, false)
    }
  }

  #drain(): void {
    if (this.#batches.ready.size === 0 || this.#cluster.closed) {
      if (this.#batches.incomplete.size === 0) this.#disarm()
      return
    }
    if (this.#settings.idempotent && this.#identity.current === undefined) {
      this.#identity.renew()
      return
    }
    this.#cluster.refreshIfStale()
    const now = performance.now()
    let wakeAtMs = Infinity
    for (;;) {
      const loads = new Map<number, Shipment[]>()
      for (const queue of this.#batches.ready) {
        const atMs = this.#trySend(queue, now, loads)
        if (atMs < wakeAtMs) wakeAtMs = atMs
      }
      if (loads.size === 0) break
      for (const [nodeId, shipments] of loads) this.#ship(nodeId, shipments, now)
    }
    if (wakeAtMs < this.#timerAtMs) this.#arm(wakeAtMs, now)
  }

  /** Puts the first batch of the queue into the load of its leader, if that may be. Answers when to
   *  look again; Infinity: at the next answer. */
  #trySend(queue: PartitionQueue, now: number, loads: Map<number, Shipment[]>): number {
    const batch = queue.waiting[0]
    if (batch === undefined) {
      this.#batches.ready.delete(queue)
      return Infinity
    }
    const expiresAtMs = batch.createdMs + this.#settings.deliveryTimeoutMs
    if (expiresAtMs <= now) {
      this.#fail(queue, batch, notDelivered(batch, queue, now), true)
      return now
    }
    const readyAtMs = this.#readyAtMs(queue, batch)
    if (readyAtMs > now) return Math.min(readyAtMs, expiresAtMs)
    const { inFlightMax } = this.#settings
    if (queue.mustWait(this.#identity.current, inFlightMax)) return Infinity
    const topic = this.#cluster.metadata.topic(queue.topic)
    const leaderId = topic?.partitions[queue.partition]?.leaderId ?? -1
    if (leaderId < 0) return this.#lookForLeader(queue, now)
    const connection = this.#cluster.pool.peek(leaderId)
    if (connection === undefined) {
      this.#connect(leaderId)
      return expiresAtMs
    }
    const node = this.#nodeOf(leaderId)
    if (this.#transactions?.mayShip(queue) === false) return Infinity
    const load = loads.get(leaderId)
    if (node.inFlight >= inFlightMax) return Infinity
    if (node.inFlight > 0 && this.#mayGrow(queue, batch)) {
      const againMs = node.lastSentMs + COALESCE_MS
      if (againMs > now) return againMs
    }
    if (load !== undefined && !fits(load, queue, batch, this.#settings.maxRequestSize))
      return Infinity
    const shipment = this.#take(queue, batch, topic?.topicId)
    if (shipment === undefined) return Infinity
    if (load === undefined) loads.set(leaderId, [shipment])
    else load.push(shipment)
    return Infinity
  }

  /** Whether more records may yet come into a batch that nobody is waiting for in particular. */
  #mayGrow(queue: PartitionQueue, batch: ProducerBatch): boolean {
    if (queue.open !== batch || this.pressed || this.#batches.flushing > 0) return false
    return batch.size < this.#settings.batchSize
  }

  #readyAtMs(queue: PartitionQueue, batch: ProducerBatch): number {
    const { notBeforeMs } = queue
    if (!this.#mayGrow(queue, batch)) return notBeforeMs
    return Math.max(notBeforeMs, batch.createdMs + this.#settings.lingerMs)
  }

  #take(
    queue: PartitionQueue,
    batch: ProducerBatch,
    topicId: string | undefined,
  ): Shipment | undefined {
    try {
      batch.seal(this.#tools)
    } catch (error) {
      this.#fail(queue, batch, asKafkaError(error), false)
      return undefined
    }
    if (queue.take(this.#identity.current) === undefined) {
      // All epochs of this producer id are used up.
      this.#identity.renew()
      return undefined
    }
    batch.stamp(queue.identity, this.#transactions !== undefined, this.#tools.crc32c)
    if (batch.attempts > 1) this.#metrics.retries++
    queue.bytesHint = batch.size
    this.#batches.ready.delete(queue)
    if (!queue.isEmpty) this.#batches.ready.add(queue)
    return { queue, batch, bytes: batch.sealed as Buffer, topicId }
  }

  #ship(nodeId: number, shipments: readonly Shipment[], now: number): void {
    const { acks } = this.#settings
    const { requestTimeoutMs: timeoutMs } = this.#cluster.settings
    const { transactionalId = null, produceVersionMax: most = Infinity } = this.#transactions ?? {}
    const node = this.#nodeOf(nodeId)
    const body = produceBody(shipments, { transactionalId, acks, timeoutMs })
    const options = { versionMax: Math.min(most, produceVersionMax(shipments)) }
    node.lastSentMs = now
    node.inFlight++
    this.#metrics.requestsSent++
    this.#metrics.batchesSent += shipments.length
    for (const { bytes } of shipments) this.#metrics.bytesSent += bytes.length
    const answered = (answers: readonly BatchAnswer[]) => {
      node.inFlight--
      this.#metrics.requestMs += performance.now() - now
      for (const [i, { queue, batch }] of shipments.entries()) {
        this.#onAnswer(queue, batch, answers[i] as BatchAnswer)
      }
      this.#onMemory()
      this.#drain()
    }
    const failed = (error: unknown) => answered(answerToAll(shipments, asKafkaError(error)))
    const connection = this.#cluster.pool.peek(nodeId) as ClientConnection
    if (acks !== 0) {
      connection.request(Produce, body, options).then((response) => {
        for (const endpoint of response.nodeEndpoints) {
          this.#cluster.metadata.brokers.set(endpoint.nodeId, endpoint)
        }
        answered(answersOf(shipments, response))
      }, failed)
      return
    }
    try {
      connection.send(Produce, body, options, (error) =>
        error ? failed(error) : answered(answerToAll(shipments, WRITTEN)),
      )
    } catch (error) {
      queueMicrotask(() => failed(error))
    }
  }

  #onAnswer(queue: PartitionQueue, batch: ProducerBatch, answer: BatchAnswer): void {
    if (!this.#batches.incomplete.has(batch)) return
    const now = performance.now()
    const code = answer.errorCode
    const { idempotent, retries, deliveryTimeoutMs } = this.#settings
    const goesOn = this.#transactions?.goesOn ?? true
    const mayRetry =
      goesOn && batch.attempts <= retries && now - batch.createdMs < deliveryTimeoutMs
    if (!surelyNotWritten(code)) batch.maybeWritten = true
    switch (produceOutcome(code, { idempotent, count: batch.count, mayRetry })) {
      case 'written':
        this.#succeed(queue, batch, answer)
        break
      case 'gap':
        if (queue.isFirst(batch)) {
          // In a transaction nothing but its end begins another epoch.
          if (this.#transactions !== undefined) {
            this.#fail(queue, batch, kafkaError(code, answer.errorMessage), false)
            break
          }
          queue.needNewEpoch()
          this.#metrics.epochBumps++
        }
        queue.remove(batch)
        this.#retry(queue, batch, answer, now)
        break
      case 'retry':
        queue.remove(batch)
        this.#retry(queue, batch, answer, now)
        break
      case 'split':
        this.#metrics.splits++
        this.#batches.split(queue, batch)
        break
      default: {
        const error = kafkaError(code, answer.errorMessage)
        const late = error.retriable && now - batch.createdMs >= deliveryTimeoutMs
        if (!batch.maybeWritten) queue.giveUpSequence(batch)
        batch.lastError = error
        this.#fail(queue, batch, late ? notDelivered(batch, queue, now) : error, false)
      }
    }
  }

  #succeed(queue: PartitionQueue, batch: ProducerBatch, answer: BatchAnswer): void {
    const { topic, partition } = queue
    const { baseOffset, logAppendTimeMs } = answer
    queue.onWritten()
    this.#metrics.recordsSent += batch.count
    this.#metrics.bytesPlain += batch.size
    this.#batches.finish(queue, batch, true)
    batch.eachRun((delivery, position, index, count, ownTimestamp) => {
      const firstOffset = baseOffset < 0 ? -1 : baseOffset + index
      const timestamp = logAppendTimeMs < 0 ? ownTimestamp : logAppendTimeMs
      delivery.succeed({ topic, partition, position, count, baseOffset: firstOffset, timestamp })
    })
  }

  #fail(queue: PartitionQueue, batch: ProducerBatch, error: KafkaError, reusable: boolean): void {
    this.#metrics.recordsFailed += batch.count
    this.#batches.finish(queue, batch, reusable && batch.attempts === 0)
    batch.eachRun((delivery, _position, _index, count) => delivery.fail(error, count))
    this.#transactions?.onFailure(error)
    // Memory has come free, but in the middle of a walk over the queues.
    queueMicrotask(this.#onMemory)
  }

  #retry(queue: PartitionQueue, batch: ProducerBatch, answer: BatchAnswer, now: number): void {
    batch.lastError = kafkaError(answer.errorCode, answer.errorMessage)
    queue.putBack(batch)
    this.#batches.ready.add(queue)
    const { metadata } = this.#cluster
    const { topic, partition } = queue
    if (answer.leaderId >= 0) {
      metadata.updateLeader(topic, partition, answer.leaderId, answer.leaderEpoch)
      // Whom to ask instead is known already. KIP-951.
      if (metadata.leaderOf(topic, partition) === answer.leaderId && queue.failures++ === 0) return
    }
    queue.notBeforeMs = now + this.#cluster.backoffMs(queue.failures++)
    if (isInvalidMetadata(answer.errorCode)) this.#refresh(topic)
  }

  #lookForLeader(queue: PartitionQueue, now: number): number {
    queue.notBeforeMs = now + this.#cluster.backoffMs(queue.failures++)
    this.#refresh(queue.topic)
    return queue.notBeforeMs
  }

  #refresh(topic: string): void {
    this.#cluster.refreshMetadata([topic]).then(
      () => this.wake(),
      () => this.wake(),
    )
  }

  #connect(nodeId: number): void {
    const node = this.#nodeOf(nodeId)
    if (node.connecting) return
    node.connecting = true
    this.#cluster.connection(nodeId).then(
      () => {
        node.connecting = false
        this.#drain()
      },
      (reason: unknown) => {
        node.connecting = false
        const error = asKafkaError(reason)
        // A leader that cannot be reached may have lost its place.
        if (error.retriable) this.#cluster.refreshMetadata().then(...both(() => this.wake()))
        else this.abort(error)
      },
    )
  }

  #nodeOf(nodeId: number): NodeTraffic {
    let node = this.#nodes.get(nodeId)
    if (node === undefined) {
      node = { inFlight: 0, lastSentMs: -Infinity, connecting: false }
      this.#nodes.set(nodeId, node)
    }
    return node
  }

  #disarm(): void {
    clearTimeout(this.#timer)
    this.#timerAtMs = Infinity
  }

  #arm(atMs: number, now: number): void {
    clearTimeout(this.#timer)
    this.#timerAtMs = atMs
    this.#timer = setTimeout(
      () => {
        this.#timerAtMs = Infinity
        this.#drain()
      },
      Math.max(1, Math.ceil(atMs - now)),
    )
  }
}

function both(act: () => void): [() => void, () => void] {
  return [act, act]
}

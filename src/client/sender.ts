/**
 * Sends the batches of a producer: gathers those that are ready by leader, several requests in
 * flight to each, and does what the answers ask for.
 */
import { crc32c } from '@node-rs/crc32'
import { createCodecs } from '../codecs/codecs.ts'
import { Produce } from '../protocol/apis/00-produce.ts'
import { InitProducerId } from '../protocol/apis/22-init-producer-id.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { RECORD_BATCH_OVERHEAD } from '../protocol/record-batch.ts'
import { BatchBuffers } from './batch-buffers.ts'
import type { ClusterClient } from './cluster-client.ts'
import type { ClientConnection } from './connection.ts'
import type { Delivery } from './delivery.ts'
import {
  asKafkaError,
  isInvalidMetadata,
  type KafkaError,
  kafkaError,
  TimeoutError,
  throwOnError,
} from './errors.ts'
import { PartitionQueue, type ProducerIdentity } from './partition-queue.ts'
import { produceOutcome, surelyNotWritten } from './produce-outcome.ts'
import {
  answersOf,
  answerToAll,
  type BatchAnswer,
  produceBody,
  produceVersionMax,
  type Shipment,
} from './produce-request.ts'
import { type FlatHeaders, ProducerBatch, type SealTools } from './producer-batch.ts'
import type { ProducerMetrics } from './producer-metrics.ts'
import type { ResolvedProducerSettings } from './producer-options.ts'
import type { RecordBytes } from './record-size.ts'
import { splitBatch } from './split-batch.ts'

/** While requests are under way, batches that are not full leave no more often than this. */
const COALESCE_MS = 1
const IDLE_BUFFER_BYTES_MAX = 16 * 1024 * 1024
const TRANSACTION_TIMEOUT_MS = 0x7fffffff

/** What is under way to one broker. */
interface NodeTraffic {
  inFlight: number
  lastSentMs: number
  connecting: boolean
}

/** Lives on the producer's thread. Between calls: every batch is in its queue and in `incomplete`,
 *  or done and in neither. */
export class Sender {
  readonly #cluster: ClusterClient
  readonly #settings: ResolvedProducerSettings
  readonly #metrics: ProducerMetrics
  readonly #onMemory: () => void
  readonly #tools: SealTools
  readonly #buffers = new BatchBuffers(IDLE_BUFFER_BYTES_MAX)
  readonly #queues = new Map<string, PartitionQueue[]>()
  /** Queues with batches that wait, the one served longest ago first. */
  readonly #ready = new Set<PartitionQueue>()
  readonly #incomplete = new Map<ProducerBatch, PartitionQueue>()
  readonly #nodes = new Map<number, NodeTraffic>()
  #identity: ProducerIdentity | undefined
  #identifying = false
  #flushing = 0
  /** Somebody waits for memory: what is not full leaves all the same. */
  pressed = false
  #scheduled = false
  #timer: NodeJS.Timeout | undefined
  #timerAtMs = Infinity

  /** `onMemory`: buffer memory came free. */
  constructor(
    cluster: ClusterClient,
    settings: ResolvedProducerSettings,
    metrics: ProducerMetrics,
    onMemory: () => void,
  ) {
    this.#cluster = cluster
    this.#settings = settings
    this.#metrics = metrics
    this.#onMemory = onMemory
    const { codec, level } = settings
    this.#tools = { codecs: createCodecs(), crc32c: (bytes) => crc32c(bytes), codec, level }
  }

  /** The queue of a partition. */
  queueOf(topic: string, partition: number): PartitionQueue {
    let queues = this.#queues.get(topic)
    if (queues === undefined) {
      queues = []
      this.#queues.set(topic, queues)
    }
    let queue = queues[partition]
    if (queue === undefined) {
      queue = new PartitionQueue(topic, partition)
      queues[partition] = queue
    }
    return queue
  }

  // hot
  /** Puts a record into the last batch of the queue. Answers how many bytes it took. */
  append(
    queue: PartitionQueue,
    timestamp: number,
    key: RecordBytes,
    value: RecordBytes,
    headers: FlatHeaders | undefined,
    delivery: Delivery | undefined,
    position: number,
  ): number {
    const { batchSize } = this.#settings
    const { open } = queue
    let bytes = 0
    if (open !== undefined) {
      bytes = open.tryAppend(batchSize, timestamp, key, value, headers, delivery, position)
    }
    if (bytes === 0) {
      const batch = this.#openBatch(queue)
      bytes = batch.tryAppend(batchSize, timestamp, key, value, headers, delivery, position)
    }
    this.#metrics.bufferBytes += bytes
    this.#metrics.recordsQueued++
    if (!this.#scheduled) this.wake()
    return bytes
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

  /** Resolves when every batch there is now is done, well or not. */
  async flush(): Promise<void> {
    const batches = [...this.#incomplete.keys()]
    if (batches.length === 0) return
    for (const queue of this.#ready) queue.open = undefined
    this.#flushing++
    this.wake()
    let left = batches.length
    await new Promise<void>((resolve) => {
      const tell = () => {
        if (--left === 0) resolve()
      }
      for (const batch of batches) batch.onDone.push(tell)
    })
    this.#flushing--
  }

  /** Gives up all batches. */
  abort(error: KafkaError): void {
    clearTimeout(this.#timer)
    this.#timerAtMs = Infinity
    for (const [batch, queue] of [...this.#incomplete]) this.#fail(queue, batch, error, false)
  }

  #openBatch(queue: PartitionQueue): ProducerBatch {
    const hint = queue.open?.size ?? queue.bytesHint
    queue.bytesHint = hint
    const now = performance.now()
    const batch = new ProducerBatch(queue.takeOrdinal(), now, hint, this.#buffers)
    queue.waiting.push(batch)
    queue.open = batch
    this.#incomplete.set(batch, queue)
    this.#ready.add(queue)
    return batch
  }

  #drain(): void {
    if (this.#ready.size === 0 || this.#cluster.closed) return
    if (this.#settings.idempotent && this.#identity === undefined) {
      this.#identify()
      return
    }
    this.#cluster.refreshIfStale()
    const now = performance.now()
    let wakeAtMs = Infinity
    for (;;) {
      const loads = new Map<number, Shipment[]>()
      for (const queue of this.#ready) {
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
      this.#ready.delete(queue)
      return Infinity
    }
    const expiresAtMs = batch.createdMs + this.#settings.deliveryTimeoutMs
    if (expiresAtMs <= now) {
      this.#fail(queue, batch, this.#expired(batch, queue), true)
      return now
    }
    const readyAtMs = this.#readyAtMs(queue, batch)
    if (readyAtMs > now) return Math.min(readyAtMs, expiresAtMs)
    const { inFlightMax } = this.#settings
    if (queue.mustWait(this.#identity, inFlightMax)) return Infinity
    const topic = this.#cluster.metadata.topic(queue.topic)
    const leaderId = topic?.partitions[queue.partition]?.leaderId ?? -1
    if (leaderId < 0) return this.#lookForLeader(queue, now)
    const connection = this.#cluster.pool.peek(leaderId)
    if (connection === undefined) {
      this.#connect(leaderId)
      return expiresAtMs
    }
    const node = this.#nodeOf(leaderId)
    const load = loads.get(leaderId)
    if (node.inFlight >= inFlightMax) return Infinity
    if (node.inFlight > 0 && this.#mayGrow(queue, batch)) {
      const againMs = node.lastSentMs + COALESCE_MS
      if (againMs > now) return againMs
    }
    if (load !== undefined && !this.#fits(load, queue, batch)) return Infinity
    const shipment = this.#take(queue, batch, topic?.topicId)
    if (shipment === undefined) return Infinity
    if (load === undefined) loads.set(leaderId, [shipment])
    else load.push(shipment)
    return Infinity
  }

  /** Whether more records may yet come into a batch that nobody is waiting for in particular. */
  #mayGrow(queue: PartitionQueue, batch: ProducerBatch): boolean {
    if (queue.open !== batch || this.pressed || this.#flushing > 0) return false
    return batch.size < this.#settings.batchSize
  }

  #readyAtMs(queue: PartitionQueue, batch: ProducerBatch): number {
    const { notBeforeMs } = queue
    if (!this.#mayGrow(queue, batch)) return notBeforeMs
    return Math.max(notBeforeMs, batch.createdMs + this.#settings.lingerMs)
  }

  /** A request holds one batch of a partition, and no more bytes than it may. */
  #fits(load: readonly Shipment[], queue: PartitionQueue, batch: ProducerBatch): boolean {
    let bytes = batch.sealed?.length ?? batch.size
    for (const shipment of load) {
      if (shipment.queue === queue) return false
      bytes += shipment.bytes.length
    }
    return bytes <= this.#settings.maxRequestSize
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
    if (queue.take(this.#identity) === undefined) {
      // All epochs of this producer id are used up.
      this.#identity = undefined
      this.#identify()
      return undefined
    }
    batch.stamp(queue.identity, this.#tools.crc32c)
    if (batch.attempts > 1) this.#metrics.retries++
    queue.bytesHint = batch.size
    this.#ready.delete(queue)
    if (!queue.isEmpty) this.#ready.add(queue)
    return { queue, batch, bytes: batch.sealed as Buffer, topicId }
  }

  #ship(nodeId: number, shipments: readonly Shipment[], now: number): void {
    const { acks } = this.#settings
    const { requestTimeoutMs } = this.#cluster.settings
    const node = this.#nodeOf(nodeId)
    const body = produceBody(shipments, acks, requestTimeoutMs)
    const options = { versionMax: produceVersionMax(shipments) }
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
    if (!this.#incomplete.has(batch)) return
    const now = performance.now()
    const code = answer.errorCode
    const { idempotent, retries, deliveryTimeoutMs } = this.#settings
    const mayRetry = batch.attempts <= retries && now - batch.createdMs < deliveryTimeoutMs
    if (!surelyNotWritten(code)) batch.maybeWritten = true
    switch (produceOutcome(code, { idempotent, count: batch.count, mayRetry })) {
      case 'written':
        this.#succeed(queue, batch, answer)
        break
      case 'gap':
        queue.remove(batch)
        if (queue.onSequenceGap(batch)) this.#metrics.epochBumps++
        this.#retry(queue, batch, answer, now)
        break
      case 'retry':
        queue.remove(batch)
        this.#retry(queue, batch, answer, now)
        break
      case 'split':
        this.#split(queue, batch)
        break
      default: {
        const error = kafkaError(code, answer.errorMessage)
        const late = error.retriable && now - batch.createdMs >= deliveryTimeoutMs
        if (!batch.maybeWritten) queue.giveUpSequence(batch)
        batch.lastError = error
        this.#fail(queue, batch, late ? this.#expired(batch, queue) : error, false)
      }
    }
  }

  #succeed(queue: PartitionQueue, batch: ProducerBatch, answer: BatchAnswer): void {
    const { topic, partition } = queue
    const { baseOffset, logAppendTimeMs } = answer
    queue.onWritten()
    this.#metrics.recordsSent += batch.count
    this.#metrics.bytesPlain += batch.size
    this.#finish(queue, batch, true)
    batch.eachDelivery((delivery, position, index, ownTimestamp) => {
      const offset = baseOffset < 0 ? -1 : baseOffset + index
      const timestamp = logAppendTimeMs < 0 ? ownTimestamp : logAppendTimeMs
      delivery.succeed(position, { topic, partition, offset, timestamp })
    })
  }

  #fail(queue: PartitionQueue, batch: ProducerBatch, error: KafkaError, reusable: boolean): void {
    this.#metrics.recordsFailed += batch.count
    this.#finish(queue, batch, reusable && batch.attempts === 0)
    batch.eachDelivery((delivery) => delivery.fail(error))
    // Memory has come free, but in the middle of a walk over the queues.
    queueMicrotask(this.#onMemory)
  }

  #finish(queue: PartitionQueue, batch: ProducerBatch, reusable: boolean): void {
    queue.remove(batch)
    if (queue.isEmpty) this.#ready.delete(queue)
    this.#incomplete.delete(batch)
    this.#metrics.bufferBytes -= batch.size - RECORD_BATCH_OVERHEAD
    batch.free(reusable)
  }

  #retry(queue: PartitionQueue, batch: ProducerBatch, answer: BatchAnswer, now: number): void {
    batch.lastError = kafkaError(answer.errorCode, answer.errorMessage)
    queue.putBack(batch)
    this.#ready.add(queue)
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

  #split(queue: PartitionQueue, batch: ProducerBatch): void {
    const pieces = splitBatch(batch, this.#buffers)
    queue.sequencePieces(batch, ...pieces)
    this.#metrics.splits++
    this.#finish(queue, batch, true)
    for (const piece of pieces) {
      this.#metrics.bufferBytes += piece.size - RECORD_BATCH_OVERHEAD
      this.#incomplete.set(piece, queue)
      queue.putBack(piece)
    }
    this.#ready.add(queue)
  }

  #expired(batch: ProducerBatch, { topic, partition }: PartitionQueue): TimeoutError {
    const { lastError: cause } = batch
    const waited = Math.round(performance.now() - batch.createdMs)
    const reason = cause === undefined ? '' : ` Last: ${cause.message}`
    const what = `${topic}-${partition}: not delivered within ${waited} ms.${reason}`
    return new TimeoutError(what, cause)
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

  #identify(): void {
    if (this.#identifying) return
    this.#identifying = true
    const { maxBlockMs } = this.#settings
    const body = { transactionalId: null, transactionTimeoutMs: TRANSACTION_TIMEOUT_MS }
    const ask = async () => {
      const answer = await this.#cluster.requestAny(InitProducerId, body)
      throwOnError(answer.errorCode)
      return answer
    }
    this.#cluster.retry(ask, maxBlockMs, 'producer id').then(
      ({ producerId, producerEpoch }) => {
        this.#identifying = false
        this.#identity = { producerId, producerEpoch }
        this.#drain()
      },
      (error: unknown) => {
        this.#identifying = false
        this.abort(asKafkaError(error))
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

/** With acks 0 there is no more to know. */
const WRITTEN = { code: ErrorCode.NONE, message: '' }

function both(act: () => void): [() => void, () => void] {
  return [act, act]
}

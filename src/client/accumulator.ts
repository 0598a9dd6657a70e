/**
 * The batches of a producer by partition: those that grow, those that wait and those under way.
 * Knows what there is; sends nothing.
 */
import { RECORD_BATCH_OVERHEAD } from '../protocol/record-batch.ts'
import { BatchBuffers } from './batch-buffers.ts'
import type { Delivery } from './delivery.ts'
import { PartitionQueue } from './partition-queue.ts'
import { type FlatHeaders, ProducerBatch } from './producer-batch.ts'
import type { ProducerMetrics } from './producer-metrics.ts'
import type { RecordBytes } from './record-size.ts'
import { splitBatch } from './split-batch.ts'

const IDLE_BUFFER_BYTES_MAX = 16 * 1024 * 1024

/** Between calls: every batch is in its queue and in `incomplete`, or done and in neither. */
export class Accumulator {
  /** Queues with batches that wait, the one served longest ago first. */
  readonly ready = new Set<PartitionQueue>()
  readonly incomplete = new Map<ProducerBatch, PartitionQueue>()
  /** How many wait for all batches to be done. */
  flushing = 0
  readonly #batchSize: number
  readonly #metrics: ProducerMetrics
  readonly #buffers = new BatchBuffers(IDLE_BUFFER_BYTES_MAX)
  readonly #queues = new Map<string, PartitionQueue[]>()
  /** The last that was asked for: records come in runs. */
  #lastQueue: PartitionQueue | undefined

  constructor(batchSize: number, metrics: ProducerMetrics) {
    this.#batchSize = batchSize
    this.#metrics = metrics
  }

  // hot
  /** The queue of a partition. */
  queueOf(topic: string, partition: number): PartitionQueue {
    const last = this.#lastQueue
    if (last?.partition === partition && last.topic === topic) return last
    this.#lastQueue = this.#findQueue(topic, partition)
    return this.#lastQueue
  }

  #findQueue(topic: string, partition: number): PartitionQueue {
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
    const batchSize = this.#batchSize
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
    return bytes
  }

  /** Resolves when every batch there is now is done, well or not. `wake`: sends what is ready. */
  async flush(wake: () => void): Promise<void> {
    const batches = [...this.incomplete.keys()]
    if (batches.length === 0) return
    for (const queue of this.ready) queue.open = undefined
    this.flushing++
    wake()
    let left = batches.length
    await new Promise<void>((resolve) => {
      const tell = () => {
        if (--left === 0) resolve()
      }
      for (const batch of batches) batch.onDone.push(tell)
    })
    this.flushing--
  }

  /** A batch is done. `reusable`: no write to a socket can still read its memory. */
  finish(queue: PartitionQueue, batch: ProducerBatch, reusable: boolean): void {
    queue.remove(batch)
    if (queue.isEmpty) this.ready.delete(queue)
    this.incomplete.delete(batch)
    this.#metrics.bufferBytes -= batch.size - RECORD_BATCH_OVERHEAD
    batch.free(reusable)
  }

  /** Halves a batch that the broker found too large; the halves wait in its place. */
  split(queue: PartitionQueue, batch: ProducerBatch): void {
    const pieces = splitBatch(batch, this.#buffers)
    queue.sequencePieces(batch, ...pieces)
    this.finish(queue, batch, true)
    for (const piece of pieces) {
      this.#metrics.bufferBytes += piece.size - RECORD_BATCH_OVERHEAD
      this.incomplete.set(piece, queue)
      queue.putBack(piece)
    }
    this.ready.add(queue)
  }

  #openBatch(queue: PartitionQueue): ProducerBatch {
    const hint = queue.open?.size ?? queue.bytesHint
    queue.bytesHint = hint
    const now = performance.now()
    const batch = new ProducerBatch(queue.takeOrdinal(), now, hint, this.#buffers)
    queue.waiting.push(batch)
    queue.open = batch
    this.incomplete.set(batch, queue)
    this.ready.add(queue)
    return batch
  }
}

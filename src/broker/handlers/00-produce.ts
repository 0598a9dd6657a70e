/**
 * Produce 3-13, advertised from 0 since librdkafka looks for the old range before it compresses
 * (KIP-98; v9 flexible, v10 current leader, v13 topic ids, KIP-516).
 * Kept: errors per partition; acks=0 is never answered, an error closes the connection instead;
 *   internal topics only for Kafka's own admin client; zstd from v7 on; nothing is auto-created.
 *   From v12 on a partition joins its transaction with its first batch (KIP-890); below, a batch of
 *   a transaction that the partition is not in is INVALID_TXN_STATE, and TRANSACTION_ABORTABLE in
 *   v11.
 * Differs: a partition named twice is INVALID_REQUEST (Kafka keeps the last one silently).
 */
import {
  type AppendOrigin,
  type AppendResult,
  type AppendSink,
  FAILED,
  FROM_CLIENT,
} from '../../actors/partition-requests.ts'
import type { PartitionImage, TopicImage } from '../../cluster/image.ts'
import type { TransactionProducer } from '../../coordinator/runtime.ts'
import { Produce } from '../../protocol/apis/00-produce.ts'
import { CodecId } from '../../protocol/compression.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import {
  compressionOf,
  isTransactional,
  RECORD_BATCH_OVERHEAD,
} from '../../protocol/record-batch.ts'
import type { RequestOf, ResponseInput } from '../../protocol/schema.ts'
import { defineHandler, type Exchange } from './handler.ts'
import {
  type HeldBatch,
  ProducedTransaction,
  transactionProducerOf,
} from './produce-transaction.ts'

type Request = RequestOf<typeof Produce>
type Response = ResponseInput<typeof Produce>
type TopicRequest = Request['topicData'][number]

/** Kafka's reserved client id, whose holder may write to internal topics. */
const ADMIN_CLIENT_ID = '__admin_client'

export const produce = defineHandler(
  Produce,
  [3, 13],
  (request, exchange) => new ProduceExchange(request, exchange).start(),
  { advertised: [0, 13], pipelined: true },
)

/** One Produce under way: collects the results of its partitions. */
class ProduceExchange implements AppendSink {
  readonly #request: Request
  readonly #exchange: Exchange<Response>
  readonly #results: AppendResult[] = []
  #pending = 1
  /** Where some of the batches belong to one. */
  #transaction: ProducedTransaction | undefined

  constructor(request: Request, exchange: Exchange<Response>) {
    this.#request = request
    this.#exchange = exchange
  }

  start(): void {
    const { topicData } = this.#request
    const problem = this.#problemOfAll()
    const repeated = this.#repeated()
    let tag = 0
    for (const topicRequest of topicData) {
      const topic = this.#topicOf(topicRequest)
      for (const { index, records } of topicRequest.partitionData) {
        this.#pending++
        const error = problem ?? this.#problemOf(topic, index, records, repeated)
        const batch = { tag, partition: topic?.partitions[index], records } as HeldBatch
        if (error !== ErrorCode.NONE) this.onAppended(tag, { ...FAILED, errorCode: error })
        else if (transactionProducerOf(records) === undefined) this.#append(batch, FROM_CLIENT)
        else this.#transaction?.add(batch)
        tag++
      }
    }
    this.#transaction?.start()
    this.#settle()
  }

  #append({ tag, partition, records }: HeldBatch, origin: AppendOrigin): void {
    const { context, frame } = this.#exchange
    const acksAll = this.#request.acks === -1
    context.partitions.append(partition, records, frame, acksAll, this, tag, origin)
  }

  onAppended(tag: number, result: AppendResult): void {
    if (result.guard !== 0) {
      this.#transaction?.verify(tag, result.guard)
      return
    }
    this.#results[tag] = result
    this.#settle()
  }

  /** What is wrong with the request as a whole; every partition answers with it. */
  #problemOfAll(): ErrorCode | undefined {
    const { transactionalId, topicData } = this.#request
    let producer: TransactionProducer | undefined
    for (const { partitionData } of topicData) {
      for (const { records } of partitionData) {
        if (records === null || records.length < RECORD_BATCH_OVERHEAD) continue
        if (transactionalId === null && isTransactional(records, 0)) {
          return ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
        }
        const one = transactionProducerOf(records)
        if (one === undefined) continue
        producer ??= one
        const { producerId, producerEpoch } = producer
        if (one.producerId !== producerId || one.producerEpoch !== producerEpoch) {
          return ErrorCode.INVALID_PRODUCER_ID_MAPPING
        }
      }
    }
    if (producer === undefined || transactionalId === null) return undefined
    this.#transaction = new ProducedTransaction(this.#exchange, transactionalId, producer, {
      append: (batch, origin) => this.#append(batch, origin),
      fail: (tag, result) => this.onAppended(tag, result),
    })
    return undefined
  }

  #topicOf(topicRequest: TopicRequest): TopicImage | undefined {
    const { image } = this.#exchange.context
    if (this.#exchange.apiVersion >= 13) return image.topicById(topicRequest.topicId)
    return image.topic(topicRequest.name)
  }

  #problemOf(
    topic: TopicImage | undefined,
    index: number,
    records: Buffer | null,
    repeated: ReadonlySet<PartitionImage> | undefined,
  ): ErrorCode {
    if (topic === undefined) {
      return this.#exchange.apiVersion >= 13
        ? ErrorCode.UNKNOWN_TOPIC_ID
        : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    }
    const partition = topic.partitions[index]
    if (partition === undefined) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    if (topic.internal && this.#exchange.clientId !== ADMIN_CLIENT_ID) {
      return ErrorCode.INVALID_TOPIC_EXCEPTION
    }
    if (repeated?.has(partition)) return ErrorCode.INVALID_REQUEST
    if (records === null || records.length === 0) return ErrorCode.INVALID_RECORD
    const { acks } = this.#request
    if (acks !== -1 && acks !== 0 && acks !== 1) return ErrorCode.INVALID_REQUIRED_ACKS
    if (records.length < RECORD_BATCH_OVERHEAD) return ErrorCode.NONE
    if (compressionOf(records, 0) === CodecId.zstd && this.#exchange.apiVersion < 7) {
      return ErrorCode.UNSUPPORTED_COMPRESSION_TYPE
    }
    return ErrorCode.NONE
  }

  /** The partitions that are named more than once: none of their entries is appended. */
  #repeated(): ReadonlySet<PartitionImage> | undefined {
    const { topicData } = this.#request
    if (topicData.length === 1 && topicData[0]?.partitionData.length === 1) return undefined
    const seen = new Set<PartitionImage>()
    let repeated: Set<PartitionImage> | undefined
    for (const topicRequest of topicData) {
      const topic = this.#topicOf(topicRequest)
      if (topic === undefined) continue
      for (const { index } of topicRequest.partitionData) {
        const partition = topic.partitions[index]
        if (partition === undefined) continue
        if (seen.has(partition)) {
          repeated ??= new Set()
          repeated.add(partition)
        }
        seen.add(partition)
      }
    }
    return repeated
  }

  /** Answers when the last partition has its result. */
  #settle(): void {
    this.#pending--
    if (this.#pending > 0) return
    if (this.#request.acks === 0) {
      const failed = this.#results.find((one) => one.errorCode !== ErrorCode.NONE)
      if (failed === undefined) this.#exchange.replyNothing()
      else this.#exchange.disconnect(`Produce with acks=0 failed with error ${failed.errorCode}`)
      return
    }
    let tag = 0
    const asked = this.#request.topicData.filter(({ partitionData }) => partitionData.length > 0)
    const responses = asked.map(({ name, topicId, partitionData }) => ({
      name,
      topicId,
      partitionResponses: partitionData.map(({ index }) => {
        const result = this.#results[tag++] as AppendResult
        return {
          index,
          errorCode: result.errorCode,
          baseOffset: result.baseOffset,
          logAppendTimeMs: result.logAppendTimeMs,
          logStartOffset: result.logStartOffset,
          recordErrors: (result.recordErrors ?? []).map(({ batchIndex, message }) => ({
            batchIndex,
            batchIndexErrorMessage: message,
          })),
          errorMessage: result.errorMessage,
        }
      }),
    }))
    this.#exchange.reply({ responses })
  }
}

/** Produce requests: batches of several partitions into one, and its answer back to each. */
import { Produce } from '../protocol/apis/00-produce.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { RequestInput, ResponseOf } from '../protocol/schema.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { ProducerBatch } from './producer-batch.ts'

/** From this version on topics go by id. KIP-516. */
const TOPIC_ID_VERSION = 13

/** A batch on its way. */
export interface Shipment {
  readonly queue: PartitionQueue
  readonly batch: ProducerBatch
  readonly bytes: Buffer
  /** undefined: the broker knows no topic ids. */
  readonly topicId: string | undefined
}

/** The answer for one batch. */
export interface BatchAnswer {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly baseOffset: number
  /** -1: the records keep their own. */
  readonly logAppendTimeMs: number
  /** -1: not told. */
  readonly leaderId: number
  readonly leaderEpoch: number
}

/** Whether the batch may go with those of `load`: a request holds one batch of a partition, and no
 *  more bytes than `bytesMax`. */
export function fits(
  load: readonly Shipment[],
  queue: PartitionQueue,
  batch: ProducerBatch,
  bytesMax: number,
): boolean {
  let bytes = batch.sealed?.length ?? batch.size
  for (const shipment of load) {
    if (shipment.queue === queue) return false
    bytes += shipment.bytes.length
  }
  return bytes <= bytesMax
}

/** How the requests of a producer are alike. */
export interface ProduceTerms {
  readonly acks: number
  readonly timeoutMs: number
  /** null: no transaction. */
  readonly transactionalId: string | null
}

/** Highest version that serves all the batches. */
export function produceVersionMax(shipments: readonly Shipment[]): number {
  const ids = shipments.every(({ topicId }) => topicId !== undefined)
  return ids ? Produce.latestStable : TOPIC_ID_VERSION - 1
}

/** The request of the batches, which are of different partitions. */
export function produceBody(
  shipments: readonly Shipment[],
  { transactionalId, acks, timeoutMs }: ProduceTerms,
): RequestInput<typeof Produce> {
  const topics = new Map<string, { index: number; records: Buffer }[]>()
  const topicData = []
  for (const { queue, bytes, topicId } of shipments) {
    let partitionData = topics.get(queue.topic)
    if (partitionData === undefined) {
      partitionData = []
      topics.set(queue.topic, partitionData)
      topicData.push({
        name: queue.topic,
        ...(topicId === undefined ? {} : { topicId }),
        partitionData,
      })
    }
    partitionData.push({ index: queue.partition, records: bytes })
  }
  return { transactionalId, acks, timeoutMs, topicData }
}

const unanswered: BatchAnswer = {
  errorCode: ErrorCode.UNKNOWN_SERVER_ERROR,
  errorMessage: 'The answer says nothing of this partition.',
  baseOffset: -1,
  logAppendTimeMs: -1,
  leaderId: -1,
  leaderEpoch: -1,
}

/** The answer to each batch, in their order. */
export function answersOf(
  shipments: readonly Shipment[],
  response: ResponseOf<typeof Produce>,
): BatchAnswer[] {
  const answers = shipments.map(() => unanswered)
  for (const topic of response.responses) {
    for (const one of topic.partitionResponses) {
      const at = shipments.findIndex(
        ({ queue, topicId }) =>
          queue.partition === one.index &&
          (topic.name === '' ? topicId === topic.topicId : queue.topic === topic.name),
      )
      if (at < 0) continue
      const record = one.recordErrors.find((error) => error.batchIndexErrorMessage !== null)
      answers[at] = {
        errorCode: one.errorCode,
        errorMessage: one.errorMessage ?? record?.batchIndexErrorMessage ?? null,
        baseOffset: one.baseOffset,
        logAppendTimeMs: one.logAppendTimeMs,
        leaderId: one.currentLeader.leaderId,
        leaderEpoch: one.currentLeader.leaderEpoch,
      }
    }
  }
  return answers
}

/** The same answer for all, when the request itself failed. */
export function answerToAll(
  shipments: readonly Shipment[],
  error: { readonly code: number; readonly message: string },
): BatchAnswer[] {
  const answer = { ...unanswered, errorCode: error.code, errorMessage: error.message }
  return shipments.map(() => answer)
}

/** What acks 0 answer: there is no more to know. */
export const WRITTEN = { code: ErrorCode.NONE, message: '' }

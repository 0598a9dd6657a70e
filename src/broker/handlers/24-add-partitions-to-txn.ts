/**
 * AddPartitionsToTxn 0-5 (KIP-98; v2 PRODUCER_FENCED, KIP-588; v4 several transactions, KIP-890).
 * Kept: where one partition does not exist nothing is added: it is UNKNOWN_TOPIC_OR_PARTITION, and
 *   all others are OPERATION_NOT_ATTEMPTED. From version 4 on, which Kafka's brokers speak among
 *   each other, partitions may be asked for only (verify_only), and the transaction is of version
 *   2.
 */
import type { ClusterImage } from '../../cluster/image.ts'
import type { TopicPartitions } from '../../coordinator/transaction/commands.ts'
import { AddPartitionsToTxn } from '../../protocol/apis/24-add-partitions-to-txn.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { RequestOf, ResponseInput } from '../../protocol/schema.ts'
import { defineHandler, type Exchange } from './handler.ts'
import { beforeFenced } from './transactions.ts'

type Request = RequestOf<typeof AddPartitionsToTxn>
type Response = ResponseInput<typeof AddPartitionsToTxn>
type Asked = Request['transactions'][number]
type TopicResults = NonNullable<Response['resultsByTopicV3AndBelow']>

/** From this version on several transactions are named. */
const BATCHED_FROM = 4

export const addPartitionsToTxn = defineHandler(AddPartitionsToTxn, [0, 5], (request, exchange) => {
  if (exchange.apiVersion < BATCHED_FROM) {
    const asked = {
      transactionalId: request.v3AndBelowTransactionalId,
      producerId: request.v3AndBelowProducerId,
      producerEpoch: request.v3AndBelowProducerEpoch,
      verifyOnly: false,
      topics: request.v3AndBelowTopics,
    }
    add(exchange, asked, (resultsByTopicV3AndBelow) => {
      exchange.reply({ resultsByTopicV3AndBelow })
    })
    return
  }
  const { transactions } = request
  const resultsByTransaction: { transactionalId: string; topicResults: TopicResults }[] = []
  let open = transactions.length + 1
  const onOne = () => {
    open--
    if (open === 0) exchange.reply({ errorCode: ErrorCode.NONE, resultsByTransaction })
  }
  for (const [at, asked] of transactions.entries()) {
    const { transactionalId } = asked
    add(exchange, asked, (topicResults) => {
      resultsByTransaction[at] = { transactionalId, topicResults }
      onOne()
    })
  }
  onOne()
})

function add(
  { context, apiVersion }: Exchange<Response>,
  asked: Asked,
  done: (results: TopicResults) => void,
): void {
  const { transactionalId, producerId, producerEpoch, verifyOnly } = asked
  const topics = asked.topics.map(({ name, partitions }) => ({ topic: name, partitions }))
  const missing = missingPartitions(context.image, topics)
  if (missing !== undefined) {
    done(resultsOf(topics, missing))
    return
  }
  const clientVersion = apiVersion >= BATCHED_FROM ? 2 : 0
  const of = { transactionalId, producerId, producerEpoch }
  context.callCoordinator(
    { kind: 'add-partitions-to-txn', ...of, verifyOnly, clientVersion, waits: false, topics },
    (answer) => {
      const told = (errorCode: ErrorCode) => beforeFenced(errorCode, apiVersion >= 2)
      done(resultsOf(topics, answer?.errorCodes.map(told)))
    },
  )
}

/** Errors for all partitions, where one of them does not exist. */
function missingPartitions(
  image: ClusterImage,
  topics: readonly TopicPartitions[],
): ErrorCode[] | undefined {
  const codes = topics.flatMap(({ topic, partitions }) => {
    return partitions.map((partition): ErrorCode => {
      const exists = image.topic(topic)?.partitions[partition] !== undefined
      return exists ? ErrorCode.OPERATION_NOT_ATTEMPTED : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    })
  })
  return codes.includes(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) ? codes : undefined
}

/** `errorCodes`: one for each partition in order; undefined: the coordinator was lost. */
function resultsOf(
  topics: readonly TopicPartitions[],
  errorCodes: readonly ErrorCode[] | undefined,
): TopicResults {
  let at = 0
  return topics.map(({ topic, partitions }) => ({
    name: topic,
    resultsByPartition: partitions.map((partitionIndex) => ({
      partitionIndex,
      partitionErrorCode: errorCodes?.[at++] ?? ErrorCode.NOT_COORDINATOR,
    })),
  }))
}

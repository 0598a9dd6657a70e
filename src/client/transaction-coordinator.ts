/**
 * What a transactional producer asks of the coordinators of its transaction and of groups. Each
 * call is one try, and rejects with KafkaError. KIP-98, KIP-360, KIP-447, KIP-890.
 */
import { InitProducerId } from '../protocol/apis/22-init-producer-id.ts'
import { AddPartitionsToTxn } from '../protocol/apis/24-add-partitions-to-txn.ts'
import { AddOffsetsToTxn } from '../protocol/apis/25-add-offsets-to-txn.ts'
import { EndTxn } from '../protocol/apis/26-end-txn.ts'
import { TxnOffsetCommit } from '../protocol/apis/28-txn-offset-commit.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { Api, ResponseOf } from '../protocol/schema.ts'
import { type ClusterClient, CoordinatorType } from './cluster-client.ts'
import type { BodyOf, RequestOptions } from './connection.ts'
import { isInvalidMetadata, kafkaError } from './errors.ts'
import type { ConsumerGroupMetadata } from './group.ts'
import { type OffsetToCommit, topicsToCommit } from './offsets.ts'
import type { ProducerIdentity } from './partition-queue.ts'
import { byTopic, type TopicPartition } from './topic-partition.ts'

/** What a cluster has to have for partitions to join by themselves. */
const FEATURE = 'transaction.version'
const JOINS_BY_ITSELF = 2
/** The last versions whose meaning is that of transactions before version 2. */
const END_BEFORE_V2 = 4
const OFFSETS_BEFORE_V2 = 4
/** Later ones are spoken between brokers. */
const ADD_PARTITIONS_MAX = 3

/** Lives with one producer. Keeps nothing between calls. */
export class TransactionCoordinator {
  readonly #cluster: ClusterClient
  readonly #transactionalId: string
  readonly #timeoutMs: number

  constructor(
    cluster: ClusterClient,
    settings: { readonly transactionalId: string; readonly transactionTimeoutMs: number },
  ) {
    this.#cluster = cluster
    this.#transactionalId = settings.transactionalId
    this.#timeoutMs = settings.transactionTimeoutMs
  }

  /** Ends whatever is open under the id, and fences whoever had it. `before`: who had the id, and
   *  is told when it has been given to another. */
  async initialize(before: ProducerIdentity | undefined): Promise<ProducerIdentity> {
    const { producerId, producerEpoch } = await this.#ask(InitProducerId, (version) => ({
      transactionalId: this.#transactionalId,
      transactionTimeoutMs: this.#timeoutMs,
      ...(version >= 3 ? before : {}),
    }))
    return { producerId, producerEpoch }
  }

  /** Whether a partition joins with its first batch, and a group with its offsets. */
  async letsPartitionsJoin(): Promise<boolean> {
    const { transaction } = CoordinatorType
    const nodeId = await this.#cluster.coordinator(transaction, this.#transactionalId)
    const connection = await this.#cluster.connection(nodeId)
    return connection.featureLevel(FEATURE) >= JOINS_BY_ITSELF
  }

  /** Lets partitions join. */
  async addPartitions(
    { producerId, producerEpoch }: ProducerIdentity,
    partitions: readonly TopicPartition[],
  ): Promise<void> {
    const body = {
      v3AndBelowTransactionalId: this.#transactionalId,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: [...byTopic(partitions)].map(([name, list]) => ({
        name,
        partitions: list.map(({ partition }) => partition),
      })),
    }
    const answer = await this.#ask(AddPartitionsToTxn, body, { versionMax: ADD_PARTITIONS_MAX })
    for (const { name, resultsByPartition } of answer.resultsByTopicV3AndBelow) {
      for (const { partitionIndex, partitionErrorCode } of resultsByPartition) {
        this.#throwOnCode(partitionErrorCode, `${name}-${partitionIndex}`)
      }
    }
  }

  /** Lets offsets of a group join. */
  async addOffsets(identity: ProducerIdentity, groupId: string): Promise<void> {
    await this.#ask(AddOffsetsToTxn, {
      transactionalId: this.#transactionalId,
      ...identity,
      groupId,
    })
  }

  /** Stores offsets at the group's coordinator. `joins`: the group joins by that. */
  async commit(
    identity: ProducerIdentity,
    offsets: readonly OffsetToCommit[],
    { groupId, memberId, generation, groupInstanceId }: ConsumerGroupMetadata,
    joins: boolean,
  ): Promise<void> {
    const { group } = CoordinatorType
    const member = { generationId: generation, memberId, groupInstanceId }
    const answer = await this.#cluster.requestCoordinator(
      group,
      groupId,
      TxnOffsetCommit,
      (version) => ({
        transactionalId: this.#transactionalId,
        groupId,
        ...identity,
        ...(version >= 3 ? member : {}),
        topics: topicsToCommit(offsets),
      }),
      joins ? {} : { versionMax: OFFSETS_BEFORE_V2 },
    )
    for (const { name, partitions } of answer.topics) {
      for (const { partitionIndex, errorCode } of partitions) {
        if (isInvalidMetadata(errorCode)) this.#cluster.forgetCoordinator(group, groupId)
        throwOnCode(errorCode, `${name}-${partitionIndex}`)
      }
    }
  }

  /** Commits or aborts; answers who the producer is from now on. */
  async end(
    identity: ProducerIdentity,
    committed: boolean,
    beginsEpoch: boolean,
  ): Promise<ProducerIdentity> {
    const body = { transactionalId: this.#transactionalId, ...identity, committed }
    const options = beginsEpoch ? {} : { versionMax: END_BEFORE_V2 }
    const { producerId, producerEpoch } = await this.#ask(EndTxn, body, options)
    return producerId < 0 ? identity : { producerId, producerEpoch }
  }

  async #ask<A extends Api>(
    api: A,
    body: BodyOf<A>,
    options: RequestOptions = {},
  ): Promise<ResponseOf<A>> {
    const id = this.#transactionalId
    const { transaction } = CoordinatorType
    const answer = await this.#cluster.requestCoordinator(transaction, id, api, body, options)
    this.#throwOnCode((answer as { errorCode?: number }).errorCode ?? ErrorCode.NONE)
    return answer
  }

  #throwOnCode(code: number, where?: string): void {
    if (isInvalidMetadata(code)) {
      this.#cluster.forgetCoordinator(CoordinatorType.transaction, this.#transactionalId)
    }
    throwOnCode(code, where)
  }
}

/** A coordinator that knows a later epoch has given the id to another producer. */
function throwOnCode(code: number, where?: string): void {
  if (code === ErrorCode.NONE) return
  const meant = code === ErrorCode.INVALID_PRODUCER_EPOCH ? ErrorCode.PRODUCER_FENCED : code
  const error = kafkaError(meant)
  throw where === undefined ? error : kafkaError(meant, `${where}: ${error.message}`)
}

/** The admin client's calls about topics. */

import { Metadata } from '../protocol/apis/03-metadata.ts'
import { CreateTopics } from '../protocol/apis/19-create-topics.ts'
import { DeleteTopics } from '../protocol/apis/20-delete-topics.ts'
import { CreatePartitions } from '../protocol/apis/37-create-partitions.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { AdminBase, type CallOptions, passing, throwOnItems } from './admin-base.ts'
import { kafkaError, throwOnError } from './errors.ts'
import type { PartitionMetadata } from './metadata.ts'

/** A topic to create. */
export interface NewTopic {
  readonly topic: string
  /** Default: the broker's num.partitions. */
  readonly numPartitions?: number
  /** Default: the broker's default.replication.factor. */
  readonly replicationFactor?: number
  /** Brokers of each partition, the preferred leader first; instead of the two above. */
  readonly replicaAssignment?: readonly (readonly number[])[]
  readonly configs?: Readonly<Record<string, string>>
}

/** A topic as it was created. */
export interface CreatedTopic {
  readonly topic: string
  readonly topicId: string
  /** -1: the broker is too old to say. */
  readonly numPartitions: number
  readonly replicationFactor: number
  readonly configs: Readonly<Record<string, string | null>>
}

/** A topic in a list. */
export interface TopicListing {
  readonly topic: string
  readonly topicId: string
  readonly isInternal: boolean
}

/** A topic with its partitions. */
export interface TopicDescription extends TopicListing {
  /** By partition: 0, 1, 2, … */
  readonly partitions: readonly PartitionMetadata[]
}

/** A topic by name or by id. */
export type TopicRef = string | { readonly topicId: string }

/** What a call that changes something may be told. */
export interface ChangeOptions extends CallOptions {
  /** Only check whether it would succeed. */
  readonly validateOnly?: boolean
}

/** Calls about topics. */
export class AdminTopics extends AdminBase {
  /** Creates topics. Rejects with PartialError; the topics that it does not name exist. */
  async createTopics(
    topics: readonly NewTopic[],
    options: ChangeOptions = {},
  ): Promise<CreatedTopic[]> {
    const { validateOnly = false } = options
    const body = {
      topics: topics.map((one) => ({
        name: one.topic,
        numPartitions: one.replicaAssignment ? -1 : (one.numPartitions ?? -1),
        replicationFactor: one.replicaAssignment ? -1 : (one.replicationFactor ?? -1),
        assignments: (one.replicaAssignment ?? []).map((brokerIds, partitionIndex) => ({
          partitionIndex,
          brokerIds,
        })),
        configs: Object.entries(one.configs ?? {}).map(([name, value]) => ({ name, value })),
      })),
      timeoutMs: this.timeoutMs(options),
      validateOnly,
    }
    type Item = { name: string; errorCode: number; errorMessage: string | null }
    const items = (list: readonly Item[]) =>
      list.map(({ name, errorCode, errorMessage }) => ({
        item: name,
        code: errorCode,
        message: errorMessage,
      }))
    const answer = await this.ask(CreateTopics, body, options, (a) => passing(items(a.topics)))
    throwOnItems(items(answer.topics))
    return answer.topics.map((one) => ({
      topic: one.name,
      topicId: one.topicId,
      numPartitions: one.numPartitions,
      replicationFactor: one.replicationFactor,
      configs: Object.fromEntries((one.configs ?? []).map(({ name, value }) => [name, value])),
    }))
  }

  /** Deletes topics with all their records. Rejects with PartialError. */
  async deleteTopics(topics: readonly TopicRef[], options: CallOptions = {}): Promise<void> {
    const timeoutMs = this.timeoutMs(options)
    const names = topics.filter((one) => typeof one === 'string')
    const byId = topics.length > names.length
    const answer = await this.ask(
      DeleteTopics,
      (version) => {
        if (version < 6) {
          if (byId) throw kafkaError(ErrorCode.UNSUPPORTED_VERSION)
          return { topicNames: names, timeoutMs }
        }
        const refs = topics.map((one) => (typeof one === 'string' ? { name: one } : one))
        return { topics: refs, timeoutMs }
      },
      options,
      (a) => passing(a.responses.map(({ errorCode }) => ({ item: '', code: errorCode }))),
    )
    throwOnItems(
      answer.responses.map((one) => ({
        item: one.name ?? one.topicId,
        code: one.errorCode,
        message: one.errorMessage,
      })),
    )
    for (const name of names) this.cluster.metadata.forget(name)
  }

  /** Raises the number of partitions of topics to `count`. Rejects with PartialError. */
  async createPartitions(
    topics: readonly {
      readonly topic: string
      readonly count: number
      /** Brokers of each new partition. */
      readonly replicaAssignment?: readonly (readonly number[])[]
    }[],
    options: ChangeOptions = {},
  ): Promise<void> {
    const body = {
      topics: topics.map(({ topic, count, replicaAssignment }) => ({
        name: topic,
        count,
        assignments: replicaAssignment?.map((brokerIds) => ({ brokerIds })) ?? null,
      })),
      timeoutMs: this.timeoutMs(options),
      validateOnly: options.validateOnly ?? false,
    }
    const answer = await this.ask(CreatePartitions, body, options, (a) =>
      passing(a.results.map(({ errorCode }) => ({ item: '', code: errorCode }))),
    )
    throwOnItems(
      answer.results.map(({ name, errorCode, errorMessage }) => ({
        item: name,
        code: errorCode,
        message: errorMessage,
      })),
    )
  }

  /** All topics, without Kafka's own unless asked for. */
  async listTopics(
    options: CallOptions & { readonly includeInternal?: boolean } = {},
  ): Promise<TopicListing[]> {
    const answer = await this.ask(
      Metadata,
      (version) => ({ topics: null, ...(version >= 4 ? { allowAutoTopicCreation: false } : {}) }),
      options,
    )
    return answer.topics
      .filter(({ isInternal }) => options.includeInternal || !isInternal)
      .map(({ name, topicId, isInternal }) => ({ topic: name ?? '', topicId, isInternal }))
  }

  /** Topics with their partitions, in the order asked for. Rejects with PartialError. */
  async describeTopics(
    topics: readonly string[],
    options: CallOptions = {},
  ): Promise<TopicDescription[]> {
    const { metadata } = this.cluster
    const attempt = async () => {
      for (const name of topics) metadata.forget(name)
      await this.cluster.refreshMetadata(topics)
    }
    await this.cluster.retry(attempt, this.timeoutMs(options), 'metadata')
    throwOnItems(topics.map((name) => ({ item: name, code: metadata.errorOf(name) })))
    return topics.map((name) => {
      const topic = metadata.topic(name)
      if (topic === undefined) throwOnError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
      const { topicId = '', isInternal = false, partitions = [] } = topic ?? {}
      return { topic: name, topicId, isInternal, partitions }
    })
  }
}

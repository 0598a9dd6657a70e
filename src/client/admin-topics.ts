/** The admin client's calls about topics. */

import { isUuid } from '../base/uuid.ts'
import { Metadata } from '../protocol/apis/03-metadata.ts'
import { CreateTopics } from '../protocol/apis/19-create-topics.ts'
import { DeleteTopics } from '../protocol/apis/20-delete-topics.ts'
import { CreatePartitions } from '../protocol/apis/37-create-partitions.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { ResponseOf } from '../protocol/schema.ts'
import { type AclOperation, operationsOf } from './acl-operations.ts'
import {
  AdminBase,
  type CallOptions,
  type DescribeOptions,
  passing,
  throwOnItems,
} from './admin-base.ts'
import { kafkaError } from './errors.ts'
import { type PartitionMetadata, partitionOf } from './metadata.ts'

/** From this version of Metadata on topics may be asked for by id. */
const TOPICS_BY_ID_VERSION = 12

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
  /** undefined unless asked for. */
  readonly authorizedOperations: readonly AclOperation[] | undefined
}

/** A topic by name or by id. */
export type TopicRef = string | { readonly topicId: string }

/** What a call that changes something may be told. */
export interface ChangeOptions extends CallOptions {
  /** Only check whether it would succeed. */
  readonly validateOnly?: boolean
}

type DescribedTopic = ResponseOf<typeof Metadata>['topics'][number]

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
        const refs = topics.map((one) => {
          return typeof one === 'string' ? { name: one } : { topicId: checkedId(one) }
        })
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

  /** Topics with their partitions, in the order asked for. Rejects with PartialError, and with
   *  UNSUPPORTED_VERSION for ids where the broker knows none (KIP-516). */
  async describeTopics(
    topics: readonly TopicRef[],
    options: DescribeOptions = {},
  ): Promise<TopicDescription[]> {
    const { includeAuthorizedOperations = false } = options
    const found = new Map<string, DescribedTopic>()
    // Brokers look at the ids only if there are any.
    for (const mine of [topics.filter(isName), topics.filter((one) => !isName(one))]) {
      if (mine.length === 0) continue
      for (const one of await this.#metadataOf(mine, includeAuthorizedOperations, options)) {
        found.set(one.topicId, one)
        if (one.name !== null) found.set(one.name, one)
      }
    }
    const nameOf = (ref: TopicRef) => (isName(ref) ? ref : ref.topicId)
    const unknown = (ref: TopicRef) =>
      isName(ref) ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.UNKNOWN_TOPIC_ID
    throwOnItems(
      topics.map((ref) => {
        const one = found.get(nameOf(ref))
        const described = one !== undefined && one.partitions.length > 0
        const code = described ? ErrorCode.NONE : (one?.errorCode ?? unknown(ref))
        return { item: nameOf(ref), code }
      }),
    )
    return topics.map((ref) => {
      const one = found.get(nameOf(ref)) as DescribedTopic
      return {
        topic: one.name ?? '',
        topicId: one.topicId,
        isInternal: one.isInternal,
        partitions: one.partitions.map(partitionOf).sort((a, b) => a.partition - b.partition),
        authorizedOperations: operationsOf(one.topicAuthorizedOperations),
      }
    })
  }

  /** `topics` are all names or all ids. */
  async #metadataOf(
    topics: readonly TopicRef[],
    includeTopicAuthorizedOperations: boolean,
    options: CallOptions,
  ): Promise<readonly DescribedTopic[]> {
    const refs = topics.map((one) =>
      isName(one) ? { name: one } : { name: null, topicId: checkedId(one) },
    )
    const answer = await this.ask(
      Metadata,
      (version) => {
        const byId = refs.some(({ name }) => name === null)
        if (byId && version < TOPICS_BY_ID_VERSION) throw kafkaError(ErrorCode.UNSUPPORTED_VERSION)
        return {
          topics: refs,
          ...(version >= 4 ? { allowAutoTopicCreation: false } : {}),
          ...(version >= 8 ? { includeTopicAuthorizedOperations } : {}),
        }
      },
      options,
    )
    return answer.topics
  }
}

function isName(topic: TopicRef): topic is string {
  return typeof topic === 'string'
}

/** Throws TypeError for what is no id: the caller's mistake, which no broker has to be asked. */
function checkedId({ topicId }: { readonly topicId: string }): string {
  if (!isUuid(topicId)) throw new TypeError(`'${topicId}' is no topic id`)
  return topicId
}

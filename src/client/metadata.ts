/** What is known of the cluster: brokers, and topics by name and id. Plain state, without IO. */
import { ZERO_UUID } from '../base/uuid.ts'
import type { Metadata } from '../protocol/apis/03-metadata.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { ResponseOf } from '../protocol/schema.ts'
import type { Address } from './options.ts'

/** A broker of the cluster. */
export interface BrokerNode extends Address {
  readonly nodeId: number
  readonly rack: string | null
}

/** A partition as of the last metadata. */
export interface PartitionMetadata {
  readonly partition: number
  /** -1: none at present. */
  readonly leaderId: number
  /** -1: the broker does not say. */
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly offlineReplicas: readonly number[]
}

/** A topic as of the last metadata. */
export interface TopicMetadata {
  readonly name: string
  /** undefined: the broker knows no topic ids. */
  readonly topicId: string | undefined
  readonly isInternal: boolean
  /** By partition: 0, 1, 2, … */
  readonly partitions: readonly PartitionMetadata[]
}

type MetadataResponse = ResponseOf<typeof Metadata>

/** Written by the cluster client; read by producer, consumer and admin. */
export class MetadataCache {
  clusterId: string | null = null
  controllerId = -1
  /** Counts changes, so that readers can tell whether they have to look again. */
  version = 0
  readonly brokers = new Map<number, BrokerNode>()
  readonly #topics = new Map<string, TopicMetadata>()
  readonly #names = new Map<string, string>()
  readonly #errors = new Map<string, number>()

  /** A topic that is known. */
  topic(name: string): TopicMetadata | undefined {
    return this.#topics.get(name)
  }

  /** A topic that is known, by id. */
  topicById(topicId: string): TopicMetadata | undefined {
    const name = this.#names.get(topicId)
    return name === undefined ? undefined : this.#topics.get(name)
  }

  /** All topics that are known. */
  topics(): IterableIterator<TopicMetadata> {
    return this.#topics.values()
  }

  /** Why the last answer did not describe `name`; NONE if it did or nobody asked. */
  errorOf(name: string): number {
    return this.#errors.get(name) ?? ErrorCode.NONE
  }

  /** -1: not known, or none at present. */
  leaderOf(name: string, partition: number): number {
    return this.#topics.get(name)?.partitions[partition]?.leaderId ?? -1
  }

  /** Takes in an answer. `whole`: topics that it lacks do not exist. */
  update(response: MetadataResponse, whole: boolean): void {
    this.version++
    this.clusterId = response.clusterId
    this.controllerId = response.controllerId
    if (response.brokers.length > 0) {
      this.brokers.clear()
      for (const broker of response.brokers) this.brokers.set(broker.nodeId, broker)
    }
    if (whole) {
      for (const name of [...this.#topics.keys()]) this.forget(name)
      this.#errors.clear()
    }
    for (const topic of response.topics) this.#updateTopic(topic)
  }

  /** A leader that the error of a request told. Older epochs than the known one are ignored.
   *  KIP-951. */
  updateLeader(name: string, partition: number, leaderId: number, leaderEpoch: number): void {
    const topic = this.#topics.get(name)
    const known = topic?.partitions[partition]
    if (topic === undefined || known === undefined || leaderEpoch <= known.leaderEpoch) return
    const partitions = topic.partitions.slice()
    partitions[partition] = { ...known, leaderId, leaderEpoch }
    this.#topics.set(name, { ...topic, partitions })
    this.version++
  }

  /** Forgets a topic. */
  forget(name: string): void {
    const topicId = this.#topics.get(name)?.topicId
    if (topicId !== undefined) this.#names.delete(topicId)
    this.#topics.delete(name)
  }

  #updateTopic(answer: MetadataResponse['topics'][number]): void {
    const name = answer.name ?? this.#names.get(answer.topicId)
    if (name === undefined) return
    const { errorCode } = answer
    if (errorCode !== ErrorCode.NONE && answer.partitions.length === 0) {
      this.#errors.set(name, errorCode)
      if (errorCode !== ErrorCode.LEADER_NOT_AVAILABLE) this.forget(name)
      return
    }
    this.#errors.delete(name)
    const before = this.#topics.get(name)
    const topicId = answer.topicId === ZERO_UUID ? undefined : answer.topicId
    const same = before !== undefined && before.topicId === topicId
    if (!same) this.forget(name)
    const partitions = answer.partitions
      .map((one): PartitionMetadata => {
        const known = same ? before.partitions[one.partitionIndex] : undefined
        // An answer from a broker that lags behind may not undo a newer election.
        const stale = known !== undefined && one.leaderEpoch < known.leaderEpoch
        if (stale && one.leaderEpoch >= 0) return known
        return partitionOf(one)
      })
      .sort((a, b) => a.partition - b.partition)
    this.#topics.set(name, { name, topicId, isInternal: answer.isInternal, partitions })
    if (topicId !== undefined) this.#names.set(topicId, name)
  }
}

/** A partition as an answer tells it. */
export function partitionOf(
  one: MetadataResponse['topics'][number]['partitions'][number],
): PartitionMetadata {
  return {
    partition: one.partitionIndex,
    leaderId: one.leaderId,
    leaderEpoch: one.leaderEpoch,
    replicas: one.replicaNodes,
    isr: one.isrNodes,
    offlineReplicas: one.offlineReplicas,
  }
}

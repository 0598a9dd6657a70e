/** Offsets on the broker: committed ones of a group, and places in logs. */
import { ListOffsets } from '../protocol/apis/02-list-offsets.ts'
import { OffsetCommit } from '../protocol/apis/08-offset-commit.ts'
import { OffsetFetch } from '../protocol/apis/09-offset-fetch.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { type ClusterClient, CoordinatorType } from './cluster-client.ts'
import { InvalidMetadataError, KafkaError, kafkaError } from './errors.ts'
import type { MemberIdentity } from './group.ts'
import { onOffsetError } from './group-reactions.ts'
import { byTopic, keyOf, type TopicPartition } from './topic-partition.ts'

/** Later versions name topics by id. */
const NAMES_VERSION_MAX = 9
/** ListOffsets: the named places. */
const LATEST = -1
const EARLIEST = -2

/** An offset to commit. */
export interface OffsetToCommit extends TopicPartition {
  /** The offset of the next record to read. */
  readonly offset: number
  /** -1, the default: not known. */
  readonly leaderEpoch?: number
  /** Default: ''. */
  readonly metadata?: string
}

/** What is committed of a partition. */
export interface CommittedOffset extends TopicPartition {
  /** undefined: nothing is committed. */
  readonly offset: number | undefined
  /** -1: not known. */
  readonly leaderEpoch: number
  readonly metadata: string
}

/** A place to find: a named one, or the first record at or after a time in milliseconds. */
export interface OffsetQuery extends TopicPartition {
  readonly at: 'earliest' | 'latest' | number
}

/** A place that was found. */
export interface FoundOffset extends TopicPartition {
  /** undefined: there is no record at or after the time. */
  readonly offset: number | undefined
  /** Milliseconds of the record; -1 for named places. */
  readonly timestamp: number
  readonly leaderEpoch: number
}

/** How requests name offsets to commit. */
export function topicsToCommit(offsets: readonly OffsetToCommit[]) {
  return [...byTopic(offsets)].map(([name, list]) => ({
    name,
    partitions: list.map((one) => ({
      partitionIndex: one.partition,
      committedOffset: one.offset,
      committedLeaderEpoch: one.leaderEpoch ?? -1,
      committedMetadata: one.metadata ?? '',
    })),
  }))
}

/** Offsets of one group, or of none. Every call is one try, or says that it retries. */
export class Offsets {
  readonly #cluster: ClusterClient
  readonly #groupId: string | undefined
  readonly #isolation: number

  constructor(cluster: ClusterClient, groupId: string | undefined, readCommitted: boolean) {
    this.#cluster = cluster
    this.#groupId = groupId
    this.#isolation = readCommitted ? 1 : 0
  }

  /** Commits once. Rejects with KafkaError. */
  async commitOnce(offsets: readonly OffsetToCommit[], member: MemberIdentity): Promise<void> {
    if (offsets.length === 0) return
    const groupId = this.#group()
    const topics = topicsToCommit(offsets)
    const answer = await this.#cluster.requestCoordinator(
      CoordinatorType.group,
      groupId,
      OffsetCommit,
      (version) => ({
        groupId,
        generationIdOrMemberEpoch: member.generation,
        memberId: member.memberId,
        ...(version >= 7 ? { groupInstanceId: member.groupInstanceId } : {}),
        topics,
      }),
      { versionMax: NAMES_VERSION_MAX },
    )
    for (const { name, partitions } of answer.topics) {
      for (const { partitionIndex, errorCode } of partitions) {
        this.#throwOffsetError(errorCode, `${name}-${partitionIndex}`)
      }
    }
  }

  /** What is committed; retries until `timeoutMs`. Rejects with KafkaError. */
  committed(
    partitions: readonly TopicPartition[],
    member: () => MemberIdentity,
    timeoutMs: number,
  ): Promise<CommittedOffset[]> {
    const attempt = async () => {
      try {
        return await this.#committedOnce(partitions, member())
      } catch (error) {
        // The next heartbeat tells the new epoch.
        if (isStale(error)) throw new InvalidMetadataError(ErrorCode.COORDINATOR_NOT_AVAILABLE)
        throw error
      }
    }
    return this.#cluster.retry(attempt, timeoutMs, 'committed offsets')
  }

  /** Finds places; retries until `timeoutMs`. Rejects with KafkaError. */
  async find(queries: readonly OffsetQuery[], timeoutMs: number): Promise<FoundOffset[]> {
    const found = new Map<string, FoundOffset>()
    const attempt = async () => {
      const left = queries.filter((one) => !found.has(keyOf(one)))
      await this.#findOnce(left, found)
    }
    await this.#cluster.retry(attempt, timeoutMs, 'offsets')
    return queries.map((one) => found.get(keyOf(one)) as FoundOffset)
  }

  async #committedOnce(
    partitions: readonly TopicPartition[],
    member: MemberIdentity,
  ): Promise<CommittedOffset[]> {
    const groupId = this.#group()
    const topics = [...byTopic(partitions)].map(([name, list]) => ({
      name,
      partitionIndexes: list.map(({ partition }) => partition),
    }))
    const answer = await this.#cluster.requestCoordinator(
      CoordinatorType.group,
      groupId,
      OffsetFetch,
      (version) => {
        const requireStable = version >= 7 ? { requireStable: this.#isolation === 1 } : {}
        if (version < 8) return { groupId, topics, ...requireStable }
        const { memberId, generation } = member
        const self = version >= 9 && generation >= 0 ? { memberId, memberEpoch: generation } : {}
        return { groups: [{ groupId, ...self, topics }], ...requireStable }
      },
      { versionMax: NAMES_VERSION_MAX },
    )
    const group = answer.groups[0] ?? answer
    this.#throwOffsetError(group.errorCode, `group ${groupId}`)
    return group.topics.flatMap((topic) =>
      topic.partitions.map((one): CommittedOffset => {
        this.#throwOffsetError(one.errorCode, `${topic.name}-${one.partitionIndex}`)
        return {
          topic: topic.name,
          partition: one.partitionIndex,
          offset: one.committedOffset < 0 ? undefined : one.committedOffset,
          leaderEpoch: one.committedLeaderEpoch,
          metadata: one.metadata ?? '',
        }
      }),
    )
  }

  async #findOnce(queries: readonly OffsetQuery[], found: Map<string, FoundOffset>) {
    const { metadata } = this.#cluster
    const missing = queries.filter(
      ({ topic, partition }) => metadata.leaderOf(topic, partition) < 0,
    )
    if (missing.length > 0) await this.#cluster.refreshMetadata(missing.map(({ topic }) => topic))
    const nodes = new Map<number, OffsetQuery[]>()
    for (const query of queries) {
      const leaderId = metadata.leaderOf(query.topic, query.partition)
      const known = metadata.topic(query.topic)
      if (leaderId < 0) {
        const code =
          known === undefined
            ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
            : ErrorCode.LEADER_NOT_AVAILABLE
        throw kafkaError(code, `${keyOf(query)}: ${kafkaError(code).message}`)
      }
      nodes.set(leaderId, [...(nodes.get(leaderId) ?? []), query])
    }
    const asked = [...nodes].map(([nodeId, list]) => this.#findAt(nodeId, list, found))
    const results = await Promise.allSettled(asked)
    const failure = results.find((one) => one.status === 'rejected')
    if (failure === undefined) return
    await this.#cluster.refreshMetadata(queries.map(({ topic }) => topic)).catch(() => {})
    throw failure.reason
  }

  async #findAt(
    nodeId: number,
    queries: readonly OffsetQuery[],
    found: Map<string, FoundOffset>,
  ): Promise<void> {
    const { metadata } = this.#cluster
    const answer = await this.#cluster.requestNode(nodeId, ListOffsets, (version) => ({
      replicaId: -1,
      ...(version >= 2 ? { isolationLevel: this.#isolation } : {}),
      topics: [...byTopic(queries)].map(([name, list]) => ({
        name,
        partitions: list.map(({ partition, at }) => ({
          partitionIndex: partition,
          currentLeaderEpoch: metadata.topic(name)?.partitions[partition]?.leaderEpoch ?? -1,
          timestamp: at === 'latest' ? LATEST : at === 'earliest' ? EARLIEST : at,
        })),
      })),
      ...(version >= 10 ? { timeoutMs: this.#cluster.settings.requestTimeoutMs } : {}),
    }))
    let failure: KafkaError | undefined
    for (const { name: topic, partitions } of answer.topics) {
      for (const { partitionIndex: partition, errorCode, ...one } of partitions) {
        if (errorCode !== ErrorCode.NONE) {
          failure ??= kafkaError(
            errorCode,
            `${topic}-${partition}: ${kafkaError(errorCode).message}`,
          )
          continue
        }
        const { timestamp, leaderEpoch } = one
        const offset = one.offset < 0 ? undefined : one.offset
        found.set(keyOf({ topic, partition }), { topic, partition, offset, timestamp, leaderEpoch })
      }
    }
    if (failure !== undefined) throw failure
  }

  #group(): string {
    if (this.#groupId !== undefined) return this.#groupId
    throw new KafkaError(ErrorCode.INVALID_GROUP_ID, {
      message: 'This needs a group.',
      hint: 'Give the consumer a groupId.',
    })
  }

  #throwOffsetError(code: number, where: string): void {
    if (code === ErrorCode.NONE) return
    if (onOffsetError(code) === 'coordinator') {
      this.#cluster.forgetCoordinator(CoordinatorType.group, this.#group())
    }
    throw kafkaError(code, `${where}: ${kafkaError(code).message}`)
  }
}

/** Whether the epoch of a member has moved on meanwhile. */
export function isStale(error: unknown): boolean {
  return error instanceof KafkaError && error.code === ErrorCode.STALE_MEMBER_EPOCH
}

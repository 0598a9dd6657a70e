/** The admin client: all that a broker serves besides records, with typed results. */
import { ApiVersions } from '../protocol/apis/18-api-versions.ts'
import { AlterReplicaLogDirs } from '../protocol/apis/34-alter-replica-log-dirs.ts'
import { DescribeLogDirs } from '../protocol/apis/35-describe-log-dirs.ts'
import { ElectLeaders } from '../protocol/apis/43-elect-leaders.ts'
import { AlterPartitionReassignments } from '../protocol/apis/45-alter-partition-reassignments.ts'
import { ListPartitionReassignments } from '../protocol/apis/46-list-partition-reassignments.ts'
import { DescribeQuorum } from '../protocol/apis/55-describe-quorum.ts'
import { DescribeCluster } from '../protocol/apis/60-describe-cluster.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { type AclOperation, operationsOf } from './acl-operations.ts'
import { type CallOptions, type DescribeOptions, throwOnItems } from './admin-base.ts'
import { AdminStreamsGroups } from './admin-streams-groups.ts'
import { SOFTWARE } from './connection.ts'
import { throwOnError } from './errors.ts'
import type { BrokerNode } from './metadata.ts'
import { byTopic, type TopicPartition } from './topic-partition.ts'

/** The cluster. */
export interface ClusterDescription {
  readonly clusterId: string
  /** The broker that admin requests go to; -1: none at present. */
  readonly controllerId: number
  readonly brokers: readonly (BrokerNode & {
    /** Whether it is known but may not serve. KIP-1073. */
    readonly isFenced: boolean
  })[]
  /** undefined unless asked for. */
  readonly authorizedOperations: readonly AclOperation[] | undefined
}

/** Levels of a feature. */
export interface FeatureRange {
  readonly minVersionLevel: number
  readonly maxVersionLevel: number
}

/** What the cluster is able to do, by the names of features. KIP-584. */
export interface FeatureDescription {
  /** What is switched on; for all brokers the same. */
  readonly finalizedFeatures: Readonly<Record<string, FeatureRange>>
  /** Counts changes of those; undefined: the broker does not say. */
  readonly finalizedFeaturesEpoch: number | undefined
  /** What the broker could do. */
  readonly supportedFeatures: Readonly<Record<string, FeatureRange>>
}

/** A log directory of a broker. Sizes in bytes; -1: the broker does not say. */
export interface LogDirDescription {
  readonly brokerId: number
  readonly path: string
  readonly totalBytes: number
  readonly usableBytes: number
  readonly replicas: readonly (TopicPartition & {
    readonly bytes: number
    /** How far it is behind the log end or, if it is moving here, behind the present one. */
    readonly offsetLag: number
    readonly isFuture: boolean
  })[]
}

/** A partition that moves to other brokers. */
export interface PartitionReassignment extends TopicPartition {
  readonly replicas: readonly number[]
  readonly addingReplicas: readonly number[]
  readonly removingReplicas: readonly number[]
}

/** A voter or observer of the metadata quorum. Times in ms since 1970; -1: not known. */
export interface QuorumReplica {
  readonly replicaId: number
  readonly logEndOffset: number
  readonly lastFetchTimestamp: number
  readonly lastCaughtUpTimestamp: number
}

/** The quorum that keeps the cluster's metadata. */
export interface QuorumDescription {
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly highWatermark: number
  readonly voters: readonly QuorumReplica[]
  readonly observers: readonly QuorumReplica[]
}

/** Manages a cluster. Lives on one thread; connects at the first call. */
export class Admin extends AdminStreamsGroups {
  /** Brokers and id of the cluster. */
  async describeCluster(
    options: DescribeOptions & {
      /** Default: false. */
      readonly includeFencedBrokers?: boolean
    } = {},
  ): Promise<ClusterDescription> {
    const { includeAuthorizedOperations = false, includeFencedBrokers = false } = options
    const answer = await this.ask(
      DescribeCluster,
      (version) => ({
        includeClusterAuthorizedOperations: includeAuthorizedOperations,
        ...(version >= 2 ? { includeFencedBrokers } : {}),
      }),
      options,
      ({ errorCode, errorMessage }) => ({ item: '', code: errorCode, message: errorMessage }),
    )
    const { clusterId, controllerId, brokers } = answer
    return {
      clusterId,
      controllerId,
      brokers: brokers.map(({ brokerId, host, port, rack, isFenced }) => ({
        nodeId: brokerId,
        host,
        port,
        rack,
        isFenced,
      })),
      authorizedOperations: operationsOf(answer.clusterAuthorizedOperations),
    }
  }

  /** Features that are switched on, and those that could be. KIP-584. */
  async describeFeatures(options: CallOptions = {}): Promise<FeatureDescription> {
    const answer = await this.ask(ApiVersions, SOFTWARE, options, ({ errorCode }) => ({
      item: '',
      code: errorCode,
    }))
    const { finalizedFeatures, finalizedFeaturesEpoch, supportedFeatures } = answer
    return {
      finalizedFeatures: Object.fromEntries(
        finalizedFeatures.map(({ name, minVersionLevel, maxVersionLevel }) => {
          return [name, { minVersionLevel, maxVersionLevel }]
        }),
      ),
      finalizedFeaturesEpoch: finalizedFeaturesEpoch < 0 ? undefined : finalizedFeaturesEpoch,
      supportedFeatures: Object.fromEntries(
        supportedFeatures.map(({ name, minVersion, maxVersion }) => {
          return [name, { minVersionLevel: minVersion, maxVersionLevel: maxVersion }]
        }),
      ),
    }
  }

  /** Log directories of brokers and what lies in them. `brokerIds`: default all. */
  async describeLogDirs(
    brokerIds?: readonly number[],
    options: CallOptions = {},
  ): Promise<LogDirDescription[]> {
    const answers = await this.askAll(DescribeLogDirs, { topics: null }, options, brokerIds)
    return [...answers].flatMap(([brokerId, { errorCode, results }]) => {
      throwOnError(errorCode)
      throwOnItems(results.map((one) => ({ item: one.logDir, code: one.errorCode })))
      return results.map(({ logDir, totalBytes, usableBytes, topics }) => ({
        brokerId,
        path: logDir,
        totalBytes,
        usableBytes,
        replicas: topics.flatMap(({ name, partitions }) =>
          partitions.map((one) => ({
            topic: name,
            partition: one.partitionIndex,
            bytes: one.partitionSize,
            offsetLag: one.offsetLag,
            isFuture: one.isFutureKey,
          })),
        ),
      }))
    })
  }

  /** Moves replicas of a broker to another of its log directories. Rejects with PartialError. */
  async alterReplicaLogDirs(
    brokerId: number,
    moves: readonly (TopicPartition & { readonly path: string })[],
    options: CallOptions = {},
  ): Promise<void> {
    const paths = [...new Set(moves.map(({ path }) => path))]
    const dirs = paths.map((path) => ({
      path,
      topics: [...byTopic(moves.filter((move) => move.path === path))].map(([name, of]) => ({
        name,
        partitions: of.map(({ partition }) => partition),
      })),
    }))
    const answer = await this.askNode(brokerId, AlterReplicaLogDirs, { dirs }, options)
    throwOnItems(
      answer.results.flatMap(({ topicName, partitions }) =>
        partitions.map((one) => ({
          item: `${topicName}-${one.partitionIndex}`,
          code: one.errorCode,
        })),
      ),
    )
  }

  /** Elects leaders: the preferred ones, or whoever is alive though records may be lost.
   *  `partitions`: default all. Partitions whose leader is right already are passed over. */
  async electLeaders(
    type: 'preferred' | 'unclean',
    partitions?: readonly TopicPartition[],
    options: CallOptions = {},
  ): Promise<void> {
    const topicPartitions =
      partitions === undefined
        ? null
        : [...byTopic(partitions)].map(([topic, of]) => ({
            topic,
            partitions: of.map(({ partition }) => partition),
          }))
    const electionType = type === 'preferred' ? 0 : 1
    const timeoutMs = this.timeoutMs(options)
    const answer = await this.ask(
      ElectLeaders,
      (version) => ({ topicPartitions, timeoutMs, ...(version >= 1 ? { electionType } : {}) }),
      options,
      ({ errorCode }) => ({ item: '', code: errorCode }),
    )
    throwOnItems(
      answer.replicaElectionResults.flatMap(({ topic, partitionResult }) =>
        partitionResult
          .filter(({ errorCode }) => errorCode !== ErrorCode.ELECTION_NOT_NEEDED)
          .map(({ partitionId, errorCode, errorMessage }) => ({
            item: `${topic}-${partitionId}`,
            code: errorCode,
            message: errorMessage,
          })),
      ),
    )
  }

  /** Moves partitions to other brokers; null instead of replicas ends a move. Rejects with
   *  PartialError. */
  async alterPartitionReassignments(
    partitions: readonly (TopicPartition & { readonly replicas: readonly number[] | null })[],
    options: CallOptions = {},
  ): Promise<void> {
    const topics = [...byTopic(partitions)].map(([name, of]) => ({
      name,
      partitions: of.map(({ partition, replicas }) => ({ partitionIndex: partition, replicas })),
    }))
    const body = { topics, timeoutMs: this.timeoutMs(options) }
    const answer = await this.ask(AlterPartitionReassignments, body, options, (a) => ({
      item: '',
      code: a.errorCode,
      message: a.errorMessage,
    }))
    throwOnItems(
      answer.responses.flatMap(({ name, partitions: of }) =>
        of.map(({ partitionIndex, errorCode, errorMessage }) => ({
          item: `${name}-${partitionIndex}`,
          code: errorCode,
          message: errorMessage,
        })),
      ),
    )
  }

  /** Partitions that move at present. `partitions`: only these. */
  async listPartitionReassignments(
    partitions?: readonly TopicPartition[],
    options: CallOptions = {},
  ): Promise<PartitionReassignment[]> {
    const topics =
      partitions === undefined
        ? null
        : [...byTopic(partitions)].map(([name, of]) => ({
            name,
            partitionIndexes: of.map(({ partition }) => partition),
          }))
    const body = { topics, timeoutMs: this.timeoutMs(options) }
    const answer = await this.ask(ListPartitionReassignments, body, options, (a) => ({
      item: '',
      code: a.errorCode,
      message: a.errorMessage,
    }))
    return answer.topics.flatMap(({ name, partitions: of }) =>
      of.map(({ partitionIndex, ...rest }) => ({
        topic: name,
        partition: partitionIndex,
        replicas: rest.replicas,
        addingReplicas: rest.addingReplicas,
        removingReplicas: rest.removingReplicas,
      })),
    )
  }

  /** The state of the metadata quorum. KIP-595. */
  async describeQuorum(options: CallOptions = {}): Promise<QuorumDescription> {
    const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]
    const answer = await this.ask(DescribeQuorum, { topics }, options, (a) => ({
      item: '',
      code: a.errorCode,
      message: a.errorMessage,
    }))
    const quorum = answer.topics[0]?.partitions[0]
    throwOnError(quorum?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR, quorum?.errorMessage)
    const { leaderId, leaderEpoch, highWatermark, currentVoters, observers } =
      quorum as NonNullable<typeof quorum>
    const replicas = (list: typeof currentVoters): QuorumReplica[] =>
      list.map((one) => ({
        replicaId: one.replicaId,
        logEndOffset: one.logEndOffset,
        lastFetchTimestamp: one.lastFetchTimestamp,
        lastCaughtUpTimestamp: one.lastCaughtUpTimestamp,
      }))
    return {
      leaderId,
      leaderEpoch,
      highWatermark,
      voters: replicas(currentVoters),
      observers: replicas(observers),
    }
  }
}

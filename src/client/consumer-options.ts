/** The settings of a consumer. */
import { type Assignor, type AssignorName, assignors } from './assignors.ts'
import type { ResetTo } from './consumer-positions.ts'
import type { RecordOf } from './consumer-record.ts'
import type { OffsetToCommit } from './offsets.ts'
import type { ClientOptions } from './options.ts'
import type { Deserializer } from './serdes.ts'
import type { TypedTopic } from './topic.ts'
import type { TopicPartition } from './topic-partition.ts'

/** Settings of a consumer beside those of all clients. Times are milliseconds, sizes bytes. */
export type ConsumerOptions<K = Buffer, V = Buffer, T extends TypedTopic = never> = ClientOptions &
  ConsumerSettings<K, V, T>

/** Each has Kafka's name and, but where it is said, Kafka's default. */
export interface ConsumerSettings<K = Buffer, V = Buffer, T extends TypedTopic = never> {
  /** Needed by subscribe and commit. */
  readonly groupId?: string
  /** A name that stays over restarts: the member keeps its partitions while it is away for less
   *  than its session. KIP-345. */
  readonly groupInstanceId?: string
  /** 'consumer': the broker assigns. KIP-848. Default: 'classic'. */
  readonly groupProtocol?: 'classic' | 'consumer'
  /** With the classic protocol, the most wanted first: one that all members know is used. Default:
   *  range, cooperative-sticky. */
  readonly partitionAssignmentStrategy?: readonly AssignorName[]
  /** With the consumer protocol: 'uniform', 'range', or what else the broker has. Default: the
   *  broker's. */
  readonly groupRemoteAssignor?: string
  /** The classic member is dead without a heartbeat for so long. Default: 45 s. */
  readonly sessionTimeoutMs?: number
  /** With the classic protocol. Default: 3 s. */
  readonly heartbeatIntervalMs?: number
  /** The member gives its partitions up when nobody asks for records for so long. Default: 5 min.
   */
  readonly maxPollIntervalMs?: number
  /** Most records of one poll or batch. Default: 500. */
  readonly maxPollRecords?: number
  /** Whether positions are committed every autoCommitIntervalMs, when records are asked for, and at
   *  close. Default: true, with a groupId. */
  readonly enableAutoCommit?: boolean
  /** Default: 5 s. */
  readonly autoCommitIntervalMs?: number
  /** Where to start without a committed offset; 'none': an error. Default: 'latest'. */
  readonly autoOffsetReset?: 'earliest' | 'latest' | 'none'
  /** 'read_committed': no records of transactions that are open or aborted. Default:
   *  'read_uncommitted'. */
  readonly isolationLevel?: 'read_committed' | 'read_uncommitted'
  /** The broker waits for so many bytes, up to fetchMaxWaitMs. Default: 1. */
  readonly fetchMinBytes?: number
  /** Default: 500 ms. */
  readonly fetchMaxWaitMs?: number
  /** Most bytes of one answer, but for a first batch that is larger. Default: 50 MiB. */
  readonly fetchMaxBytes?: number
  /** Most bytes of a partition in one answer, but for a first batch. Default: 1 MiB. */
  readonly maxPartitionFetchBytes?: number
  /** Nothing is fetched while so many bytes lie ready; with answers under way there may be twice as
   *  many. Ours. Default: 16 MiB. */
  readonly prefetchBytesMax?: number
  /** Whether checksums of batches are looked at. Default: true. */
  readonly checkCrcs?: boolean
  /** How long commit, committed, position and the like try. Default: 1 min. */
  readonly defaultApiTimeoutMs?: number
  /** Whether asking for a topic may create it, if the broker allows it. Default: true. */
  readonly allowAutoCreateTopics?: boolean
  /** Topics whose records are read by their own serdes, and are typed so. Ours. Default: none. */
  readonly topics?: readonly T[]
  /** Of all other topics. Default: bytes as they are. */
  readonly deserializers?: {
    readonly key?: Deserializer<K>
    readonly value?: Deserializer<V>
  }
  readonly interceptors?: readonly ConsumerInterceptor<K, V, T>[]
}

/** Sees all records and commits of a consumer. What it throws reaches nobody but the log.
 *  KIP-42. */
export interface ConsumerInterceptor<K = Buffer, V = Buffer, T = never> {
  /** Before records are handed out: those of one poll or batch, or one alone. Answers the records
   *  to hand out in their place; all count as read. */
  onConsume?(records: readonly RecordOf<K, V, T>[]): readonly RecordOf<K, V, T>[]
  /** After a commit. */
  onCommit?(offsets: readonly OffsetToCommit[]): void
  /** When the consumer is closed. */
  close?(): void
}

/** What a program does when partitions come and go. May be asynchronous: the next record waits. */
export interface RebalanceListener {
  /** These have come; positions may be set with seek. */
  onPartitionsAssigned?(partitions: readonly TopicPartition[]): void | Promise<void>
  /** These are about to go; offsets may still be committed. */
  onPartitionsRevoked?(partitions: readonly TopicPartition[]): void | Promise<void>
  /** These have gone already: others may read them. Default: as onPartitionsRevoked. */
  onPartitionsLost?(partitions: readonly TopicPartition[]): void | Promise<void>
}

/** Settings with their defaults. */
export interface ResolvedConsumerSettings {
  readonly groupId: string | undefined
  readonly groupInstanceId: string | undefined
  readonly groupProtocol: 'classic' | 'consumer'
  readonly assignors: readonly Assignor[]
  readonly groupRemoteAssignor: string | undefined
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly maxPollIntervalMs: number
  readonly maxPollRecords: number
  readonly enableAutoCommit: boolean
  readonly autoCommitIntervalMs: number
  readonly autoOffsetReset: Extract<ResetTo, string> | 'none'
  readonly isolationLevel: 'read_committed' | 'read_uncommitted'
  readonly fetchMinBytes: number
  readonly fetchMaxWaitMs: number
  readonly fetchMaxBytes: number
  readonly maxPartitionFetchBytes: number
  readonly prefetchBytesMax: number
  readonly checkCrcs: boolean
  readonly defaultApiTimeoutMs: number
}

/** Fills in the defaults. Throws TypeError where settings contradict each other. */
export function resolveConsumerSettings<K, V, T extends TypedTopic>(
  options: ConsumerOptions<K, V, T>,
): ResolvedConsumerSettings {
  const { groupId, groupProtocol = 'classic', autoOffsetReset = 'latest' } = options
  if (groupId === '') throw new TypeError('groupId is empty')
  if (!['classic', 'consumer'].includes(groupProtocol)) {
    throw new TypeError("groupProtocol is 'classic' or 'consumer'")
  }
  if (!['earliest', 'latest', 'none'].includes(autoOffsetReset)) {
    throw new TypeError("autoOffsetReset is 'earliest', 'latest' or 'none'")
  }
  const isolationLevel = options.isolationLevel ?? 'read_uncommitted'
  if (!['read_committed', 'read_uncommitted'].includes(isolationLevel)) {
    throw new TypeError("isolationLevel is 'read_committed' or 'read_uncommitted'")
  }
  if (options.enableAutoCommit === true && groupId === undefined) {
    throw new TypeError('enableAutoCommit needs a groupId')
  }
  const sessionTimeoutMs = options.sessionTimeoutMs ?? 45_000
  const heartbeatIntervalMs = options.heartbeatIntervalMs ?? 3000
  if (heartbeatIntervalMs >= sessionTimeoutMs) {
    throw new TypeError('heartbeatIntervalMs has to be less than sessionTimeoutMs')
  }
  return {
    groupId,
    groupInstanceId: options.groupInstanceId,
    groupProtocol,
    assignors: assignorsOf(options.partitionAssignmentStrategy ?? ['range', 'cooperative-sticky']),
    groupRemoteAssignor: options.groupRemoteAssignor,
    sessionTimeoutMs,
    heartbeatIntervalMs,
    maxPollIntervalMs: options.maxPollIntervalMs ?? 300_000,
    maxPollRecords: positive('maxPollRecords', options.maxPollRecords ?? 500),
    enableAutoCommit: options.enableAutoCommit ?? groupId !== undefined,
    autoCommitIntervalMs: options.autoCommitIntervalMs ?? 5000,
    autoOffsetReset,
    isolationLevel,
    fetchMinBytes: options.fetchMinBytes ?? 1,
    fetchMaxWaitMs: options.fetchMaxWaitMs ?? 500,
    fetchMaxBytes: positive('fetchMaxBytes', options.fetchMaxBytes ?? 50 * 1024 * 1024),
    maxPartitionFetchBytes: positive(
      'maxPartitionFetchBytes',
      options.maxPartitionFetchBytes ?? 1024 * 1024,
    ),
    prefetchBytesMax: positive('prefetchBytesMax', options.prefetchBytesMax ?? 16 * 1024 * 1024),
    checkCrcs: options.checkCrcs ?? true,
    defaultApiTimeoutMs: options.defaultApiTimeoutMs ?? 60_000,
  }
}

function assignorsOf(names: readonly AssignorName[]): Assignor[] {
  if (names.length === 0) throw new TypeError('partitionAssignmentStrategy is empty')
  return names.map((name) => {
    const assignor = assignors[name]
    if (assignor === undefined) throw new TypeError(`there is no assignor '${name}'`)
    return assignor
  })
}

function positive(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 1) throw new TypeError(`${name} is a positive integer`)
  return value
}

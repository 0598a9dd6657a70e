/** The settings of a producer. */
import { CodecId } from '../protocol/compression.ts'
import type { RecordMetadata } from './delivery.ts'
import type { KafkaError } from './errors.ts'
import type { ClientOptions } from './options.ts'
import type { Partitioner, PartitionerName } from './partitioners.ts'
import type { RecordBytes } from './record-size.ts'
import type { Serializer } from './serdes.ts'
import type { AnyTopic, Topic } from './topic.ts'

/** A header's value. */
export type HeaderValue = RecordBytes

/** Headers by name, or as a list where a name occurs more than once. */
export type MessageHeaders =
  | Readonly<Record<string, HeaderValue>>
  | readonly (readonly [name: string, value: HeaderValue])[]

/** A record to send. */
export interface Message<K = RecordBytes, V = RecordBytes> {
  /** Default: none. */
  readonly key?: K | null
  /** null is a tombstone in a compacted topic. */
  readonly value: V | null
  readonly headers?: MessageHeaders
  /** Milliseconds since 1970. Default: now. */
  readonly timestamp?: number
  /** Default: as the partitioner says. */
  readonly partition?: number
}

/** Records for one topic, by its name or typed: then its own serdes write them. */
export interface SendRequest<K = RecordBytes, V = RecordBytes, T extends AnyTopic = string> {
  readonly topic: T
  readonly messages: readonly MessageOf<T, K, V>[]
}

/** What is sent to a topic: what it is typed by, else `K` and `V`. */
export type MessageOf<T, K, V> =
  T extends Topic<infer TopicK, infer TopicV, string, unknown, unknown>
    ? Message<TopicK, TopicV>
    : Message<K, V>

/** Sees all records of a producer, those of typed topics as well. What it throws reaches nobody but
 *  the log. KIP-42. */
export interface ProducerInterceptor<K = RecordBytes, V = RecordBytes> {
  /** Before serialization; answers the message to send in its place. */
  onSend?(message: Message<K, V>, topic: string): Message<K, V>
  /** After a record is written, or cannot be. Needs an answer from the broker: with acks 0 the
   *  offset is -1. */
  onAcknowledgement?(record: RecordMetadata | undefined, error: KafkaError | null): void
  /** When the producer is closed. */
  close?(): void
}

/** 0: nobody answers; 1: the leader has it; 'all': all replicas in sync have it. */
export type Acks = 0 | 1 | 'all' | -1

/** Names of the codecs. */
export type CompressionName = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** Settings of a producer beside those of all clients. Times are milliseconds, sizes bytes. */
export type ProducerOptions<K = RecordBytes, V = RecordBytes> = ClientOptions &
  ProducerSettings<K, V>

/** Each has Kafka's name and, but where it is said, Kafka's default. */
export interface ProducerSettings<K = RecordBytes, V = RecordBytes> {
  /** Default: 'all'. */
  readonly acks?: Acks
  /** Whether the broker drops what arrives twice and keeps the order. Default: true, if acks is
   *  'all' and maxInFlightRequestsPerConnection at most 5. */
  readonly enableIdempotence?: boolean
  /** Who the producer is across restarts; with it, all is sent in transactions. One running
   *  producer has it at a time. Needs idempotence. Default: none. */
  readonly transactionalId?: string
  /** How long a transaction may take until the broker aborts it. Default: 1 min. */
  readonly transactionTimeoutMs?: number
  /** Default: 5. */
  readonly maxInFlightRequestsPerConnection?: number
  /** Tries after the first. Default: as many as deliveryTimeoutMs allows. */
  readonly retries?: number
  /** How long a record may take from send() to its answer. Default: 2 min. */
  readonly deliveryTimeoutMs?: number
  /** How long send() waits for metadata or buffer memory. Default: 1 min. */
  readonly maxBlockMs?: number
  /** A batch is sent at this size, and smaller when lingerMs is over. Default: 64 KiB. */
  readonly batchSize?: number
  /**
   * How long a batch that is not full waits for more. 0, the default: it leaves at once, but while
   * requests are under way no more often than every millisecond.
   */
  readonly lingerMs?: number
  /** Records that are not acknowledged; more wait in send(). Default: 32 MiB. */
  readonly bufferMemory?: number
  /** Largest request, and largest record. Default: 1 MiB. */
  readonly maxRequestSize?: number
  /** Default: 'none'. */
  readonly compressionType?: CompressionName
  /** As the codec counts. Default: the codec's. */
  readonly compressionLevel?: number
  /** Default: 'default'. */
  readonly partitioner?: PartitionerName | Partitioner
  /** Whether asking for a topic may create it, if the broker allows it. Default: true. */
  readonly allowAutoTopicCreation?: boolean
  /** Default: bytes and text as they are. */
  readonly serializers?: {
    readonly key?: Serializer<K>
    readonly value?: Serializer<V>
  }
  readonly interceptors?: readonly ProducerInterceptor<K, V>[]
}

/** Settings with their defaults, as the sender reads them. */
export interface ResolvedProducerSettings {
  readonly acks: 0 | 1 | -1
  readonly idempotent: boolean
  readonly transactionalId: string | undefined
  readonly transactionTimeoutMs: number
  readonly inFlightMax: number
  readonly retries: number
  readonly deliveryTimeoutMs: number
  readonly maxBlockMs: number
  readonly batchSize: number
  readonly lingerMs: number
  readonly bufferMemory: number
  readonly maxRequestSize: number
  readonly codec: number
  readonly level: number
}

const codecIds: Readonly<Record<CompressionName, number>> = {
  none: CodecId.uncompressed,
  gzip: CodecId.gzip,
  snappy: CodecId.snappy,
  lz4: CodecId.lz4,
  zstd: CodecId.zstd,
}

/** Kafka's compression.gzip.level, compression.lz4.level, compression.zstd.level. KIP-390. */
const defaultLevels: Readonly<Record<CompressionName, number>> = {
  none: 0,
  gzip: -1,
  snappy: 0,
  lz4: 9,
  zstd: 3,
}

/** Fills in the defaults. Throws TypeError where settings contradict each other. */
export function resolveProducerSettings<K, V>(
  options: ProducerSettings<K, V>,
  requestTimeoutMs: number,
): ResolvedProducerSettings {
  const acks = options.acks === undefined || options.acks === 'all' ? -1 : options.acks
  if (acks !== 0 && acks !== 1 && acks !== -1) throw new TypeError("acks is 0, 1 or 'all'")
  const inFlightMax = positive(options, 'maxInFlightRequestsPerConnection', 5)
  const fit = acks === -1 && inFlightMax <= 5
  if (options.enableIdempotence === true && !fit) {
    throw new TypeError(
      "enableIdempotence needs acks 'all' and at most 5 maxInFlightRequestsPerConnection",
    )
  }
  const idempotent = options.enableIdempotence ?? fit
  const { transactionalId, transactionTimeoutMs = 60_000 } = options
  if (transactionalId === '') throw new TypeError('transactionalId is not empty')
  if (transactionalId !== undefined && !idempotent) {
    throw new TypeError('transactionalId needs a producer that is idempotent')
  }
  const lingerMs = options.lingerMs ?? 0
  const deliveryTimeoutMs =
    options.deliveryTimeoutMs ?? Math.max(120_000, lingerMs + requestTimeoutMs)
  if (deliveryTimeoutMs < lingerMs + requestTimeoutMs) {
    throw new TypeError(
      'deliveryTimeoutMs has to be at least lingerMs and requestTimeoutMs together',
    )
  }
  const compression = options.compressionType ?? 'none'
  const codec = codecIds[compression]
  if (codec === undefined) throw new TypeError(`compressionType '${compression}' is not known`)
  const maxRequestSize = positive(options, 'maxRequestSize', 1024 * 1024)
  return {
    acks,
    idempotent,
    transactionalId,
    transactionTimeoutMs,
    inFlightMax,
    retries: options.retries ?? Infinity,
    deliveryTimeoutMs,
    maxBlockMs: options.maxBlockMs ?? 60_000,
    // A request holds at least one batch.
    batchSize: Math.min(maxRequestSize, positive(options, 'batchSize', 64 * 1024)),
    lingerMs,
    bufferMemory: positive(options, 'bufferMemory', 32 * 1024 * 1024),
    maxRequestSize,
    codec,
    level: options.compressionLevel ?? defaultLevels[compression],
  }
}

function positive<K, V>(
  options: ProducerSettings<K, V>,
  name: 'maxInFlightRequestsPerConnection' | 'batchSize' | 'bufferMemory' | 'maxRequestSize',
  otherwise: number,
): number {
  const value = options[name] ?? otherwise
  if (!Number.isInteger(value) || value < 1) throw new TypeError(`${name} is a positive integer`)
  return value
}

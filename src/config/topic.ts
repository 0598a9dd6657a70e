/** The settings of a topic: Kafka's 33, all changeable while the broker runs. */
import {
  boolean,
  type ConfigValue,
  double,
  int,
  LONG_MAX,
  list,
  long,
  string,
  type Values,
} from './define.ts'

const compressionTypes = ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'] as const

/** A gzip level, or -1 for the codec's own. */
export function gzipLevel(value: ConfigValue): string | undefined {
  return value === 0 ? 'Value must be at least 1 or -1' : undefined
}

const cleaning = {
  'cleanup.policy': list({
    default: ['delete'],
    oneOf: ['compact', 'delete'],
    broker: 'log.cleanup.policy',
    doc: 'What happens to old segments: deleted, compacted by key, both, or neither when empty.',
  }),
  'file.delete.delay.ms': long({
    default: 60_000,
    min: 0,
    unit: 'ms',
    broker: 'log.segment.delete.delay.ms',
    doc: 'Time between dropping a segment and deleting its file.',
  }),
  'delete.retention.ms': long({
    default: 86_400_000,
    min: 0,
    unit: 'ms',
    broker: 'log.cleaner.delete.retention.ms',
    doc: 'How long tombstones and transaction markers stay in a compacted topic.',
  }),
  'max.compaction.lag.ms': long({
    default: LONG_MAX,
    min: 1,
    unit: 'ms',
    broker: 'log.cleaner.max.compaction.lag.ms',
    doc: 'Longest time that a record may stay out of compaction.',
  }),
  'min.cleanable.dirty.ratio': double({
    default: 0.5,
    min: 0,
    max: 1,
    broker: 'log.cleaner.min.cleanable.ratio',
    doc: 'Share of a log that must be uncompacted before compaction starts.',
  }),
  'min.compaction.lag.ms': long({
    default: 0,
    min: 0,
    unit: 'ms',
    broker: 'log.cleaner.min.compaction.lag.ms',
    doc: 'Shortest time that a record stays uncompacted.',
  }),
  'retention.bytes': long({
    default: -1,
    unit: 'bytes',
    broker: 'log.retention.bytes',
    doc: 'Size of a partition above which its oldest segments are deleted; -1 is no limit.',
  }),
  'retention.ms': long({
    default: 604_800_000,
    min: -1,
    unit: 'ms',
    broker: ['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'],
    doc: 'Age of a segment above which it is deleted; -1 is no limit.',
  }),
}

const compression = {
  'compression.gzip.level': int({
    default: -1,
    min: -1,
    max: 9,
    check: gzipLevel,
    broker: 'compression.gzip.level',
    doc: 'Level used when compression.type is gzip; -1 is the default of gzip.',
  }),
  'compression.lz4.level': int({
    default: 9,
    min: 1,
    max: 17,
    broker: 'compression.lz4.level',
    doc: 'Level used when compression.type is lz4.',
  }),
  'compression.type': string({
    default: 'producer',
    oneOf: compressionTypes,
    broker: 'compression.type',
    doc: 'Codec in which batches are stored; producer keeps the one that they came in.',
  }),
  'compression.zstd.level': int({
    default: 3,
    min: -131_072,
    max: 22,
    broker: 'compression.zstd.level',
    doc: 'Level used when compression.type is zstd.',
  }),
}

const records = {
  'max.message.bytes': int({
    default: 1_048_588,
    min: 0,
    unit: 'bytes',
    broker: 'message.max.bytes',
    doc: 'Largest batch, as compressed by the producer, that is accepted.',
  }),
  'message.timestamp.after.max.ms': long({
    default: 3_600_000,
    min: 0,
    unit: 'ms',
    broker: 'log.message.timestamp.after.max.ms',
    doc: 'How far a record timestamp may be ahead of the broker clock.',
  }),
  'message.timestamp.before.max.ms': long({
    default: LONG_MAX,
    min: 0,
    unit: 'ms',
    broker: 'log.message.timestamp.before.max.ms',
    doc: 'How far a record timestamp may be behind the broker clock.',
  }),
  'message.timestamp.type': string({
    default: 'CreateTime',
    oneOf: ['CreateTime', 'LogAppendTime'],
    broker: 'log.message.timestamp.type',
    doc: 'Whether records keep the time of the producer or get the time of the append.',
  }),
  'min.insync.replicas': int({
    default: 1,
    min: 1,
    broker: 'min.insync.replicas',
    effect: 'none',
    doc: 'Replicas that must be in sync for acks=all; as in Kafka, one replica is always enough.',
  }),
}

const segments = {
  'flush.messages': long({
    default: LONG_MAX,
    min: 1,
    broker: 'log.flush.interval.messages',
    doc: 'Number of records after which a log is forced to disk.',
  }),
  'flush.ms': long({
    default: LONG_MAX,
    min: 0,
    unit: 'ms',
    broker: ['log.flush.interval.ms', 'log.flush.scheduler.interval.ms'],
    doc: 'Time after which records are forced to disk.',
  }),
  'index.interval.bytes': int({
    default: 4096,
    min: 0,
    unit: 'bytes',
    broker: 'log.index.interval.bytes',
    effect: 'none',
    doc: 'Bytes of log between two index entries of Kafka; the index here has its own distance.',
  }),
  'segment.bytes': int({
    default: 1_073_741_824,
    min: 1_048_576,
    unit: 'bytes',
    broker: 'log.segment.bytes',
    doc: 'Size at which a new segment file is started.',
  }),
  'segment.jitter.ms': long({
    default: 0,
    min: 0,
    unit: 'ms',
    broker: ['log.roll.jitter.ms', 'log.roll.jitter.hours'],
    doc: 'Largest random time taken off segment.ms, so that segments do not roll all at once.',
  }),
  'segment.ms': long({
    default: 604_800_000,
    min: 1,
    unit: 'ms',
    broker: ['log.roll.ms', 'log.roll.hours'],
    doc: 'Age at which a new segment file is started.',
  }),
}

const remoteStorage = {
  'local.retention.bytes': long({
    default: -2,
    min: -2,
    unit: 'bytes',
    broker: 'log.local.retention.bytes',
    effect: 'none',
    doc: 'Local size limit of a tiered topic; there is no tiered storage here.',
  }),
  'local.retention.ms': long({
    default: -2,
    min: -2,
    unit: 'ms',
    broker: 'log.local.retention.ms',
    effect: 'none',
    doc: 'Local age limit of a tiered topic; there is no tiered storage here.',
  }),
  'remote.log.copy.disable': boolean({
    default: false,
    effect: 'none',
    doc: 'Stops copying to tiered storage; there is none here.',
  }),
  'remote.log.delete.on.disable': boolean({
    default: false,
    effect: 'none',
    doc: 'Deletes tiered data when tiering is switched off; there is none here.',
  }),
  'remote.storage.enable': boolean({
    default: false,
    doc: 'Tiered storage of the topic; true is refused, since there is none here.',
  }),
}

const replication = {
  'follower.replication.throttled.replicas': list({
    default: [],
    check: throttledReplicas,
    effect: 'none',
    doc: 'Replicas whose fetching is throttled; there is no replication here.',
  }),
  'leader.replication.throttled.replicas': list({
    default: [],
    check: throttledReplicas,
    effect: 'none',
    doc: 'Replicas whose serving is throttled; there is no replication here.',
  }),
  'unclean.leader.election.enable': boolean({
    default: false,
    broker: 'unclean.leader.election.enable',
    effect: 'none',
    doc: 'Whether a replica that lags may lead; a single replica always leads.',
  }),
}

const files = {
  preallocate: boolean({
    default: false,
    broker: 'log.preallocate',
    effect: 'none',
    doc: 'Reserves disk space for new segments; segments grow as they are written here.',
  }),
  'segment.index.bytes': int({
    default: 10_485_760,
    min: 4,
    unit: 'bytes',
    broker: 'log.index.size.max.bytes',
    effect: 'none',
    doc: 'Size of an index file; the index here is a database that grows as needed.',
  }),
}

/** All settings of a topic by name. */
export const topicConfigs = {
  ...cleaning,
  ...compression,
  ...records,
  ...segments,
  ...remoteStorage,
  ...replication,
  ...files,
}

/** Settings that work but are neither described nor documented: Kafka has them for tests. */
export const internalTopicConfigs = {
  'internal.segment.bytes': int({
    default: null,
    min: 14,
    unit: 'bytes',
    doc: 'Overrides segment.bytes and its minimum.',
  }),
}

/**
 * The effective settings of one topic, frozen and shared by its partitions. `LONG_MAX` is no limit.
 * `segment.bytes` already has `internal.segment.bytes` in it.
 */
export type TopicConfig = Values<typeof topicConfigs>

function throttledReplicas(value: ConfigValue): string | undefined {
  const items = value as readonly string[]
  if (items.length === 1 && items[0] === '*') return undefined
  if (items.every((item) => /^\d+:\d+$/.test(item))) return undefined
  return "must be the literal '*' or a list of replicas: [partitionId]:[brokerId],…"
}

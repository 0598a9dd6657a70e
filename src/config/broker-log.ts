/** Broker settings of the log: its directory, and the defaults of the topic settings. */
import { boolean, type ConfigValue, double, int, list, long, notYet, short } from './define.ts'
import { topicConfigs } from './topic.ts'

/**
 * The broker's default of a topic setting: same kind and bounds, its own name. As topics may change
 * theirs at any time, so may the broker, and the topics without one of their own follow.
 */
function topicDefault<K extends keyof typeof topicConfigs>(name: K): (typeof topicConfigs)[K] {
  const setting = topicConfigs[name]
  const doc = `Default of ${name} for topics. ${setting.doc}`
  return { ...setting, broker: [], update: 'dynamic', doc }
}

export const directoryConfigs = {
  'log.dir': list({
    default: ['./odradek-data'],
    importance: 'high',
    doc: 'Directory of all data, used when log.dirs is not set.',
  }),
  'log.dirs': list<string, readonly string[] | null>({
    default: null,
    importance: 'high',
    doc: 'Directory of all data; exactly one.',
  }),
}

export const retentionConfigs = {
  'log.cleanup.policy': topicDefault('cleanup.policy'),
  'log.cleaner.delete.retention.ms': topicDefault('delete.retention.ms'),
  'log.cleaner.max.compaction.lag.ms': topicDefault('max.compaction.lag.ms'),
  'log.cleaner.min.cleanable.ratio': topicDefault('min.cleanable.dirty.ratio'),
  'log.cleaner.min.compaction.lag.ms': topicDefault('min.compaction.lag.ms'),
  'log.retention.bytes': topicDefault('retention.bytes'),
  'log.retention.check.interval.ms': long({
    default: 300_000,
    min: 1,
    unit: 'ms',
    doc: 'Time between two looks for segments to delete.',
  }),
  'log.retention.hours': int({
    default: 168,
    unit: 'hours',
    importance: 'high',
    check: retentionFault,
    doc: 'Default of retention.ms for topics, in hours, below the minutes and the milliseconds.',
  }),
  'log.retention.minutes': int<number | null>({
    default: null,
    unit: 'minutes',
    importance: 'high',
    check: retentionFault,
    doc: 'Default of retention.ms for topics, in minutes, below the milliseconds.',
  }),
  'log.retention.ms': long<number | null>({
    default: null,
    unit: 'ms',
    update: 'dynamic',
    importance: 'high',
    check: retentionFault,
    doc: 'Default of retention.ms for topics; -1 is no limit.',
  }),
  'log.segment.delete.delay.ms': topicDefault('file.delete.delay.ms'),
}

/** Compaction as a whole; what topics want of it stands in their settings. */
export const compactionConfigs = {
  'log.cleaner.backoff.ms': long({
    default: 15_000,
    min: 0,
    unit: 'ms',
    update: 'dynamic',
    doc: 'Time between two looks for partitions to compact when there was none.',
  }),
  'log.cleaner.dedupe.buffer.size': long({
    default: 134_217_728,
    unit: 'bytes',
    update: 'dynamic',
    doc: 'Memory for the keys of a round, 24 bytes each, shared by the threads that hold partitions.',
  }),
  'log.cleaner.enable': boolean({
    default: true,
    doc: 'Whether topics with the cleanup policy compact are compacted.',
  }),
  'log.cleaner.io.buffer.load.factor': double({
    default: 0.9,
    update: 'dynamic',
    doc: 'How full the memory for keys may become before a round ends early and another follows.',
  }),
  'log.cleaner.io.buffer.size': int({
    default: 524_288,
    min: 0,
    unit: 'bytes',
    update: 'dynamic',
    doc: 'Memory in which a compaction reads and writes, half of it for each.',
  }),
  'log.cleaner.io.max.bytes.per.second': double({
    default: Number.MAX_VALUE,
    update: 'dynamic',
    doc: 'Most bytes a second that one compaction reads and writes, both together.',
  }),
  'log.cleaner.threads': int({
    default: 1,
    min: 0,
    doc: 'Threads that compact, and partitions of one thread that are compacted at once.',
  }),
}

export const recordConfigs = {
  'compression.gzip.level': topicDefault('compression.gzip.level'),
  'compression.lz4.level': topicDefault('compression.lz4.level'),
  'compression.type': topicDefault('compression.type'),
  'compression.zstd.level': topicDefault('compression.zstd.level'),
  'log.message.timestamp.after.max.ms': topicDefault('message.timestamp.after.max.ms'),
  'log.message.timestamp.before.max.ms': topicDefault('message.timestamp.before.max.ms'),
  'log.message.timestamp.type': topicDefault('message.timestamp.type'),
  'message.max.bytes': topicDefault('max.message.bytes'),
  'min.insync.replicas': topicDefault('min.insync.replicas'),
}

export const segmentConfigs = {
  'log.flush.interval.messages': topicDefault('flush.messages'),
  'log.flush.interval.ms': long<number | null>({
    default: null,
    min: 0,
    unit: 'ms',
    update: 'dynamic',
    doc: 'Default of flush.ms for topics; not set means log.flush.scheduler.interval.ms.',
  }),
  'log.flush.scheduler.interval.ms': long({
    default: topicConfigs['flush.ms'].default,
    min: 0,
    unit: 'ms',
    doc: 'Default of flush.ms for topics when log.flush.interval.ms is not set.',
  }),
  'log.index.interval.bytes': topicDefault('index.interval.bytes'),
  'log.index.size.max.bytes': topicDefault('segment.index.bytes'),
  'log.local.retention.bytes': topicDefault('local.retention.bytes'),
  'log.local.retention.ms': topicDefault('local.retention.ms'),
  'log.preallocate': topicDefault('preallocate'),
  'log.roll.hours': int({
    default: 168,
    min: 1,
    unit: 'hours',
    importance: 'high',
    doc: 'Default of segment.ms for topics, in hours, below the milliseconds.',
  }),
  'log.roll.jitter.hours': int({
    default: 0,
    min: 0,
    unit: 'hours',
    doc: 'Default of segment.jitter.ms for topics, in hours, below the milliseconds.',
  }),
  'log.roll.jitter.ms': long<number | null>({
    default: null,
    min: 0,
    unit: 'ms',
    update: 'dynamic',
    doc: 'Default of segment.jitter.ms for topics.',
  }),
  'log.roll.ms': long<number | null>({
    default: null,
    min: 1,
    unit: 'ms',
    update: 'dynamic',
    doc: 'Default of segment.ms for topics.',
  }),
  'log.segment.bytes': topicDefault('segment.bytes'),
  'unclean.leader.election.enable': topicDefault('unclean.leader.election.enable'),
}

/** Settings of the topics that the broker keeps for itself. */
export const internalTopicSettings = {
  ...notYet({
    'offsets.topic.compression.codec': int({
      default: 0,
      min: 0,
      max: 4,
      doc: 'Codec of __consumer_offsets by its number: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.',
    }),
  }),
  'offsets.topic.num.partitions': int({
    default: 50,
    min: 1,
    doc: 'Partitions of __consumer_offsets.',
  }),
  'offsets.topic.replication.factor': short({
    default: 1,
    min: 1,
    doc: 'Replicas of __consumer_offsets.',
  }),
  'offsets.topic.segment.bytes': int({
    default: 104_857_600,
    min: 1,
    unit: 'bytes',
    doc: 'Segment size of __consumer_offsets.',
  }),
  'share.coordinator.state.topic.num.partitions': int({
    default: 50,
    min: 1,
    doc: 'Partitions of __share_group_state.',
  }),
  'share.coordinator.state.topic.segment.bytes': int({
    default: 104_857_600,
    min: 1,
    unit: 'bytes',
    doc: 'Segment size of __share_group_state.',
  }),
  ...notYet({
    'transaction.state.log.min.isr': int({
      default: 1,
      min: 1,
      doc: 'min.insync.replicas of __transaction_state.',
    }),
  }),
  'transaction.state.log.num.partitions': int({
    default: 50,
    min: 1,
    doc: 'Partitions of __transaction_state.',
  }),
  'transaction.state.log.replication.factor': short({
    default: 1,
    min: 1,
    doc: 'Replicas of __transaction_state.',
  }),
  'transaction.state.log.segment.bytes': int({
    default: 104_857_600,
    min: 1,
    unit: 'bytes',
    doc: 'Segment size of __transaction_state.',
  }),
}

/** A topic may have records expire at once, the broker's default may not. */
function retentionFault(value: ConfigValue): string | undefined {
  return value === 0 ? 'Value must be unlimited (-1) or at least 1' : undefined
}

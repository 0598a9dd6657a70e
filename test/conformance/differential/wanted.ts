/** The differences from Kafka that we want, each with its reason. One that does not show fails. */
import type { Wanted } from './compare.ts'

const says = { path: /errorMessage$/, kafka: 'null', ours: '"a text"' }

/** Broker settings that Kafka was given, or that are where and who a broker is. */
const startedWith = [
  ...['advertised.listeners', 'listeners', 'listener.security.protocol.map', 'process.roles'],
  ...['inter.broker.listener.name', 'controller.listener.names', 'broker.id', 'node.id'],
  ...['controller.quorum.bootstrap.servers', 'log.dir', 'log.dirs'],
  ...['group.initial.rebalance.delay.ms', 'offsets.topic.replication.factor'],
  ...['share.coordinator.state.topic.min.isr', 'share.coordinator.state.topic.replication.factor'],
  ...['transaction.state.log.min.isr', 'transaction.state.log.replication.factor'],
]

/** Where several fit, the first counts. */
export const wanted: readonly Wanted[] = [
  {
    api: /./,
    ...says,
    why: 'We say what is wrong where Kafka leaves the client with a number.',
  },
  {
    api: /^ApiVersions$/,
    path: /^answer\.apiKeys\[/,
    ours: 'absent',
    why: 'An API without a handler is not advertised.',
  },
  {
    api: /^ApiVersions$/,
    path: /^answer\.(supportedFeatures|finalizedFeatures)\[/,
    ours: 'absent',
    why: 'A feature without its behaviour is not advertised: clients act upon it.',
  },
  {
    api: /^Produce$/,
    scenario: /^null$/,
    why: 'Kafka throws a NullPointerException and never answers; null records are INVALID_RECORD.',
  },
  {
    api: /^Produce$/,
    scenario: /bytes? too many$|^batch length 49$/,
    why: 'Kafka drops bytes behind the batch or takes them for a damaged one; we refuse them.',
  },
  {
    api: /^Produce$/,
    scenario: /^batch length 2147483647$/,
    why: 'The length overflows in Kafka, which answers UNKNOWN_SERVER_ERROR.',
  },
  {
    api: /^Produce$/,
    scenario: /^transactional without a producer$/,
    why: 'Kafka appends it, though no marker can ever end that transaction.',
  },
  {
    api: /^Produce$/,
    scenario: /^garbage for codec|^a varint without end$/,
    path: /(errorCode|logStartOffset)$/,
    why: 'Kafka answers UNKNOWN_SERVER_ERROR for an exception; the bytes are at fault.',
  },
  {
    api: /^Produce$/,
    scenario: /: (a gap of offsets|an offset twice)$/,
    why: 'Kafka appends wrong offset deltas, or throws when they are compressed; we refuse them.',
  },
  {
    api: /^Produce$/,
    scenario: /^a key of length -2$/,
    why: 'Kafka takes any negative length for null; consumers of other languages do not.',
  },
  {
    api: /^Produce$/,
    scenario: /^producer: epoch -1, /,
    why: 'A producer without an epoch cannot be fenced.',
  },
  {
    api: /^Produce$/,
    scenario: /^a (partition|topic) twice$/,
    why: 'Kafka drops all but the last entry without a word; we refuse them all.',
  },
  {
    api: /^Fetch$/,
    scenario:
      /^reading back: (a byte too many|transactional without a producer|plain: .*|a key of length -2|producer: epoch -1|requests, the (first|second))$/,
    why: 'What Kafka appended and we refused, as said above, is not there.',
  },
  {
    api: /^Fetch$/,
    scenario: /^reading back: gzipped$/,
    path: /crcOfBody$/,
    why: 'The bytes that a compressor makes are its own; the records are the same.',
  },
  {
    api: /^(Fetch|ListOffsets)$/,
    scenario: /^isolation level/,
    why: 'Kafka answers an unknown isolation level with UNKNOWN_SERVER_ERROR; we read all of it.',
  },
  {
    api: /^Fetch$/,
    scenario: /limit -1$/,
    why: 'Kafka answers a negative limit with UNKNOWN_SERVER_ERROR; to us it is 0.',
  },
  {
    api: /^Fetch$/,
    scenario: /^a limit for one of two$/,
    why: 'Kafka cuts a batch where the limit is, we before it: there is room for the next partition.',
  },
  {
    api: /^Fetch$/,
    scenario: /^a (partition|topic) twice$/,
    why: 'Kafka answers the last entry only; each one was asked.',
  },
  {
    api: /^Fetch$/,
    scenario: /^session: opening with nothing$/,
    path: /sessionId$/,
    why: 'A session without partitions takes the place of another and is good for nothing.',
  },
  {
    api: /^ListOffsets$/,
    scenario: /^special -3$/,
    path: /^answer\.topics\[filled\]\.partitions\[7\]/,
    sometimes: true,
    why: 'Kafka names a record that was deleted.',
  },
  {
    api: /^OffsetForLeaderEpoch$/,
    scenario: /^epoch -5/,
    why: 'Kafka takes -5 for an epoch before the first; there is none.',
  },
  {
    api: /^DescribeProducers$/,
    scenario: /^those of the scenarios$/,
    path: /activeProducers/,
    ours: 'absent',
    why: 'The producers without an epoch, which we refused.',
  },
  {
    api: /^DeleteRecords$/,
    scenario: /^a partition twice$/,
    why: 'Kafka does the last only; each one was asked.',
  },
  {
    api: /^DescribeLogDirs$/,
    path: /partitionSize$/,
    sometimes: true,
    why: 'We free the space of deleted records at once, Kafka after a while.',
  },
  {
    api: /^Metadata$/,
    scenario: /^a null name$/,
    why: 'Kafka throws and answers UNKNOWN_SERVER_ERROR; the request is at fault.',
  },
  {
    api: /^Metadata$/,
    scenario: /^an id and another name$/,
    why: 'Kafka forgets the names when there is an id.',
  },
  {
    api: /^Metadata$/,
    scenario: /^creation on first use$/,
    why: 'We answer with the new topic at once, Kafka with an error until it is there.',
  },
  {
    api: /^DescribeTopicPartitions$/,
    scenario: /^an impossible name$/,
    why: 'Kafka throws and answers UNKNOWN_SERVER_ERROR; the name is at fault.',
  },
  {
    api: /^DescribeQuorum$/,
    path: /replicaDirectoryId$|listeners\[CONTROLLER\]\.port$/,
    why: 'There is no controller apart: no listener and no directory of its own.',
  },
  {
    api: /^CreatePartitions$/,
    scenario: /^count 10\^6$/,
    path: /errorCode$/,
    why: 'Kafka builds a million partitions before it gives up with UNKNOWN_SERVER_ERROR.',
  },
  {
    api: /^(CreateTopics|DescribeConfigs)$/,
    path: /configs\[min\.insync\.replicas\]/,
    why: 'Kafka sets a dynamic default for eligible leader replicas, a feature that we lack.',
  },
  {
    api: /^DescribeConfigs$/,
    scenario: /^all of the broker$/,
    path: /readOnly$/,
    kafka: 'false',
    ours: 'true',
    why: 'A setting that is without effect so far, or is read at the start only, is read-only.',
  },
  {
    api: /^DescribeConfigs$/,
    scenario: /^all of the broker$/,
    path: /configs\[odradek\./,
    kafka: 'absent',
    why: 'Our own settings.',
  },
  {
    api: /^DescribeConfigs$/,
    scenario: /^all of the broker$/,
    path: new RegExp(`configs\\[(${startedWith.join('|')})\\]\\.(value|configSource)$`),
    why: 'The two were started with different settings.',
  },
  {
    api: /^DescribeConfigs$/,
    scenario: /^broker 01$/,
    why: 'A broker has one name.',
  },
  {
    api: /^AlterConfigs$/,
    scenario: /^a resource twice$/,
    why: 'Kafka throws and never answers; a resource that comes twice is INVALID_REQUEST.',
  },
  {
    api: /^IncrementalAlterConfigs$/,
    scenario: /^no number$/,
    path: /errorCode$/,
    why: 'Kafka takes NaN for a ratio between 0 and 1.',
  },
  {
    api: /^IncrementalAlterConfigs$/,
    scenario: /^(no such key|a key of topics)$/,
    path: /errorCode$/,
    why: 'Kafka stores any name for a broker; a misspelt setting would have no effect.',
  },
  {
    api: /./,
    scenario: /^a (negative|huge) count at the start$/,
    path: /^kind$/,
    kafka: '"answer"',
    ours: '"closed"',
    why: 'Kafka takes any negative length for null; to us it is a request that is not one.',
  },
  {
    api: /./,
    scenario: /^a (negative|huge) count at the start$/,
    path: /^answer$/,
    ours: 'absent',
    why: 'The same.',
  },
  {
    api: /^ShareFetch$/,
    scenario: /^a mode that is none$/,
    why: 'Kafka fails when it comes to use it, with UNKNOWN_SERVER_ERROR; we refuse it at once.',
  },
]

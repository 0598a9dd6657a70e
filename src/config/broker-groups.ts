/** Broker settings of groups, committed offsets, producers and transactions. */
import { INT_MAX, int, list, long, notYet, string } from './define.ts'

/** Milliseconds. */
const ms = (value: number, min: number, doc: string) =>
  int({ default: value, min, unit: 'ms', doc })

/** Milliseconds that may change while the broker runs. */
const liveMs = (value: number, min: number, doc: string) =>
  int({ default: value, min, unit: 'ms', update: 'dynamic', doc })

/** A number between bounds. */
const count = (value: number, min: number, max: number, doc: string) =>
  int({ default: value, min, max, doc })

export const classicGroupConfigs = {
  'group.initial.rebalance.delay.ms': ms(
    0,
    0,
    'How long an empty classic group waits for more members before its first rebalance.',
  ),
  'group.max.session.timeout.ms': ms(1_800_000, 0, 'Longest session timeout of a classic member.'),
  'group.max.size': count(INT_MAX, 1, INT_MAX, 'Most members of a classic group.'),
  'group.min.session.timeout.ms': ms(6000, 0, 'Shortest session timeout of a classic member.'),
}

export const offsetConfigs = {
  'offset.metadata.max.bytes': int({
    default: 4096,
    min: 0,
    unit: 'bytes',
    doc: 'Longest metadata text of a committed offset.',
  }),
  'offsets.retention.check.interval.ms': long({
    default: 600_000,
    min: 1,
    unit: 'ms',
    doc: 'Time between two looks for expired offsets.',
  }),
  'offsets.retention.minutes': int({
    default: 10_080,
    min: 1,
    unit: 'minutes',
    doc: 'How long offsets of a group without members are kept.',
  }),
  ...notYet({
    'offsets.commit.timeout.ms': ms(
      5000,
      1,
      'How long a commit waits for its record to be stored.',
    ),
  }),
}

export const producerConfigs = {
  'producer.id.expiration.ms': liveMs(
    86_400_000,
    1,
    'How long the sequence of an idle producer is remembered.',
  ),
  'transaction.max.timeout.ms': ms(900_000, 1, 'Longest timeout that a transaction may ask for.'),
  'add.partitions.to.txn.retry.backoff.max.ms': ms(
    100,
    0,
    'How long the first record of a transaction waits for the end of the one before.',
  ),
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': ms(
    10_000,
    1,
    'Time between two looks for transactions to abort.',
  ),
  'transaction.remove.expired.transaction.cleanup.interval.ms': ms(
    3_600_000,
    1,
    'Time between two looks for expired transactional ids.',
  ),
  'transactional.id.expiration.ms': ms(
    604_800_000,
    1,
    'How long an idle transactional id is remembered.',
  ),
}

export const consumerGroupConfigs = {
  'group.consumer.assignment.interval.ms': liveMs(
    1000,
    0,
    'Shortest time between two assignments of a consumer group.',
  ),
  'group.consumer.assignors': list({
    default: ['uniform', 'range'],
    oneOf: ['uniform', 'range'],
    doc: 'Assignors of a consumer group; the first is the default.',
  }),
  'group.consumer.heartbeat.interval.ms': ms(
    5000,
    1,
    'Heartbeat interval told to members of a consumer group.',
  ),
  'group.consumer.max.assignment.interval.ms': ms(
    15_000,
    0,
    'Largest assignment interval of a consumer group.',
  ),
  'group.consumer.max.heartbeat.interval.ms': ms(
    15_000,
    1,
    'Largest heartbeat interval of a consumer group.',
  ),
  'group.consumer.max.session.timeout.ms': ms(
    60_000,
    1,
    'Largest session timeout of a consumer group.',
  ),
  'group.consumer.max.size': count(INT_MAX, 1, INT_MAX, 'Most members of a consumer group.'),
  'group.consumer.migration.policy': string({
    default: 'bidirectional',
    check: migrationPolicyFault,
    doc: 'Which way groups may change between the classic and the consumer protocol.',
  }),
  'group.consumer.min.assignment.interval.ms': ms(
    0,
    0,
    'Smallest assignment interval of a consumer group.',
  ),
  'group.consumer.min.heartbeat.interval.ms': ms(
    5000,
    1,
    'Smallest heartbeat interval of a consumer group.',
  ),
  'group.consumer.min.session.timeout.ms': ms(
    45_000,
    1,
    'Smallest session timeout of a consumer group.',
  ),
  'group.consumer.session.timeout.ms': ms(
    45_000,
    1,
    'Session timeout of members of a consumer group.',
  ),
  'group.coordinator.rebalance.protocols': list({
    default: ['classic', 'consumer', 'streams'],
    oneOf: ['consumer', 'classic', 'share', 'streams'],
    doc: 'Protocols that groups may use.',
  }),
}

export const shareGroupConfigs = {
  'group.share.assignment.interval.ms': liveMs(
    1000,
    0,
    'Shortest time between two assignments of a share group.',
  ),
  'group.share.assignors': list({
    default: ['simple'],
    oneOf: ['simple'],
    doc: 'Assignors of a share group.',
  }),
  'group.share.delivery.count.limit': count(
    5,
    2,
    10,
    'Most deliveries of one record in a share group.',
  ),
  'group.share.heartbeat.interval.ms': ms(
    5000,
    1,
    'Heartbeat interval told to members of a share group.',
  ),
  'group.share.max.assignment.interval.ms': ms(
    15_000,
    0,
    'Largest assignment interval of a share group.',
  ),
  'group.share.max.delivery.count.limit': count(
    10,
    5,
    25,
    'Largest delivery limit of a share group.',
  ),
  'group.share.max.heartbeat.interval.ms': ms(
    15_000,
    1,
    'Largest heartbeat interval of a share group.',
  ),
  'group.share.max.partition.max.record.locks': count(
    4000,
    2000,
    10_000,
    'Largest lock limit of a share group.',
  ),
  'group.share.max.record.lock.duration.ms': count(
    60_000,
    30_000,
    3_600_000,
    'Longest lock of a record in a share group.',
  ),
  'group.share.max.session.timeout.ms': ms(60_000, 1, 'Largest session timeout of a share group.'),
  'group.share.max.share.sessions': count(2000, 1, INT_MAX, 'Most share sessions at once.'),
  'group.share.max.size': count(200, 1, 1000, 'Most members of a share group.'),
  'group.share.min.assignment.interval.ms': ms(
    0,
    0,
    'Smallest assignment interval of a share group.',
  ),
  'group.share.min.delivery.count.limit': count(
    2,
    2,
    5,
    'Smallest delivery limit of a share group.',
  ),
  'group.share.min.heartbeat.interval.ms': ms(
    5000,
    1,
    'Smallest heartbeat interval of a share group.',
  ),
  'group.share.min.partition.max.record.locks': count(
    100,
    100,
    2000,
    'Smallest lock limit of a share group.',
  ),
  'group.share.min.record.lock.duration.ms': count(
    15_000,
    1000,
    30_000,
    'Shortest lock of a record in a share group.',
  ),
  'group.share.min.session.timeout.ms': ms(45_000, 1, 'Smallest session timeout of a share group.'),
  'group.share.partition.max.record.locks': count(
    2000,
    100,
    10_000,
    'Most locked records of a share partition.',
  ),
  'group.share.record.lock.duration.ms': count(
    30_000,
    1000,
    3_600_000,
    'How long a delivered record stays locked.',
  ),
  'group.share.session.timeout.ms': ms(45_000, 1, 'Session timeout of members of a share group.'),
  'share.coordinator.snapshot.update.records.per.snapshot': count(
    500,
    0,
    500,
    'Changes of a share partition that are logged before its whole state is logged again.',
  ),
}

export const streamsGroupConfigs = {
  'group.streams.assignment.interval.ms': liveMs(
    1000,
    0,
    'Shortest time between two assignments of a streams group.',
  ),
  'group.streams.heartbeat.interval.ms': ms(
    5000,
    1,
    'Heartbeat interval told to members of a streams group.',
  ),
  'group.streams.initial.rebalance.delay.ms': ms(
    3000,
    0,
    'How long a new streams group waits for more members.',
  ),
  'group.streams.max.assignment.interval.ms': ms(
    15_000,
    0,
    'Largest assignment interval of a streams group.',
  ),
  'group.streams.max.heartbeat.interval.ms': ms(
    15_000,
    1,
    'Largest heartbeat interval of a streams group.',
  ),
  'group.streams.max.session.timeout.ms': ms(
    60_000,
    1,
    'Largest session timeout of a streams group.',
  ),
  'group.streams.max.size': count(INT_MAX, 1, INT_MAX, 'Most members of a streams group.'),
  'group.streams.max.standby.replicas': count(
    2,
    0,
    INT_MAX,
    'Most standby replicas of a streams task.',
  ),
  'group.streams.min.assignment.interval.ms': ms(
    0,
    0,
    'Smallest assignment interval of a streams group.',
  ),
  'group.streams.min.heartbeat.interval.ms': ms(
    5000,
    1,
    'Smallest heartbeat interval of a streams group.',
  ),
  'group.streams.min.session.timeout.ms': ms(
    45_000,
    1,
    'Smallest session timeout of a streams group.',
  ),
  'group.streams.num.standby.replicas': count(0, 0, INT_MAX, 'Standby replicas of a streams task.'),
  'group.streams.session.timeout.ms': ms(
    45_000,
    1,
    'Session timeout of members of a streams group.',
  ),
}

const migrationPolicies = ['disabled', 'downgrade', 'upgrade', 'bidirectional']

function migrationPolicyFault(value: unknown): string | undefined {
  if (migrationPolicies.includes(String(value).toLowerCase())) return undefined
  return `String must be one of (case insensitive): ${migrationPolicies.join(', ')}`
}

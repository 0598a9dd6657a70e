/** The settings of a group: Kafka's 17 (KIP-848, KIP-932, KIP-1071). */
import { boolean, type ConfigValue, int, string, type Values } from './define.ts'

/** The broker setting `group.<name>` gives the default and, with `min.` or `max.`, the bounds. */
const ms = (value: number, min: number, doc: string) =>
  int({ default: value, min, unit: 'ms', doc })

const count = (value: number, min: number, doc: string) => int({ default: value, min, doc })

/** All settings of a group by name. */
export const groupConfigs = {
  'consumer.assignment.interval.ms': ms(1000, 0, 'Shortest time between two assignments.'),
  'consumer.heartbeat.interval.ms': ms(5000, 1, 'Heartbeat interval told to consumers.'),
  'consumer.session.timeout.ms': ms(45_000, 1, 'A consumer silent for this long is removed.'),
  'share.assignment.interval.ms': ms(1000, 0, 'Shortest time between two assignments.'),
  'share.auto.offset.reset': string({
    default: 'latest',
    check: offsetResetFault,
    doc: 'Where a share group starts: latest, earliest, or by_duration: and an ISO 8601 duration.',
  }),
  'share.delivery.count.limit': count(5, 2, 'Most deliveries of one record.'),
  'share.heartbeat.interval.ms': ms(5000, 1, 'Heartbeat interval told to share consumers.'),
  'share.isolation.level': string({
    default: 'read_uncommitted',
    oneOf: ['read_committed', 'read_uncommitted'],
    doc: 'Whether records of open and aborted transactions are delivered.',
  }),
  'share.partition.max.record.locks': count(2000, 100, 'Most locked records of a partition.'),
  'share.record.lock.duration.ms': ms(30_000, 1000, 'How long a delivered record stays locked.'),
  'share.renew.acknowledge.enable': boolean({
    default: true,
    doc: 'Whether a consumer may renew the lock of a record.',
  }),
  'share.session.timeout.ms': ms(45_000, 1, 'A share consumer silent for this long is removed.'),
  'streams.assignment.interval.ms': ms(1000, 0, 'Shortest time between two assignments.'),
  'streams.heartbeat.interval.ms': ms(5000, 1, 'Heartbeat interval told to streams members.'),
  'streams.initial.rebalance.delay.ms': ms(3000, 0, 'How long a new group waits for more members.'),
  'streams.num.standby.replicas': count(0, 0, 'Standby replicas of a task.'),
  'streams.session.timeout.ms': ms(45_000, 1, 'A streams member silent for this long is removed.'),
}

/** The effective settings of one group, frozen. */
export type GroupConfig = Values<typeof groupConfigs>

const duration =
  /^by_duration:P(?=.)(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i

/** How far back a group begins with `by_duration:`; 0 for the other values. */
export function resetDurationMs(reset: string): number {
  const [, days = 0, hours = 0, minutes = 0, seconds = 0] = duration.exec(reset) ?? []
  const wholeMinutes = (Number(days) * 24 + Number(hours)) * 60 + Number(minutes)
  return Math.round((wholeMinutes * 60 + Number(seconds)) * 1000)
}

function offsetResetFault(value: ConfigValue): string | undefined {
  const text = String(value)
  if (text === 'latest' || text === 'earliest' || duration.test(text)) return undefined
  return 'Must be latest, earliest or by_duration:PnDTnHnMn.nS'
}

/**
 * All settings of the broker. Those with an effect are typed, the others are known, reported and
 * warned about.
 */
import {
  classicGroupConfigs,
  consumerGroupConfigs,
  offsetConfigs,
  producerConfigs,
  shareGroupConfigs,
  streamsGroupConfigs,
} from './broker-groups.ts'
import { inertConfigs } from './broker-inert.ts'
import {
  compactionConfigs,
  directoryConfigs,
  internalTopicSettings,
  recordConfigs,
  retentionConfigs,
  segmentConfigs,
} from './broker-log.ts'
import {
  connectionConfigs,
  identityConfigs,
  listenerConfigs,
  odradekConfigs,
  requestConfigs,
  topicCreationConfigs,
} from './broker-network.ts'
import type { ConfigText, Setting, Values } from './define.ts'

/** The chapters of the reference, in its order. */
export const brokerChapters = {
  Identity: identityConfigs,
  Listeners: listenerConfigs,
  Data: directoryConfigs,
  'Threads and limits': odradekConfigs,
  Topics: topicCreationConfigs,
  Connections: connectionConfigs,
  Requests: requestConfigs,
  Records: recordConfigs,
  Segments: segmentConfigs,
  Retention: retentionConfigs,
  Compaction: compactionConfigs,
  'Internal topics': internalTopicSettings,
  Offsets: offsetConfigs,
  'Classic groups': classicGroupConfigs,
  'Consumer groups': consumerGroupConfigs,
  'Share groups': shareGroupConfigs,
  'Streams groups': streamsGroupConfigs,
  'Producers and transactions': producerConfigs,
} as const

/** The settings with an effect, and the broker's names of those that topics know. */
export const brokerConfigs = {
  ...identityConfigs,
  ...listenerConfigs,
  ...directoryConfigs,
  ...odradekConfigs,
  ...topicCreationConfigs,
  ...connectionConfigs,
  ...requestConfigs,
  ...recordConfigs,
  ...segmentConfigs,
  ...retentionConfigs,
  ...compactionConfigs,
  ...internalTopicSettings,
  ...offsetConfigs,
  ...classicGroupConfigs,
  ...consumerGroupConfigs,
  ...shareGroupConfigs,
  ...streamsGroupConfigs,
  ...producerConfigs,
}

let everySetting: ReadonlyMap<string, Setting> | undefined

/** Every setting of the broker by name, in the order of the names. */
export function allBrokerConfigs(): ReadonlyMap<string, Setting> {
  everySetting ??= new Map(
    [...Object.entries<Setting>(brokerConfigs), ...inertConfigs()].sort(([a], [b]) =>
      a < b ? -1 : 1,
    ),
  )
  return everySetting
}

/** The setting of that name; undefined if there is none. */
export function brokerSetting(name: string): Setting | undefined {
  if (!Object.hasOwn(brokerConfigs, name)) return inertConfigs().get(name)
  return brokerConfigs[name as keyof typeof brokerConfigs]
}

/** What was set for the broker, by where it was set. */
export interface BrokerLayers {
  /** Command line, environment and file together. */
  readonly static: ConfigText
  /** By AlterConfigs for all brokers: resource name "". */
  readonly dynamicDefault: ConfigText
  /** By AlterConfigs for this broker. */
  readonly dynamicBroker: ConfigText
}

/**
 * The effective settings of the broker, frozen, as plain values that may cross threads. `layers`
 * is what they were computed from (for DescribeConfigs and the next change).
 */
export type BrokerConfig = Values<typeof brokerConfigs> & { readonly layers: BrokerLayers }

/** Whether what was set makes sense: names, values, and settings that contradict each other. */
import { nearest } from '../base/nearest.ts'
import { allBrokerConfigs, type BrokerConfig, type BrokerLayers, brokerSetting } from './broker.ts'
import type { ConfigText, Setting } from './define.ts'
import { brokerValue, effectiveBroker, effectiveGroup, effectiveTopic } from './effective.ts'
import { type GroupConfig, groupConfigs } from './group.ts'
import { parseListeners, parseProtocolMap } from './listeners.ts'
import { invalidValue, parseValue } from './parse.ts'
import { internalTopicConfigs, type TopicConfig, topicConfigs } from './topic.ts'

/** The setting of a topic, also an internal one; undefined if there is none of that name. */
export function topicSetting(name: string): Setting | undefined {
  return own(topicConfigs, name) ?? own(internalTopicConfigs, name)
}

/** The setting of a group; undefined if there is none of that name. */
export function groupSetting(name: string): Setting | undefined {
  return own(groupConfigs, name)
}

/** What is wrong with the settings of a topic as a whole: one sentence, or undefined. */
export function topicFault(overrides: ConfigText, defaults: TopicConfig): string | undefined {
  const fault = faultOfEach(overrides, 'topic', topicSetting, Object.keys(topicConfigs))
  if (fault !== undefined) return fault
  const config = effectiveTopic(overrides, defaults)
  if (config['remote.storage.enable']) {
    return 'Tiered Storage functionality is disabled in the broker: remote.storage.enable is false'
  }
  const [low, high] = ['min.compaction.lag.ms', 'max.compaction.lag.ms'] as const
  if (config[low] <= config[high]) return undefined
  return `conflict topic config setting ${low} (${config[low]}) > ${high} (${config[high]})`
}

/** What is wrong with the settings of a group in the broker's bounds: a sentence, or undefined. */
export function groupFault(
  overrides: ConfigText,
  defaults: GroupConfig,
  broker: BrokerConfig,
): string | undefined {
  const fault = faultOfEach(overrides, 'group', groupSetting, Object.keys(groupConfigs))
  if (fault !== undefined) return fault
  const config = effectiveGroup(overrides, defaults) as Readonly<Record<string, unknown>>
  for (const name of overrides.keys()) {
    const outside = outsideBounds(name, config[name], broker)
    if (outside !== undefined) return outside
  }
  for (const kind of ['consumer', 'share', 'streams']) {
    const [session, heartbeat] = [`${kind}.session.timeout.ms`, `${kind}.heartbeat.interval.ms`]
    if (Number(config[session]) <= Number(config[heartbeat])) {
      return `${session} must be greater than ${heartbeat}`
    }
  }
  return undefined
}

/** What start-up says about the broker's settings. `faults` stop it, the others are warnings. */
export interface BrokerReport {
  readonly faults: readonly string[]
  readonly unknown: readonly { readonly name: string; readonly nearest: string | undefined }[]
  /** Known, set, and without effect here. */
  readonly inert: readonly string[]
}

/** Checks every layer and the values that follow from them. */
export function checkBroker(layers: BrokerLayers): BrokerReport {
  const faults: string[] = []
  const unknown: { name: string; nearest: string | undefined }[] = []
  const inert: string[] = []
  for (const layer of [layers.static, layers.dynamicDefault, layers.dynamicBroker]) {
    for (const [name, text] of layer) {
      const setting = brokerSetting(name)
      if (!setting) {
        unknown.push({ name, nearest: nearest(name, allBrokerConfigs().keys()) })
        continue
      }
      const parsed = parseValue(setting, text)
      if (!parsed.ok) faults.push(invalidValue(name, text, parsed.fault))
      else if (setting.effect === 'none') inert.push(name)
    }
  }
  if (faults.length === 0) faults.push(...contradictions(effectiveBroker(layers)))
  return { faults, unknown, inert }
}

function contradictions(config: BrokerConfig): string[] {
  return [...orderFaults(config), ...listenerFaults(config), ...directoryFaults(config)]
}

/** Pairs of settings of which the first must not be above the second. */
const orders: readonly (readonly [keyof BrokerConfig & string, keyof BrokerConfig & string])[] = [
  ['group.min.session.timeout.ms', 'group.max.session.timeout.ms'],
  ['log.cleaner.min.compaction.lag.ms', 'log.cleaner.max.compaction.lag.ms'],
  ...bounded('group.consumer.', 'session.timeout.ms', 'heartbeat.interval.ms'),
  ...bounded('group.consumer.', 'assignment.interval.ms'),
  ...bounded('group.share.', 'session.timeout.ms', 'heartbeat.interval.ms'),
  ...bounded('group.share.', 'assignment.interval.ms', 'record.lock.duration.ms'),
  ...bounded('group.share.', 'delivery.count.limit', 'partition.max.record.locks'),
  ...bounded('group.streams.', 'session.timeout.ms', 'heartbeat.interval.ms'),
  ...bounded('group.streams.', 'assignment.interval.ms'),
  ['group.streams.num.standby.replicas', 'group.streams.max.standby.replicas'],
]

function bounded(prefix: string, ...names: string[]) {
  type Name = keyof BrokerConfig & string
  return names.flatMap((name): [Name, Name][] => [
    [`${prefix}min.${name}` as Name, `${prefix}${name}` as Name],
    [`${prefix}${name}` as Name, `${prefix}max.${name}` as Name],
  ])
}

function* orderFaults(config: BrokerConfig): Generator<string> {
  for (const [low, high] of orders) {
    if (Number(config[low]) > Number(config[high])) {
      yield `${low} (${config[low]}) must be less than or equal to ${high} (${config[high]})`
    }
  }
  for (const kind of ['consumer', 'share', 'streams'] as const) {
    const session = `group.${kind}.session.timeout.ms` as const
    const heartbeat = `group.${kind}.heartbeat.interval.ms` as const
    if (config[session] <= config[heartbeat]) yield `${session} must be greater than ${heartbeat}`
  }
}

function* listenerFaults(config: BrokerConfig): Generator<string> {
  const protocols = parseProtocolMap(config['listener.security.protocol.map'])
  const controllers = config['controller.listener.names'].map((name) => name.toUpperCase())
  const listeners = parseListeners(config.listeners).filter(
    ({ name }) => !controllers.includes(name),
  )
  if (listeners.length === 0) yield 'listeners must have one that is not a controller listener'
  for (const { name } of listeners) {
    const protocol = protocols.get(name)
    if (protocol === undefined) yield `Listener ${name} is not in listener.security.protocol.map`
    else if (protocol !== 'PLAINTEXT') {
      yield `Listener ${name} asks for ${protocol}, but only PLAINTEXT is served`
    }
  }
  for (const { name } of parseListeners(config['advertised.listeners'] ?? [])) {
    if (!listeners.some((listener) => listener.name === name) && !controllers.includes(name)) {
      yield `advertised.listeners names ${name}, which is not in listeners`
    }
  }
}

function* directoryFaults(config: BrokerConfig): Generator<string> {
  const name = config['log.dirs'] ? 'log.dirs' : 'log.dir'
  const directories = config[name] ?? []
  if (directories.length !== 1 || directories[0] === '') {
    yield invalidValue(name, directories.join(','), 'There must be exactly one directory')
  }
}

function outsideBounds(name: string, value: unknown, broker: BrokerConfig): string | undefined {
  if (typeof value !== 'number') return undefined
  const [kind = '', ...rest] = name.split('.')
  const [min, max] = ['min', 'max'].map((end) => `group.${kind}.${end}.${rest.join('.')}`)
  // The one bound that Kafka names without "num".
  const ceiling =
    name === 'streams.num.standby.replicas' ? 'group.streams.max.standby.replicas' : max
  const low = brokerValue(broker, min ?? '')
  if (low !== null && value < Number(low)) return `${name} must be greater than or equal to ${min}`
  const high = brokerValue(broker, ceiling ?? '')
  if (high === null || value <= Number(high)) return undefined
  return `${name} must be less than or equal to ${ceiling}`
}

function faultOfEach(
  texts: ConfigText,
  kind: string,
  settingOf: (name: string) => Setting | undefined,
  names: readonly string[],
): string | undefined {
  for (const [name, text] of texts) {
    const setting = settingOf(name)
    if (!setting) {
      const guess = nearest(name, names)
      const hint = guess === undefined ? '' : `; did you mean ${guess}?`
      return `Unknown ${kind} config name: ${name}${hint}`
    }
    const parsed = parseValue(setting, text)
    if (!parsed.ok) return invalidValue(name, text, parsed.fault)
  }
  return undefined
}

/** A table's own entry: a name from the network may be that of something inherited. */
function own(table: Readonly<Record<string, Setting>>, name: string): Setting | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}

/** From what was set, in layers, to the values that hold. */
import { type BrokerConfig, type BrokerLayers, brokerConfigs, brokerSetting } from './broker.ts'
import { inertConfigs } from './broker-inert.ts'
import type { ConfigText, ConfigValue, Setting } from './define.ts'
import { type GroupConfig, groupConfigs } from './group.ts'
import { parseValue } from './parse.ts'
import { internalTopicConfigs, type TopicConfig, topicConfigs } from './topic.ts'

/** The layers of a broker that was only given static settings. */
export function staticLayers(
  texts: ConfigText | Readonly<Record<string, string>> = {},
): BrokerLayers {
  const map = texts instanceof Map ? texts : new Map(Object.entries(texts))
  return { static: map, dynamicDefault: new Map(), dynamicBroker: new Map() }
}

/** The broker's values: for this broker, else for all brokers, else static, else the default. */
export function effectiveBroker(layers: BrokerLayers): BrokerConfig {
  const order = [layers.dynamicBroker, layers.dynamicDefault, layers.static]
  const values: Record<string, ConfigValue> = {}
  for (const [name, setting] of Object.entries<Setting>(brokerConfigs)) {
    values[name] = effectiveValue(setting, name, order)
  }
  return Object.freeze({ ...values, layers }) as BrokerConfig
}

/** The value of a broker setting, also if `BrokerConfig` does not hold it; null if unknown. */
export function brokerValue(config: BrokerConfig, name: string): ConfigValue {
  if (Object.hasOwn(brokerConfigs, name)) return config[name as keyof typeof brokerConfigs]
  const setting = inertConfigs().get(name)
  return setting ? effectiveValue(setting, name, [config.layers.static]) : null
}

/** The values of a topic without settings of its own. One object per `BrokerConfig` is enough. */
export function topicDefaults(broker: BrokerConfig): TopicConfig {
  const values: Record<string, ConfigValue> = {}
  for (const [name, setting] of Object.entries<Setting>(topicConfigs)) {
    values[name] = fromBroker(setting, broker) ?? setting.default
  }
  return Object.freeze(values) as TopicConfig
}

/** The values of a topic: its own settings over `defaults` (of `topicDefaults`). */
export function effectiveTopic(overrides: ConfigText, defaults: TopicConfig): TopicConfig {
  const own = parseKnown(overrides, topicConfigs)
  const internal = parseKnown(overrides, internalTopicConfigs)['internal.segment.bytes']
  if (internal !== undefined) own['segment.bytes'] = internal
  return Object.keys(own).length === 0 ? defaults : Object.freeze({ ...defaults, ...own })
}

/** The values of a group without settings of its own: those of the broker's `group.…`. */
export function groupDefaults(broker: BrokerConfig): GroupConfig {
  const values: Record<string, ConfigValue> = {}
  for (const [name, setting] of Object.entries<Setting>(groupConfigs)) {
    const known = Object.hasOwn(brokerConfigs, `group.${name}`)
    values[name] = known ? brokerValue(broker, `group.${name}`) : setting.default
  }
  return Object.freeze(values) as GroupConfig
}

/** The values of a group: its own settings over `defaults` (of `groupDefaults`). */
export function effectiveGroup(overrides: ConfigText, defaults: GroupConfig): GroupConfig {
  const own = parseKnown(overrides, groupConfigs)
  return Object.keys(own).length === 0 ? defaults : Object.freeze({ ...defaults, ...own })
}

/** The directory of all data as it was set: `log.dirs`, else `log.dir`. */
export function dataDirectory(config: BrokerConfig): string {
  return (config['log.dirs'] ?? config['log.dir'])[0] ?? ''
}

/** The id of this node: `node.id` if it was set, else `broker.id`, else the default. */
export function nodeId(config: BrokerConfig): number {
  const named = config.layers.static.has('node.id') || config['broker.id'] < 0
  return named ? config['node.id'] : config['broker.id']
}

function effectiveValue(setting: Setting, name: string, layers: ConfigText[]): ConfigValue {
  for (const layer of layers) {
    const text = layer.get(name)
    if (text === undefined) continue
    // A text that an earlier release accepted and this one does not must not stop the broker.
    const parsed = parseValue(setting, text)
    if (parsed.ok) return parsed.value
  }
  return setting.default
}

/** The broker's default of a topic setting, in the topic's unit; null if the broker has none. */
function fromBroker(setting: Setting, broker: BrokerConfig): ConfigValue {
  for (const name of setting.broker) {
    const value = brokerValue(broker, name)
    if (value === null) continue
    if (typeof value !== 'number' || setting.unit !== 'ms') return value
    // Kafka reads every negative retention as "no limit".
    if (name.startsWith('log.retention.') && value < 0) return -1
    const unit = brokerSetting(name)?.unit
    return value * (unit === 'hours' ? 3_600_000 : unit === 'minutes' ? 60_000 : 1)
  }
  return null
}

function parseKnown(
  texts: ConfigText,
  settings: Readonly<Record<string, Setting>>,
): Record<string, ConfigValue> {
  const values: Record<string, ConfigValue> = {}
  for (const [name, text] of texts) {
    const setting = Object.hasOwn(settings, name) ? settings[name] : undefined
    const parsed = setting && parseValue(setting, text)
    if (parsed?.ok) values[name] = parsed.value
  }
  return values
}

/** The entries of DescribeConfigs (KIP-133, KIP-226, KIP-569). */
import { allBrokerConfigs, type BrokerConfig, type BrokerLayers, brokerSetting } from './broker.ts'
import type { ConfigText, ConfigValue, Kind, Setting } from './define.ts'
import { brokerValue, groupDefaults, topicDefaults } from './effective.ts'
import { groupConfigs } from './group.ts'
import { canonicalText, textOf } from './parse.ts'
import { internalTopicConfigs, topicConfigs } from './topic.ts'

/** Kafka's DescribeConfigsResponse.ConfigSource. */
export const ConfigSource = {
  TOPIC: 1,
  DYNAMIC_BROKER: 2,
  DYNAMIC_DEFAULT_BROKER: 3,
  STATIC_BROKER: 4,
  DEFAULT: 5,
  GROUP: 8,
} as const

/** Where a value comes from. */
export type ConfigSource = (typeof ConfigSource)[keyof typeof ConfigSource]

/** One place where a setting, or one that gives its default, has a value. */
export interface ConfigSynonym {
  readonly name: string
  /** null for a password. */
  readonly value: string | null
  readonly source: ConfigSource
}

/** One described setting, named as in the response. */
export interface ConfigEntry {
  readonly name: string
  readonly value: string | null
  readonly readOnly: boolean
  readonly configSource: ConfigSource
  readonly isSensitive: boolean
  /** The most specific first; the first is the one that holds. Empty unless asked for. */
  readonly synonyms: readonly ConfigSynonym[]
  readonly configType: number
  readonly documentation: string | null
}

/** What a client wants to know. `names` null or empty: everything; unknown names are left out. */
export interface DescribeAsk {
  readonly names: readonly string[] | null
  readonly includeSynonyms: boolean
  readonly includeDocumentation: boolean
}

const typeCodes: Readonly<Record<Kind, number>> = {
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
}

/** The settings of a topic with `overrides` of its own. */
export function describeTopic(
  overrides: ConfigText,
  broker: BrokerConfig,
  ask: DescribeAsk,
): ConfigEntry[] {
  const defaults: Readonly<Record<string, ConfigValue>> = topicDefaults(broker)
  const internal = Object.entries<Setting>(internalTopicConfigs).filter(([n]) => overrides.has(n))
  return asked([...Object.entries<Setting>(topicConfigs), ...internal], ask).map(
    ([name, setting]) => {
      const inherited = setting.broker[0]
      const below = inherited === undefined ? [] : brokerSynonyms(inherited, broker.layers)
      const value = textOf(setting, defaults[name] ?? null)
      return own({ name, setting, overrides, source: ConfigSource.TOPIC, below, value }, ask)
    },
  )
}

/** The settings of a group with `overrides` of its own. */
export function describeGroup(
  overrides: ConfigText,
  broker: BrokerConfig,
  ask: DescribeAsk,
): ConfigEntry[] {
  const defaults = groupDefaults(broker)
  return asked(Object.entries<Setting>(groupConfigs), ask).map(([name, setting]) => {
    const value = textOf(setting, defaults[name as keyof typeof defaults])
    const below = brokerSetting(`group.${name}`)
      ? brokerSynonyms(`group.${name}`, broker.layers)
      : [{ name, value, source: ConfigSource.DEFAULT }]
    return own({ name, setting, overrides, source: ConfigSource.GROUP, below, value }, ask)
  })
}

/** The settings of this broker (the resource named after its id). */
export function describeBroker(broker: BrokerConfig, ask: DescribeAsk): ConfigEntry[] {
  return asked([...allBrokerConfigs()], ask).map(([name, setting]) => {
    const synonyms = brokerSynonyms(name, broker.layers)
    const value = textOf(setting, brokerValue(broker, name))
    return entry({ name, setting, value, synonyms }, ask)
  })
}

/** The dynamic settings of all brokers (the resource named ""): only those that were set. */
export function describeBrokerDefaults(broker: BrokerConfig, ask: DescribeAsk): ConfigEntry[] {
  const { dynamicDefault } = broker.layers
  return asked([...allBrokerConfigs()], ask).flatMap(([name, setting]) => {
    const value = dynamicDefault.get(name)
    if (value === undefined) return []
    const synonyms = brokerSynonyms(name, broker.layers).filter(
      ({ source }) => source === ConfigSource.DYNAMIC_DEFAULT_BROKER,
    )
    return entry({ name, setting, value, synonyms }, ask)
  })
}

function asked(settings: [string, Setting][], ask: DescribeAsk): [string, Setting][] {
  if (ask.names === null || ask.names.length === 0) return settings
  const names = new Set(ask.names)
  return settings.filter(([name]) => names.has(name))
}

interface OwnSetting {
  name: string
  setting: Setting
  overrides: ConfigText
  source: ConfigSource
  below: readonly ConfigSynonym[]
  /** What holds without an override. */
  value: string | null
}

/** The entry of a setting that a topic or group may set for itself. */
function own(of: OwnSetting, ask: DescribeAsk): ConfigEntry {
  const { name, setting, overrides, source, below } = of
  const text = overrides.get(name)
  if (text === undefined) return entry({ name, setting, value: of.value, synonyms: below }, ask)
  const value = canonicalText(setting, text)
  return entry({ name, setting, value, synonyms: [{ name, value, source }, ...below] }, ask)
}

function entry(
  of: {
    name: string
    setting: Setting
    value: string | null
    synonyms: readonly ConfigSynonym[]
  },
  ask: DescribeAsk,
): ConfigEntry {
  const { name, setting, synonyms } = of
  const isSensitive = setting.kind === 'password'
  return {
    name,
    value: isSensitive ? null : of.value,
    readOnly: brokerSetting(name) === setting && setting.update === 'read-only',
    configSource: synonyms[0]?.source ?? ConfigSource.DEFAULT,
    isSensitive,
    synonyms: ask.includeSynonyms ? synonyms : [],
    configType: typeCodes[setting.kind],
    documentation: ask.includeDocumentation ? setting.doc : null,
  }
}

/** Broker settings that say the same in several units, the one that wins first. */
const families: readonly (readonly string[])[] = Object.values<Setting>(topicConfigs)
  .map((setting) => setting.broker)
  .filter((names) => names.length > 1)

/** Every place where a broker setting or one of its family is set, the most specific first. */
function brokerSynonyms(name: string, layers: BrokerLayers): readonly ConfigSynonym[] {
  const family = families.find((names) => names.includes(name)) ?? [name]
  const places: [ConfigText, ConfigSource][] = [
    [layers.dynamicBroker, ConfigSource.DYNAMIC_BROKER],
    [layers.dynamicDefault, ConfigSource.DYNAMIC_DEFAULT_BROKER],
    [layers.static, ConfigSource.STATIC_BROKER],
  ]
  const synonyms: ConfigSynonym[] = []
  for (const [texts, source] of places) {
    for (const member of family) {
      const text = texts.get(member)
      if (text !== undefined) synonyms.push({ name: member, value: shown(member, text), source })
    }
  }
  for (const member of family) {
    const setting = brokerSetting(member)
    const text = setting ? textOf(setting, setting.default) : null
    if (text === null) continue
    synonyms.push({ name: member, value: shown(member, text), source: ConfigSource.DEFAULT })
  }
  // Kafka leaves out what stands before the setting's own name, so `retention.ms` has no synonyms
  // as long as only log.retention.hours gives it its value.
  const first = synonyms.findIndex((synonym) => synonym.name === name)
  return first < 0 ? [] : synonyms.slice(first)
}

function shown(name: string, text: string): string | null {
  return brokerSetting(name)?.kind === 'password' ? null : text
}

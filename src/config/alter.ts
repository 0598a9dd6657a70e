/** Changes of settings: IncrementalAlterConfigs (KIP-339) and the older AlterConfigs (KIP-133). */
import { type BrokerConfig, type BrokerLayers, brokerSetting } from './broker.ts'
import { checkBroker, groupFault, groupSetting, topicFault, topicSetting } from './check.ts'
import type { ConfigText, Setting } from './define.ts'
import { groupDefaults, topicDefaults } from './effective.ts'
import { splitList, textOf } from './parse.ts'

/** Kafka's AlterConfigOp.OpType. */
export const AlterOperation = { SET: 0, DELETE: 1, APPEND: 2, SUBTRACT: 3 } as const

/** One operation on one setting. AlterConfigs is a list of SETs over an empty map. */
export interface Alteration {
  readonly name: string
  readonly operation: number
  readonly value: string | null
}

/** The new texts of the resource, or why nothing changes. `errorCode` is Kafka's. */
export type Altered =
  | { readonly kind: 'altered'; readonly texts: ConfigText }
  | { readonly kind: 'refused'; readonly errorCode: number; readonly message: string }

const UNKNOWN_SERVER_ERROR = -1
const INVALID_CONFIG = 40
const INVALID_REQUEST = 42

/** Changes the settings of a topic; all of `alterations` or none. */
export function alterTopic(
  current: ConfigText,
  alterations: readonly Alteration[],
  broker: BrokerConfig,
): Altered {
  const altered = alterTexts(current, alterations, topicSetting)
  if (altered.kind === 'refused') return altered
  const fault = topicFault(altered.texts, topicDefaults(broker))
  return fault === undefined ? altered : refused(INVALID_CONFIG, fault)
}

/** Changes the settings of a group; all of `alterations` or none. */
export function alterGroup(
  current: ConfigText,
  alterations: readonly Alteration[],
  broker: BrokerConfig,
): Altered {
  const altered = alterTexts(current, alterations, groupSetting)
  if (altered.kind === 'refused') return altered
  const fault = groupFault(altered.texts, groupDefaults(broker), broker)
  return fault === undefined ? altered : refused(INVALID_CONFIG, fault)
}

/**
 * Changes one dynamic layer of the broker; all of `alterations` or none. With `replace` the layer
 * holds afterwards only what is named (AlterConfigs). Kafka's code for a wrong value is another one
 * here than for topics: INVALID_REQUEST.
 */
export function alterBroker(
  layers: BrokerLayers,
  layer: 'dynamicBroker' | 'dynamicDefault',
  alterations: readonly Alteration[],
  replace = false,
): Altered {
  // What was never set may be deleted, whether or not it could be set.
  const changed = alterations.filter(({ operation }) => operation !== AlterOperation.DELETE)
  const fixed = changed.filter(({ name }) => brokerSetting(name)?.update === 'read-only')
  if (fixed.length > 0) {
    const names = fixed.map(({ name }) => name).join(', ')
    return refused(INVALID_REQUEST, `Cannot update these configs dynamically: [${names}]`)
  }
  const unknown = changed.find(({ name }) => !brokerSetting(name))
  if (unknown) return refused(INVALID_CONFIG, `Unknown config name: ${unknown.name}`)
  const altered = alterTexts(replace ? new Map() : layers[layer], alterations, brokerSetting)
  if (altered.kind === 'refused') return ofBroker(altered)
  const [fault] = checkBroker({ ...layers, [layer]: altered.texts }).faults
  return fault === undefined ? altered : refused(INVALID_REQUEST, fault)
}

/** Kafka looks at changes of brokers in another place, which has no code of its own for this. */
function ofBroker(refusal: Extract<Altered, { kind: 'refused' }>): Altered {
  if (refusal.errorCode !== UNKNOWN_SERVER_ERROR) return refusal
  return refused(INVALID_REQUEST, refusal.message)
}

/** Applies the operations without looking at the values that they set. */
function alterTexts(
  current: ConfigText,
  alterations: readonly Alteration[],
  settingOf: (name: string) => Setting | undefined,
): Altered {
  const names = new Set(alterations.map(({ name }) => name))
  if (names.size !== alterations.length) {
    return refused(INVALID_REQUEST, 'Error due to duplicate config keys')
  }
  const texts = new Map(current)
  for (const { name, operation, value } of alterations) {
    if (operation === AlterOperation.DELETE) {
      texts.delete(name)
      continue
    }
    if (operation < 0 || operation > AlterOperation.SUBTRACT) {
      return refused(UNKNOWN_SERVER_ERROR, `Unknown operation ${operation} on ${name}`)
    }
    if (value === null) return refused(INVALID_REQUEST, `Null value not supported for : ${name}`)
    if (operation === AlterOperation.SET) {
      texts.set(name, value)
      continue
    }
    const setting = settingOf(name)
    const verb = operation === AlterOperation.APPEND ? 'APPEND' : 'SUBTRACT'
    if (setting?.kind !== 'list') {
      const why = setting ? 'because its type is not LIST' : 'because there is no such config'
      return refused(INVALID_CONFIG, `Can't ${verb} to key ${name} ${why}.`)
    }
    texts.set(name, listAfter(verb, texts.get(name) ?? textOf(setting, setting.default), value))
  }
  return { kind: 'altered', texts }
}

/** As Kafka does, a list that was not set starts from the default of the table. */
function listAfter(verb: 'APPEND' | 'SUBTRACT', before: string | null, value: string): string {
  const items = splitList(before ?? '')
  const named = splitList(value)
  const after =
    verb === 'APPEND'
      ? [...new Set([...items, ...named])]
      : items.filter((item) => !named.includes(item))
  return after.join(',')
}

function refused(errorCode: number, message: string): Altered {
  return { kind: 'refused', errorCode, message }
}

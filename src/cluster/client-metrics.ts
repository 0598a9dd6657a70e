/** The configuration of client metrics subscriptions (KIP-714). */
import { type Alteration, type Altered, AlterOperation } from '../config/alter.ts'
import { int, list, type Setting } from '../config/define.ts'
import { type ConfigEntry, ConfigSource, type DescribeAsk } from '../config/describe.ts'
import { invalidValue, parseValue, splitList, textOf } from '../config/parse.ts'
import { ErrorCode } from '../protocol/errors.ts'

/** Kafka's three keys. */
export const clientMetricsConfigs: ReadonlyMap<string, Setting> = new Map<string, Setting>([
  ['interval.ms', int({ default: 300_000, unit: 'ms', doc: 'How often a client pushes metrics.' })],
  ['match', list({ default: [], doc: 'Which clients are meant: attribute=regular expression.' })],
  ['metrics', list({ default: [], doc: 'Prefixes of the metrics that are wanted; * is all.' })],
])

const INTERVAL_MS_MIN = 100
const INTERVAL_MS_MAX = 3_600_000

/** What a client can be matched by. */
const attributes: readonly string[] = [
  'client_instance_id',
  'client_id',
  'client_software_name',
  'client_software_version',
  'client_source_address',
  'client_source_port',
]

/** Changes the configuration of a subscription; all of `alterations` or none. */
export function alterClientMetrics(
  current: ReadonlyMap<string, string>,
  alterations: readonly Alteration[],
): Altered {
  const texts = new Map(current)
  for (const { name, operation, value } of alterations) {
    if (operation === AlterOperation.DELETE) {
      texts.delete(name)
      continue
    }
    if (value === null) return refused(INVALID_REQUEST, `Null value not supported for : ${name}`)
    if (operation !== AlterOperation.SET) {
      const verb = operation === AlterOperation.APPEND ? 'APPEND' : 'SUBTRACT'
      return refused(INVALID_CONFIG, `Can't ${verb} to key ${name} because its type is not LIST.`)
    }
    const fault = faultOf(name, value)
    if (fault) return fault
    texts.set(name, value)
  }
  return { kind: 'altered', texts }
}

/** The settings of a subscription, also of one that sets none. */
export function describeClientMetrics(
  texts: ReadonlyMap<string, string>,
  ask: DescribeAsk,
): (Omit<ConfigEntry, 'configSource' | 'synonyms'> & {
  configSource: number
  synonyms: readonly { name: string; value: string | null; source: number }[]
})[] {
  const asked = [...clientMetricsConfigs].filter(([name]) => ask.names?.includes(name) ?? true)
  return asked.map(([name, setting]) => {
    const text = texts.get(name)
    const value = text ?? textOf(setting, setting.default)
    const source = CLIENT_METRICS_SOURCE
    return {
      name,
      value,
      readOnly: false,
      configSource: text === undefined ? ConfigSource.DEFAULT : source,
      isSensitive: false,
      synonyms: ask.includeSynonyms && text !== undefined ? [{ name, value, source }] : [],
      configType: setting.kind === 'int' ? TYPE_INT : TYPE_LIST,
      documentation: ask.includeDocumentation ? setting.doc : null,
    }
  })
}

/** Codes of DescribeConfigsResponse. */
const CLIENT_METRICS_SOURCE = 7
const TYPE_INT = 3
const TYPE_LIST = 7

const { INVALID_CONFIG, INVALID_REQUEST } = ErrorCode

function faultOf(name: string, text: string): Altered | undefined {
  const setting = clientMetricsConfigs.get(name)
  if (!setting) return refused(INVALID_REQUEST, `Unknown client metrics configuration: ${name}`)
  const parsed = parseValue(setting, text)
  if (!parsed.ok) return refused(INVALID_CONFIG, invalidValue(name, text, parsed.fault))
  const { value } = parsed
  if (typeof value === 'number' && (value < INTERVAL_MS_MIN || value > INTERVAL_MS_MAX)) {
    const bounds = `between ${INTERVAL_MS_MIN} and ${INTERVAL_MS_MAX} (1 hour)`
    return refused(INVALID_REQUEST, `Invalid value ${text} for ${name}, interval must be ${bounds}`)
  }
  if (name !== 'match') return undefined
  const wrong = splitList(text).find((pattern) => !isMatchPattern(pattern))
  return wrong === undefined
    ? undefined
    : refused(INVALID_CONFIG, `Illegal client matching pattern: ${wrong}`)
}

function isMatchPattern(text: string): boolean {
  const [attribute = '', pattern, ...more] = text.split('=')
  if (pattern === undefined || more.length > 0 || !attributes.includes(attribute.trim()))
    return false
  try {
    new RegExp(pattern.trim())
    return true
  } catch {
    return false
  }
}

function refused(errorCode: ErrorCode, message: string): Altered {
  return { kind: 'refused', errorCode, message }
}

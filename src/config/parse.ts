/** From texts to values and back, by Kafka's rules (ConfigDef.parseType). */
import { type ConfigValue, INT_MAX, LONG_MAX, LONG_MAX_TEXT, type Setting } from './define.ts'

/** A value, or what is wrong with its text: the part of the sentence after the colon. */
export type Parsed<T extends ConfigValue = ConfigValue> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: string }

const longMax = 2n ** 63n - 1n
const wholeNumber = /^[+-]?\d+$/
const fraction = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

/**
 * Parses and checks one text. Blanks around it do not count; whole numbers take neither exponent
 * nor unit ("1e3" and "10k" are wrong). A repeated list item counts once (KIP-1161).
 */
export function parseValue<T extends ConfigValue>(setting: Setting<T>, text: string): Parsed<T> {
  const parsed = parseKind(setting, text.trim())
  if (!parsed.ok) return parsed
  const fault = faultOf(setting, parsed.value)
  return fault === undefined ? (parsed as Parsed<T>) : { ok: false, fault }
}

/** Kafka's sentence for a wrong value. */
export function invalidValue(name: string, text: string, fault: string): string {
  return `Invalid value ${text} for configuration ${name}: ${fault}`
}

/** A value as DescribeConfigs prints it; null stays null. */
export function textOf(setting: Setting, value: ConfigValue): string | null {
  if (value === null) return null
  if (typeof value === 'object') return value.join(',')
  if (typeof value !== 'number') return String(value)
  if (setting.kind === 'double') return doubleText(value)
  return setting.kind === 'long' && value === LONG_MAX ? LONG_MAX_TEXT : String(value)
}

/** A text in the form in which DescribeConfigs prints it: trimmed, `true` for `TRUE`. */
export function canonicalText(setting: Setting, text: string): string {
  const parsed = parseValue(setting, text)
  if (!parsed.ok) return text
  // The number would lose the last digits of a long.
  if (setting.kind === 'long') return BigInt(text.trim().replace(/^\+/, '')).toString()
  return textOf(setting, parsed.value) ?? ''
}

function parseKind(setting: Setting, text: string): Parsed {
  switch (setting.kind) {
    case 'boolean': {
      const lower = text.toLowerCase()
      if (lower === 'true' || lower === 'false') return { ok: true, value: lower === 'true' }
      return { ok: false, fault: 'Expected value to be either true or false' }
    }
    case 'int':
      return parseWhole(text, 'INT', BigInt(INT_MAX))
    case 'short':
      return parseWhole(text, 'SHORT', 32767n)
    case 'long':
      return parseWhole(text, 'LONG', longMax)
    case 'double':
      if (fraction.test(text)) return { ok: true, value: Number(text) }
      return { ok: false, fault: 'Not a number of type DOUBLE' }
    case 'list':
      return { ok: true, value: splitList(text) }
    default:
      return { ok: true, value: text }
  }
}

/** The items of a list's text; none for an empty text. */
export function splitList(text: string): readonly string[] {
  const trimmed = text.trim()
  return trimmed === '' ? [] : [...new Set(trimmed.split(/\s*,\s*/))]
}

function parseWhole(text: string, type: string, max: bigint): Parsed {
  const wrong = { ok: false, fault: `Not a number of type ${type}` } as const
  if (!wholeNumber.test(text)) return wrong
  const exact = BigInt(text.replace(/^\+/, ''))
  if (exact > max || exact < -max - 1n) return wrong
  return { ok: true, value: Math.max(-LONG_MAX, Math.min(LONG_MAX, Number(exact))) }
}

function faultOf(setting: Setting, value: ConfigValue): string | undefined {
  if (typeof value === 'number') {
    if (setting.min !== undefined && value < setting.min) {
      return `Value must be at least ${setting.min}`
    }
    if (setting.max !== undefined && value > setting.max) {
      return `Value must be no more than ${setting.max}`
    }
  }
  const allowed = setting.oneOf
  if (allowed) {
    const items = typeof value === 'object' ? (value ?? []) : [String(value)]
    if (items.some((item) => !allowed.includes(item))) {
      return `String must be one of: ${allowed.join(', ')}`
    }
  }
  return setting.check?.(value)
}

/** A double as Java prints it, since Kafka's tools compare texts. */
function doubleText(value: number): string {
  const size = Math.abs(value)
  if (size === 0 || (size >= 1e-3 && size < 1e7)) {
    return Number.isInteger(value) ? `${value}.0` : String(value)
  }
  const [mantissa = '', exponent = ''] = value.toExponential().split('e')
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${exponent.replace('+', '')}`
}

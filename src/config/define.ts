/**
 * The language of the configuration tables: one entry per setting says its kind, default, bounds
 * and sentence. Parsing, DescribeConfigs, AlterConfigs and the generated documents follow from it.
 */

/** Kafka's kinds of values (ConfigDef.Type). */
export type Kind =
  | 'boolean'
  | 'string'
  | 'int'
  | 'short'
  | 'long'
  | 'double'
  | 'list'
  | 'class'
  | 'password'

/** A parsed value. A long above 2^53 - 1 is held as `LONG_MAX`; its text keeps every digit. */
export type ConfigValue = boolean | number | string | readonly string[] | null

/** What was set, by name: the texts as they came. */
export type ConfigText = ReadonlyMap<string, string>

/** One setting. */
export interface Setting<T extends ConfigValue = ConfigValue> {
  readonly kind: Kind
  /** null: not set. */
  readonly default: T
  readonly doc: string
  readonly min?: number
  readonly max?: number
  readonly oneOf?: readonly string[]
  /** Answers a complaint about a value that kind and bounds accept. */
  readonly check?: (value: ConfigValue) => string | undefined
  readonly unit?: 'ms' | 'minutes' | 'hours' | 'bytes'
  readonly importance: 'high' | 'medium' | 'low'
  /** Topic settings: the broker settings that give the default, the most specific first. */
  readonly broker: readonly string[]
  /** Broker settings: `dynamic` may change while the broker runs. Of topics and groups all may. */
  readonly update: 'dynamic' | 'read-only'
  /** `none`: known and reported, but there is nothing here that it could change. */
  readonly effect: 'obeyed' | 'none'
}

/** A table of settings by name. */
export type Settings = Readonly<Record<string, Setting>>

/** The typed values of a table. */
export type Values<S extends Settings> = { readonly [K in keyof S]: S[K]['default'] }

/** Kafka's Long.MAX_VALUE, "without limit", as this code holds it. */
export const LONG_MAX = Number.MAX_SAFE_INTEGER

/** Kafka's Long.MAX_VALUE as it is printed. */
export const LONG_MAX_TEXT = '9223372036854775807'

/** Kafka's Integer.MAX_VALUE, "without limit" of an int setting. */
export const INT_MAX = 2 ** 31 - 1

type Options<D> = { default: D; doc: string } & Partial<
  Pick<Setting, 'min' | 'max' | 'check' | 'unit' | 'importance' | 'update' | 'effect'>
> & { broker?: string | readonly string[] }

/** A flag: `true` or `false` in any case. */
export function boolean<D extends boolean | null>(
  options: Options<D>,
): Setting<boolean | Extract<D, null>> {
  return setting('boolean', options)
}

/** A whole number of 32 bits. */
export function int<D extends number | null>(
  options: Options<D>,
): Setting<number | Extract<D, null>> {
  return setting('int', options)
}

/** A whole number of 16 bits. */
export function short<D extends number | null>(
  options: Options<D>,
): Setting<number | Extract<D, null>> {
  return setting('short', options)
}

/** A whole number of 64 bits, held as a number (see `ConfigValue`). */
export function long<D extends number | null>(
  options: Options<D>,
): Setting<number | Extract<D, null>> {
  return setting('long', options)
}

/** A number with a fraction. */
export function double<D extends number | null>(
  options: Options<D>,
): Setting<number | Extract<D, null>> {
  return setting('double', options)
}

/** A text; with `oneOf` only these. */
export function string<const O extends string = string, D extends O | null = O | null>(
  options: Options<D> & { oneOf?: readonly O[] },
): Setting<O | Extract<D, null>> {
  return setting('string', options) as Setting<O | Extract<D, null>>
}

/** Texts separated by commas; with `oneOf` only these. */
export function list<const O extends string = string, D extends readonly O[] | null = readonly O[]>(
  options: Options<D> & { oneOf?: readonly O[] },
): Setting<readonly O[] | Extract<D, null>> {
  return setting('list', options) as Setting<readonly O[] | Extract<D, null>>
}

/**
 * The same settings while what obeys them is not there yet: they are kept and reported, setting one
 * for the broker draws a warning.
 */
export function notYet<S extends Settings>(settings: S): S {
  const entries = Object.entries(settings).map(([name, one]) => {
    return [name, { ...one, effect: 'none', update: 'read-only', doc: `${one.doc} No effect yet.` }]
  })
  return Object.fromEntries(entries) as S
}

/** Builds an entry of any kind; the functions above are the typed way. */
export function setting<D extends ConfigValue, T extends ConfigValue>(
  kind: Kind,
  options: Options<D> & { oneOf?: readonly string[] },
): Setting<T> {
  const { broker = [], ...rest } = options
  return {
    kind,
    importance: 'medium',
    update: 'read-only',
    effect: 'obeyed',
    ...rest,
    default: options.default as unknown as T,
    broker: typeof broker === 'string' ? [broker] : broker,
  }
}

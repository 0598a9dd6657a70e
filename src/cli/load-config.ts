/**
 * The broker's static settings: command line over environment over file over default. Reading a
 * file is left to `read-properties.ts`, so that this can be tested as a function.
 */
import type { BrokerConfig } from '../config/broker.ts'
import { checkBroker } from '../config/check.ts'
import type { ConfigText } from '../config/define.ts'
import { effectiveBroker, staticLayers } from '../config/effective.ts'
import { formatListener, parseListener } from '../config/listeners.ts'
import { withProfile } from '../config/profile.ts'

/** What was given on the command line. */
export interface CommandLine {
  readonly host?: string
  readonly port?: string
  readonly dataDir?: string
  /** Each `key=value`. */
  readonly set?: readonly string[]
}

/** Where settings come from. */
export interface ConfigSources {
  readonly file: { readonly path: string; readonly texts: ConfigText } | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly commandLine: CommandLine
}

/** The settings, or the sentences that say why there are none. */
export type LoadedConfig =
  | { readonly ok: true; readonly config: BrokerConfig; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly faults: readonly string[] }

/** Merges and checks all sources. */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const texts = new Map<string, string>()
  const origins = new Map<string, string>()
  const put = (name: string, text: string, origin: string) => {
    texts.set(name, text)
    origins.set(name, origin)
  }
  for (const [name, text] of sources.file?.texts ?? []) put(name, text, sources.file?.path ?? '')
  for (const [variable, name, text] of environmentTexts(sources.environment)) {
    put(name, text, variable)
  }
  const faults: string[] = []
  for (const assignment of sources.commandLine.set ?? []) {
    const equals = assignment.indexOf('=')
    if (equals < 1) faults.push(`--set ${assignment} is not of the form key=value`)
    else put(assignment.slice(0, equals).trim(), assignment.slice(equals + 1).trim(), '--set')
  }
  const { dataDir } = sources.commandLine
  if (dataDir !== undefined) put('log.dirs', dataDir, '--data-dir')
  const listeners = listenersFrom(sources.commandLine, texts)
  if (listeners !== undefined) put('listeners', listeners, '--host or --port')
  return finish(texts, origins, faults)
}

function finish(
  texts: ConfigText,
  origins: ReadonlyMap<string, string>,
  earlier: readonly string[],
): LoadedConfig {
  const layers = staticLayers(withProfile(texts))
  const report = checkBroker(layers)
  const faults = [...earlier, ...report.faults]
  if (faults.length > 0) return { ok: false, faults }
  const unknown = report.unknown.map(({ name, nearest }) => {
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
    return `There is no setting ${name} (from ${origins.get(name)})${hint}`
  })
  const inert = report.inert.map((name) => `${name} (from ${origins.get(name)}) has no effect here`)
  return { ok: true, config: effectiveBroker(layers), warnings: [...unknown, ...inert] }
}

// Variables of Kafka's own scripts and images, which are no settings.
const notSettings = /^KAFKA_((.*_)?OPTS|LOG4J_.*|TOOLS_LOG4J_.*|JMX_.*|VERSION|HOME|DEBUG|MODE)$/

/**
 * Settings in variables as the apache/kafka image takes them: `KAFKA_`, then the name in capitals
 * with `_` for a dot, `__` for `_` and `___` for a dash. `CLUSTER_ID` is the image's as well.
 */
function* environmentTexts(
  environment: ConfigSources['environment'],
): Generator<readonly [variable: string, name: string, text: string]> {
  for (const [variable, text] of Object.entries(environment)) {
    if (text === undefined) continue
    if (variable === 'CLUSTER_ID') yield [variable, 'odradek.cluster.id', text]
    if (!variable.startsWith('KAFKA_') || notSettings.test(variable)) continue
    const name = variable
      .slice('KAFKA_'.length)
      .toLowerCase()
      .replace(/_{1,3}/g, (run) => ['.', '_', '-'][run.length - 1] ?? '')
    yield [variable, name, text]
  }
}

/** `--host` and `--port` change the first listener and leave the others. */
function listenersFrom(line: CommandLine, texts: ConfigText): string | undefined {
  if (line.host === undefined && line.port === undefined) return undefined
  const config = effectiveBroker(staticLayers(texts))
  const [first = '', ...others] = config.listeners
  const listener = parseListener(first)
  const changed = formatListener({
    name: listener?.name ?? 'PLAINTEXT',
    host: line.host ?? listener?.host ?? '',
    port: line.port ?? String(listener?.port ?? ''),
  })
  return [changed, ...others].join(',')
}

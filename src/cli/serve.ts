/** `odradek serve`: runs a broker until a signal ends it. */
import type { RunningBroker } from '../broker/broker.ts'
import type { BrokerConfig } from '../config/broker.ts'
import { type CommandLine, loadConfig } from './load-config.ts'
import { type ProcessLog, processLog } from './log.ts'
import { readProperties } from './read-properties.ts'

/** The options of the command. */
export interface ServeOptions extends CommandLine {
  readonly config?: string
}

/** Runs until SIGTERM or SIGINT and answers the exit code. A second signal ends it at once. */
export async function serve(options: ServeOptions): Promise<number> {
  const file = options.config === undefined ? undefined : await readFile(options.config)
  if (typeof file === 'string') return complain([file])
  const sources = { file, environment: process.env, commandLine: options }
  const loaded = loadConfig(sources)
  if (!loaded.ok) return complain(loaded.faults)
  const log = processLog(loaded.config['odradek.log.level'], process.stderr.isTTY === true)
  for (const warning of loaded.warnings) log.warn(warning)
  // A start that takes long, as after a crash, should be seen to be at work.
  const late = setTimeout(() => log.open(), 150)
  const signals = new Signals()
  try {
    const broker = await start(loaded.config, log)
    if (typeof broker === 'string') return complain([broker])
    process.stdout.write(readyLine(broker))
    await log.open()
    log.info('stopping', { signal: await signals.first })
    await broker.stop()
    return 0
  } finally {
    clearTimeout(late)
    await log.open()
  }
}

async function readFile(path: string) {
  const texts = await readProperties(path)
  return typeof texts === 'string' ? texts : { path, texts }
}

/** The broker, or the sentence that says why it could not start. */
async function start(config: BrokerConfig, log: ProcessLog): Promise<RunningBroker | string> {
  // Imported only now, so that a wrong setting is told without loading the broker.
  const { StartError, startBroker } = await import('../broker/broker.ts')
  try {
    return await startBroker(config, log)
  } catch (error) {
    if (error instanceof StartError) return error.message
    throw error
  }
}

/** What the ready line tells of a broker. */
type Address = Pick<RunningBroker, 'host' | 'port' | 'shards' | 'dataDir' | 'profile'>

/** The line that says that clients may connect. */
export function readyLine({ host, port, shards, dataDir, profile }: Address): string {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  const threads = shards === 1 ? '1 shard' : `${shards} shards`
  return `odradek ready on ${address}, ${threads}, data in ${dataDir}, profile ${profile}\n`
}

function complain(sentences: readonly string[]): number {
  for (const sentence of sentences) process.stderr.write(`odradek: ${sentence}\n`)
  return 1
}

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const

/** The first signal is a wish, the second an order. */
class Signals {
  readonly first: Promise<string>

  constructor() {
    this.first = new Promise((resolve) => {
      let seen = false
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        process.on(signal, () => {
          if (seen) process.exit(exitCodes[signal])
          seen = true
          resolve(signal)
        })
      }
    })
  }
}

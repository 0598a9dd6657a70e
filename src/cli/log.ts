/** The log of the process: standard error, readable on a terminal and JSON lines otherwise. */
import type { Log, LogFields } from '../base/log.ts'

/** Severities, the least first. */
const levels = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60, silent: 100 }

/** The names that `odradek.log.level` takes. */
export type LogLevel = keyof typeof levels

type Severity = 'debug' | 'info' | 'warn' | 'error'

interface Entry {
  readonly severity: Severity
  readonly timeMs: number
  readonly message: string
  readonly fields: LogFields
}

/** Where entries go, once it is there. */
type Sink = (entry: Entry) => void

/** Entries kept while the sink is being loaded; the start of a broker makes a few dozen. */
const heldMax = 10_000

/**
 * A log that may be written to at once and whose sink is loaded later: pino takes some 50 ms to
 * import, which would delay the moment at which the broker is ready. Lives on the main thread.
 */
export class ProcessLog implements Log {
  #held: Entry[] = []
  #dropped = 0
  #sink: Sink | undefined
  #opening: Promise<void> | undefined
  readonly #least: number
  readonly #load: () => Promise<Sink>

  constructor(level: LogLevel, load: () => Promise<Sink>) {
    this.#least = levels[level]
    this.#load = load
  }

  debug(message: string, fields: LogFields = {}): void {
    this.#write('debug', message, fields)
  }

  info(message: string, fields: LogFields = {}): void {
    this.#write('info', message, fields)
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#write('warn', message, fields)
  }

  error(message: string, fields: LogFields = {}): void {
    this.#write('error', message, fields)
  }

  /** Loads the sink and writes what was held; entries go straight through from then on. */
  open(): Promise<void> {
    this.#opening ??= this.#load().then((sink) => {
      for (const entry of this.#held) sink(entry)
      if (this.#dropped > 0) {
        const fields = { entries: this.#dropped }
        sink({ severity: 'warn', timeMs: Date.now(), message: 'log entries were dropped', fields })
      }
      this.#held = []
      this.#sink = sink
    })
    return this.#opening
  }

  #write(severity: Severity, message: string, fields: LogFields): void {
    if (levels[severity] < this.#least) return
    const entry = { severity, timeMs: Date.now(), message, fields }
    if (this.#sink) this.#sink(entry)
    else if (this.#held.length < heldMax) this.#held.push(entry)
    else this.#dropped++
  }
}

/** The log for standard error. */
export function processLog(level: LogLevel, terminal: boolean): ProcessLog {
  return new ProcessLog(level, terminal ? async () => writeForTerminal : loadPino)
}

async function loadPino(): Promise<Sink> {
  const { destination, pino } = await import('pino')
  // Entries carry the time at which they were made, which for held ones is not now.
  const logger = pino({ level: 'trace', timestamp: false }, destination({ dest: 2, sync: true }))
  return ({ severity, timeMs, message, fields }) =>
    logger[severity]({ time: timeMs, ...fields }, message)
}

const colors = { debug: 90, info: 32, warn: 33, error: 31 }

function writeForTerminal(entry: Entry): void {
  process.stderr.write(terminalLine(entry))
}

/** `12:00:00.000 INFO  message key=value`, in local time. */
export function terminalLine({ severity, timeMs, message, fields }: Entry): string {
  const time = new Date(timeMs)
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':')
  const millis = String(time.getMilliseconds()).padStart(3, '0')
  const level = `\x1b[${colors[severity]}m${severity.toUpperCase().padEnd(5)}\x1b[0m`
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${fieldText(value)}`)
  return `${clock}.${millis} ${level} ${message}${rest.join('')}\n`
}

function fieldText(value: unknown): string {
  if (value instanceof Error) return value.stack ?? value.message
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
}

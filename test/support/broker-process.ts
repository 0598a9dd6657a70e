/** `odradek serve` as a process of its own, which may be killed at any time. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))

/** A start that takes longer than this has failed. */
const READY_MS = 60_000

/** What a broker is started with. */
export interface BrokerSettings {
  readonly dataDir: string
  /** Default: any free port. */
  readonly port?: number
  /** `--set key=value`. */
  readonly configs?: Readonly<Record<string, string>>
}

/** How a process ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export class BrokerProcess {
  /** Milliseconds from spawn to the line that says that clients may connect. */
  readyMs = 0
  port = 0
  /** Lines of the log, oldest first. */
  readonly log: string[] = []
  readonly ended: Promise<Ended>
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
    this.ended = once(child, 'close').then(([code, signal]) => ({ code, signal }))
    if (child.stderr !== null) {
      createInterface({ input: child.stderr }).on('line', (line) => {
        if (this.log.length < 100_000) this.log.push(line)
      })
    }
  }

  /** Starts a broker and waits until it serves. Rejects with what it said if it does not. */
  static async start(settings: BrokerSettings): Promise<BrokerProcess> {
    const broker = BrokerProcess.spawn(settings)
    await broker.ready()
    return broker
  }

  /** Starts a broker and waits for nothing. */
  static spawn({ dataDir, port = 0, configs = {} }: BrokerSettings): BrokerProcess {
    const sets = Object.entries(configs).flatMap(([key, value]) => ['--set', `${key}=${value}`])
    const args = [MAIN, 'serve', '--port', String(port), '--data-dir', dataDir, ...sets]
    return new BrokerProcess(spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] }))
  }

  /** Waits for the line that says that clients may connect. */
  async ready(): Promise<void> {
    const began = performance.now()
    const lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })
    const line = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(this.#failure('is not ready')), READY_MS)
      lines.once('line', (text) => {
        clearTimeout(timer)
        resolve(text)
      })
      void this.ended.then(() => {
        clearTimeout(timer)
        reject(this.#failure('ended before it was ready'))
      })
    })
    this.readyMs = performance.now() - began
    const port = /^odradek ready on .*?:(\d+),/.exec(line)?.[1]
    if (port === undefined) throw this.#failure(`says "${line}"`)
    this.port = Number(port)
  }

  get pid(): number {
    return this.#child.pid as number
  }

  /** Whether the process is there. */
  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** kill -9; resolves when the process is gone. */
  kill(): Promise<Ended> {
    this.#child.kill('SIGKILL')
    return this.ended
  }

  /** SIGTERM; resolves when the process is gone. */
  stop(): Promise<Ended> {
    this.#child.kill('SIGTERM')
    return this.ended
  }

  /** What the system says of the process: how it ended, or what each of its threads is at. */
  async state(): Promise<string> {
    if (!this.alive) return `the broker ended with ${JSON.stringify(await this.ended)}`
    const lines = [`the broker is process ${this.pid}`]
    try {
      const tasks = `/proc/${this.pid}/task`
      for (const task of fs.readdirSync(tasks)) {
        const status = fs.readFileSync(`${tasks}/${task}/status`, 'utf8')
        const wait = fs.readFileSync(`${tasks}/${task}/wchan`, 'utf8')
        const [, name] = /^Name:\s+(.*)/m.exec(status) ?? []
        const [, state] = /^State:\s+(.*)/m.exec(status) ?? []
        const [, switches] = /^voluntary_ctxt_switches:\s+(.*)/m.exec(status) ?? []
        lines.push(`  ${task} ${name}: ${state} ${wait}, ${switches} waits`)
      }
    } catch {
      lines.push('  of which the system tells nothing')
    }
    return lines.join('\n')
  }

  /** Resident memory in bytes; 0 where the system does not tell. */
  residentBytes(): number {
    try {
      const status = fs.readFileSync(`/proc/${this.pid}/status`, 'utf8')
      return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024
    } catch {
      return 0
    }
  }

  /** Lines of the log that match. */
  logged(pattern: RegExp): string[] {
    return this.log.filter((line) => pattern.test(line))
  }

  #failure(what: string): Error {
    return new Error(`the broker ${what}\n${this.log.slice(-20).join('\n')}`)
  }
}

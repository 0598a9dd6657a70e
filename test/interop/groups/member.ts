/**
 * A member of a group: a process that runs a client which we did not write. README.md has what such
 *  a program takes and prints. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

/** A record that a member was given. `partition` is 'topic:index'. */
export interface Delivery {
  readonly partition: string
  readonly offset: number
}

/** What a member's program printed: `partitions` came to it or were taken from it. */
type MemberEvent =
  | ({ readonly event: 'record' } & Delivery)
  | { readonly event: 'assigned' | 'revoked'; readonly partitions: readonly string[] }
  | { readonly event: 'done'; readonly command: string; readonly error?: string }

/** What tells one member from another. Partitions are of `topics`, or of what `regex` matches. */
export interface MemberSettings {
  readonly group: string
  readonly topics?: string
  readonly regex?: string
  readonly instance?: string
  readonly reset?: 'earliest' | 'latest'
  readonly cooperative?: true
}

/** How a member is started. `mayHang`: closing it does not always come to an end. */
export interface MemberProgram {
  readonly argv: readonly string[]
  readonly bootstrap: string
  readonly mayHang: boolean
}

const waitMsMax = 25_000
const hangMsMax = 3_000
const running = new Set<Member>()

/** Ends whatever a failed scenario left running. */
export function killMembers(): void {
  for (const member of running) member.kill()
}

/** One process. What it read and owns is kept up to date while it prints. */
export class Member {
  readonly owned = new Set<string>()
  readonly deliveries: Delivery[] = []
  /** Every change of what it owns, oldest first. */
  readonly changes: { readonly event: 'assigned' | 'revoked'; readonly partitions: string[] }[] = []
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #name: string
  readonly #mayHang: boolean
  readonly #noise: string[] = []
  readonly #done: { command: string; error?: string }[] = []
  readonly #watchers = new Set<() => void>()
  #ended = false

  constructor(name: string, program: MemberProgram, settings: MemberSettings) {
    this.#name = name
    this.#mayHang = program.mayHang
    const [command = '', ...args] = program.argv
    const pairs = Object.entries(settings).map(([key, value]) => `${key}=${value}`)
    this.#child = spawn(command, [...args, program.bootstrap, ...pairs], { stdio: 'pipe' })
    running.add(this)
    this.#child.once('error', (error) => this.#noise.push(error.message))
    this.#child.once('close', () => {
      this.#ended = true
      running.delete(this)
      this.#wake()
    })
    this.#child.stdin.on('error', () => {}) // it died: `close` tells
    createInterface({ input: this.#child.stderr }).on('line', (line) => this.#noise.push(line))
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#onLine(line))
  }

  /** Gives a command and waits for its end; rejects when the client could not do it. */
  async command(...words: readonly (string | number)[]): Promise<void> {
    const before = this.#done.length
    this.#child.stdin.write(`${words.join(' ')}\n`)
    await this.wait(`the end of ${words[0]}`, () => this.#done.length > before)
    const { error } = this.#done[before]!
    if (error) throw new Error(`${this.#name}: ${words.join(' ')}: ${error}`)
  }

  /** Waits until `condition` holds; rejects when the member ended or it takes too long. */
  wait(what: string, condition: () => boolean): Promise<void> {
    return new Promise((done, failed) => {
      const watcher = (late: boolean) => {
        const holds = condition()
        if (!holds && !late && !this.#ended) return
        clearTimeout(timer)
        this.#watchers.delete(look)
        if (holds) done()
        else failed(new Error(`${this.#name}: waited in vain for ${what}: ${this.#story()}`))
      }
      const look = () => watcher(false)
      const timer = setTimeout(watcher, waitMsMax, true)
      this.#watchers.add(look)
      look()
    })
  }

  /** Waits until the newest record of each partition that it owns has been read up to `offset`. */
  async reads(offset: number, count: number): Promise<void> {
    await this.wait(`offset ${offset} of ${count} partitions`, () => {
      const reached = this.deliveries.filter((delivery) => delivery.offset >= offset)
      const partitions = new Set(reached.map(({ partition }) => partition))
      return [...this.owned].filter((partition) => partitions.has(partition)).length === count
    })
  }

  /** Leaves in good order. */
  async close(): Promise<void> {
    this.#child.stdin.write('close\n')
    const ended = new Promise<void>((done) => {
      if (this.#ended) done()
      else this.#child.once('close', () => done())
    })
    const timer = setTimeout(() => this.kill(), this.#mayHang ? hangMsMax : waitMsMax)
    await ended
    clearTimeout(timer)
    const { exitCode } = this.#child
    if (exitCode !== 0 && !this.#mayHang)
      throw new Error(`${this.#name}: closing ended ${exitCode}: ${this.#story()}`)
  }

  /** As a crash does it. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #onLine(line: string): void {
    if (!line.startsWith('{"event"')) {
      this.#noise.push(line)
      return
    }
    const event = JSON.parse(line) as MemberEvent
    if (event.event === 'record') this.deliveries.push(event)
    else if (event.event === 'done') this.#done.push(event)
    else {
      this.changes.push({ event: event.event, partitions: [...event.partitions] })
      for (const partition of event.partitions) {
        if (event.event === 'assigned') this.owned.add(partition)
        else this.owned.delete(partition)
      }
    }
    this.#wake()
  }

  #wake(): void {
    for (const look of [...this.#watchers]) look()
  }

  #story(): string {
    const state = `${this.#ended ? 'ended' : 'runs'}, owns ${[...this.owned].sort()}`
    const newest = this.deliveries
      .slice(-3)
      .map(({ partition, offset }) => `${partition}@${offset}`)
    const read = `read ${this.deliveries.length} records (${newest})`
    return [state, read, JSON.stringify(this.changes), ...this.#noise.slice(-6)].join('; ')
  }
}

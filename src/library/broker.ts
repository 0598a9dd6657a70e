/** A broker inside a Node program: own worker threads, no network unless asked for. */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import timers from 'node:timers'
import type { MessagePort } from 'node:worker_threads'
import type { Log } from '../base/log.ts'
import { type RunningBroker, startBroker } from '../broker/broker.ts'
import { StartError } from '../broker/start-error.ts'
import { prepareWorker } from '../broker/worker-pool.ts'
import { Admin } from '../client/admin.ts'
import { rehearseProducer } from '../client/rehearsal.ts'
import { checkBroker } from '../config/check.ts'
import { effectiveBroker, staticLayers } from '../config/effective.ts'
import { formatListener, parseListener } from '../config/listeners.ts'
import { type Profile, withProfile } from '../config/profile.ts'
import { type DeclaredTopic, declareTopics } from './declared-topics.ts'

/** How a broker is started. Everything has a default. */
export interface BrokerOptions {
  /** Where everything is kept and stays; default: a temporary directory, removed by `stop`. */
  dataDir?: string
  /** `memory`: no file at all. Default: `disk`. */
  storage?: 'disk' | 'memory'
  /**
   * A TCP listener: `true` for a free port on loopback, or `{ host, port }`. Default: those of
   * `listeners` in `config`, or none.
   */
  listen?: boolean | { host?: string; port?: number }
  /**
   * Worker threads that hold partitions; 0: none, everything runs on the caller's thread. Default
   * 1.
   */
  threads?: number
  /**
   * `dev`: for tests and laptops, with the departures from Kafka that config/README.md lists;
   * `strict`: Kafka's behaviour and delays. Default: `odradek.profile` in `config`, or `dev`.
   */
  profile?: Profile
  /** Kafka's settings by name, as in server.properties. */
  config?: Readonly<Record<string, string | number | boolean>>
  /**
   * Topics that are there before anybody is served, and again after `reset`: names, or what
   * `admin.createTopics` takes. One that exists stays as it is; if its number of partitions is not
   * the declared one, the start is refused.
   */
  topics?: readonly DeclaredTopic[]
  /** Where messages for the operator go; default: nowhere. */
  log?: Log
}

/** What a started broker is made of. */
interface BrokerParts {
  readonly running: RunningBroker
  readonly temporary: string | undefined
  readonly topics: readonly DeclaredTopic[]
  readonly admin: Admin | undefined
}

/** No broker was started in this process before. */
let isFirst = true

const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} }

/**
 * A running broker. `await using broker = await Broker.start()` stops it at the end of the block.
 * Its data path never runs on the caller's thread unless `threads` is 0.
 */
export class Broker implements AsyncDisposable {
  readonly #running: RunningBroker
  readonly #temporary: string | undefined
  readonly #topics: readonly DeclaredTopic[]
  readonly #listeners: string[] = []
  #admin: Admin | undefined
  #stopped: Promise<void> | undefined

  private constructor(parts: BrokerParts) {
    const { running } = parts
    this.#running = running
    this.#temporary = parts.temporary
    this.#topics = parts.topics
    this.#admin = parts.admin
    for (const { host, port } of running.listeners) this.#addListener(host, port)
  }

  /**
   * Starts a broker. Rejects with StartError: a wrong setting, a directory or port in use, a topic
   * that cannot be as it is declared.
   */
  static async start(options: BrokerOptions = {}): Promise<Broker> {
    const inMemory = options.storage === 'memory'
    // Node is at it while the rest is looked at.
    if (wantsWorker(options)) prepareWorker(!inMemory)
    const wantsTemporary = !inMemory && options.dataDir === undefined
    const { topics = [] } = options
    const temporary = wantsTemporary ? mkdtempSync(path.join(tmpdir(), 'odradek-')) : undefined
    let admin: Admin | undefined
    try {
      const config = configOf(options, options.dataDir ?? temporary)
      const listen = opensListeners(options)
      const prepare = async (connect: () => MessagePort) => {
        if (topics.length === 0) return
        admin = new Admin({ port: connect() })
        await declareTopics(admin, topics)
      }
      const log = options.log ?? SILENT
      const keeping = { inMemory, temporary: wantsTemporary }
      const starting = startBroker(config, log, { ...keeping, listen, prepare })
      rehearseOnce(options)
      const running = await starting
      log.info('a broker is ready', { profile: running.profile, dataDir: running.dataDir })
      return new Broker({ running, temporary, topics, admin })
    } catch (error) {
      await admin?.close()
      if (temporary !== undefined) await rm(temporary, { recursive: true, force: true })
      throw error
    }
  }

  /** What a Kafka client is given to connect over TCP; empty without a listener. */
  get bootstrapServers(): string {
    return this.#listeners.join(',')
  }

  /** Where everything is kept; empty for a broker in memory. */
  get dataDir(): string {
    return this.#running.dataDir
  }

  /** `strict`: as Kafka; `dev`: with the departures that config/README.md lists. */
  get profile(): Profile {
    return this.#running.profile
  }

  /** An admin client of this broker; closed by `stop`. */
  get admin(): Admin {
    this.#admin ??= new Admin({ port: this.connect() })
    return this.#admin
  }

  /**
   * A connection without a network. The port may be handed to any thread of this process. The
   * client that is given it closes it; one that nobody uses is to be closed, since Node does not
   * collect open ports. What is left ends with its thread; being idle does not close it.
   */
  connect(): MessagePort {
    return this.#running.connect()
  }

  /** Opens a TCP listener, on a free port of loopback unless told otherwise; answers host:port. */
  async listen(address: { host?: string; port?: number } = {}): Promise<string> {
    const host = address.host ?? '127.0.0.1'
    const port = await this.#running.listen({ name: 'PLAINTEXT', host, port: address.port ?? 0 })
    return this.#addListener(host, port)
  }

  /**
   * Back to an empty broker: topics, records, groups and dynamic settings go, connections stay.
   * Declared topics are there again, without records.
   */
  async reset(): Promise<void> {
    await this.#running.reset()
    if (this.#topics.length > 0) await declareTopics(this.admin, this.#topics)
  }

  /** Ends everything; a temporary data directory is removed. May be called more than once. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(): Promise<void> {
    await this.#admin?.close()
    await this.#running.stop()
    if (this.#temporary !== undefined) await rm(this.#temporary, { recursive: true, force: true })
  }

  #addListener(host: string, port: number): string {
    const named = host === '' ? '0.0.0.0' : host
    const address = named.includes(':') ? `[${named}]:${port}` : `${named}:${port}`
    this.#listeners.push(address)
    return address
  }
}

/** While the first worker is made, this thread compiles what its first client will run. */
function rehearseOnce(options: BrokerOptions): void {
  const hasTime = isFirst && wantsWorker(options) && availableParallelism() > 1
  isFirst = false
  // Where a test has stopped the time, a client stands still.
  if (!hasTime || setImmediate !== timers.setImmediate) return
  rehearseProducer().catch(() => {})
}

function wantsWorker({ threads, config }: BrokerOptions): boolean {
  return Number(threads ?? config?.['odradek.shards'] ?? 1) !== 0
}

function opensListeners({ listen, config }: BrokerOptions): boolean {
  if (listen === undefined) return config?.['listeners'] !== undefined
  return listen !== false
}

function configOf(options: BrokerOptions, dataDir: string | undefined) {
  const texts = new Map<string, string>()
  for (const [name, value] of Object.entries(options.config ?? {})) texts.set(name, String(value))
  if (dataDir !== undefined) texts.set('log.dirs', dataDir)
  const { threads, profile } = options
  if (threads !== undefined || !texts.has('odradek.shards')) {
    texts.set('odradek.shards', String(threads ?? 1))
  }
  if (profile !== undefined || !texts.has('odradek.profile')) {
    texts.set('odradek.profile', profile ?? 'dev')
  }
  if (typeof options.listen === 'object' || options.listen === true) {
    const { host = '127.0.0.1', port = 0 } = options.listen === true ? {} : options.listen
    const listener = formatListener({ name: 'PLAINTEXT', host, port })
    if (parseListener(listener) === undefined) throw new StartError(`${host}:${port} is no address`)
    texts.set('listeners', listener)
  }
  const layers = staticLayers(withProfile(texts))
  const { faults, unknown } = checkBroker(layers)
  const [stranger] = unknown
  if (stranger !== undefined) {
    const hint = stranger.nearest === undefined ? '' : `; did you mean ${stranger.nearest}?`
    throw new StartError(`there is no setting ${stranger.name}${hint}`)
  }
  if (faults[0] !== undefined) throw new StartError(faults[0])
  return effectiveBroker(layers)
}

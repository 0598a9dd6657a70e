/**
 * Starting, watching and stopping a broker. The supervisor holds no data and no connection: it owns
 * the data directory and the workers, and starts a worker again that died.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { MessagePort, Worker } from 'node:worker_threads'
import type { Log } from '../base/log.ts'
import type { Placement } from '../cluster/placement.ts'
import type { BrokerConfig } from '../config/broker.ts'
import { dataDirectory } from '../config/effective.ts'
import { formatListener, type Listener, parseListeners } from '../config/listeners.ts'
import type { Profile } from '../config/profile.ts'
import { PortConnections } from '../net/port-connections.ts'
import { allocateCounters } from '../ring/counters.ts'
import { type DataDirectory, NO_DIRECTORY, takeDataDirectory } from './data-directory.ts'
import type { ListenerPlan } from './shard.ts'
import { StartError } from './start-error.ts'
import { type CommonOptions, type ThreadHandle, WorkerThreads } from './supervisor.ts'
import { COUNTER_NAMES } from './thread-counters.ts'
import { dismissWorker, takeWorker } from './worker-pool.ts'

export { StartError } from './start-error.ts'

/** Where the offset index lies in the data directory. */
const INDEX_FILE = path.join('odradek', 'index', 'data.mdb')

/** A broker that serves. */
export interface RunningBroker {
  /** Of the first listener; empty without one. */
  readonly host: string
  readonly port: number
  /** The listeners of the configuration, with the ports that they got. */
  readonly listeners: readonly Listener[]
  /** Worker threads that hold partitions; 0: everything runs on the caller's thread. */
  readonly shards: number
  /** Absolute; empty for a broker in memory. */
  readonly dataDir: string
  /** `strict`: as Kafka; `dev`: with the departures that config/README.md lists. */
  readonly profile: Profile
  /**
   * A connection without a network; the port may be handed to any thread of this process. Throws
   * when the broker was stopped.
   */
  connect(): MessagePort
  /**
   * Opens a further listener, whose clients are told what they dialled; answers its port. Rejects
   * with StartError.
   */
  listen(listener: Listener): Promise<number>
  /** Back to an empty broker: topics, groups and dynamic configurations go, connections stay. */
  reset(): Promise<void>
  /** Finishes what is under way, flushes, leaves a mark that all is in order. */
  stop(): Promise<void>
}

/** How a broker is started beside its configuration. */
export interface StartOptions {
  /** Nothing is written to files; `log.dirs` is not looked at. */
  readonly inMemory?: boolean
  /** The data directory is removed after the stop: nothing in it is made to survive the machine. */
  readonly temporary?: boolean
  /** Open the listeners of the configuration; default true. */
  readonly listen?: boolean
  /**
   * Runs when everything can be served, and before the listeners are opened. `connect`: as in
   * RunningBroker.
   */
  readonly prepare?: (connect: () => MessagePort) => Promise<void>
}

/** Wildcard hosts: clients are told the address that they dialled. */
const ANY_HOST: ReadonlySet<string> = new Set(['', '0.0.0.0', '::'])

/**
 * Starts a broker; resolves when clients are served. Rejects with StartError, having closed
 * everything.
 */
export async function startBroker(
  config: BrokerConfig,
  log: Log,
  options: StartOptions = {},
): Promise<RunningBroker> {
  const { inMemory = false, temporary = false } = options
  // It loads its code, which takes longest, while this thread looks at the directory.
  const first = shardsOf(config) > 0 ? takeWorker(!inMemory) : undefined
  let directory = NO_DIRECTORY
  let threads: ThreadHandle | undefined
  try {
    if (!inMemory) directory = takeDataDirectory(dataDirectory(config))
    threads = await makeThreads({ config, directory, temporary, first }, log)
    await threads.open()
    const connect = connector(threads)
    await options.prepare?.(connect)
    const listeners = options.listen === false ? [] : clientListeners(config)
    const told = parseListeners(config['advertised.listeners'] ?? [])
    const ports = listeners.length > 0 ? await threads.listen(plansOf(config, listeners, told)) : []
    const bound = listeners.map((one, i) => ({ ...one, port: ports[i] ?? one.port }))
    return handleOf(config, directory, threads, { listeners: bound, connect })
  } catch (error) {
    await threads?.stop().catch(() => {})
    if (threads === undefined && first !== undefined) await dismissWorker(first)
    directory.release(false)
    throw asStartError(error, config.listeners.join(', '))
  }
}

function handleOf(
  config: BrokerConfig,
  directory: DataDirectory,
  threads: ThreadHandle,
  { listeners, connect }: Pick<RunningBroker, 'listeners' | 'connect'>,
): RunningBroker {
  let stopped: Promise<void> | undefined
  const [first] = listeners
  return {
    host: first?.host === '' ? '0.0.0.0' : (first?.host ?? ''),
    port: first?.port ?? 0,
    listeners,
    shards: shardsOf(config),
    dataDir: directory.path,
    profile: config['odradek.profile'],
    connect() {
      if (stopped !== undefined) throw new Error('The broker is stopped.')
      return connect()
    },
    async listen(listener) {
      try {
        const [port] = await threads.listen(plansOf(config, [listener], []))
        return port as number
      } catch (error) {
        throw asStartError(error, formatListener(listener))
      }
    },
    reset: () => threads.reset(),
    stop() {
      stopped ??= threads.stop().then(() => directory.release(true))
      return stopped
    },
  }
}

/** Of all brokers of this process: what connections to one had serves those to the next. */
const connections = new PortConnections()

/** Makes connections to `threads`. */
function connector(threads: ThreadHandle): () => MessagePort {
  return () => {
    const { client, server, wiring } = connections.connect()
    threads.connect(server, wiring)
    return client
  }
}

/**
 * The number of shards: `odradek.shards`, by default one less than there are cores, at least one.
 */
function shardsOf(config: BrokerConfig): number {
  const wanted = config['odradek.shards']
  return wanted >= 0 ? wanted : Math.max(1, os.availableParallelism() - 1)
}

interface ThreadParts {
  readonly config: BrokerConfig
  readonly directory: DataDirectory
  readonly temporary: boolean
  /** The worker of the first thread; absent where there is none. */
  readonly first: Worker | undefined
}

async function makeThreads(parts: ThreadParts, log: Log): Promise<ThreadHandle> {
  const { config, directory, temporary, first } = parts
  if (directory !== NO_DIRECTORY) await lookOverIndex(directory, log)
  const shards = shardsOf(config)
  // With one shard the coordinators share its thread; with more they have one of their own.
  const threadCount = shards <= 1 ? 1 : shards + 1
  const placement: Placement = { shards: Math.max(1, shards), coordinatorThread: threadCount - 1 }
  const options: CommonOptions = {
    placement,
    threadCount,
    dataDir: directory.path,
    inMemory: directory === NO_DIRECTORY,
    durable: !temporary,
    config,
    trustCheckpoint: directory.wasClean || directory.sameBoot,
    counters: allocateCounters(COUNTER_NAMES, threadCount),
  }
  return first === undefined ? localThread(options, log) : new WorkerThreads(options, log, first)
}

/** The code that reads an index is loaded only where there is one. */
async function lookOverIndex(directory: DataDirectory, log: Log): Promise<void> {
  if (!fs.existsSync(path.join(directory.path, INDEX_FILE))) return
  const { discardDamagedIndex } = await import('../storage/index-check.ts')
  discardDamagedIndex(directory.path, directory, log)
}

/** Loaded on demand: with workers, the supervisor's thread has no use for the broker's code. */
async function localThread(options: CommonOptions, log: Log): Promise<ThreadHandle> {
  const bundled = import.meta.url.endsWith('.cjs')
  const url = new URL(bundled ? './local-thread.cjs' : './local-thread.js', import.meta.url)
  const { LocalThread } = (await import(url.href)) as typeof import('./local-thread.ts')
  return new LocalThread(options, log)
}

/** Listeners of clients: all but those of the controller, which this broker keeps inside. */
function clientListeners(config: BrokerConfig): readonly Listener[] {
  const controllers = new Set(config['controller.listener.names'].map((name) => name.toUpperCase()))
  return parseListeners(config.listeners).filter(({ name }) => !controllers.has(name))
}

/** `told`: what clients are to be told instead of what they dialled, by the listener's name. */
function plansOf(
  config: BrokerConfig,
  listeners: readonly Listener[],
  told: readonly Listener[],
): ListenerPlan[] {
  return listeners.map(({ name, host, port }) => {
    const advertised = told.find((one) => one.name === name)
    const toldHost = advertised?.host ?? host
    return {
      name,
      host: host === '' ? '::' : host,
      port,
      backlog: config['socket.listen.backlog.size'],
      reusePort: sharesPort(config),
      advertised: { host: ANY_HOST.has(toldHost) ? '' : toldHost, port: advertised?.port ?? 0 },
    }
  })
}

/**
 * Whether every shard accepts on the same port: Node can from 22.12 on. A limit on connections of
 * one address needs one thread that counts them.
 */
function sharesPort(config: BrokerConfig): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const able = major > 22 || (major === 22 && minor >= 12)
  const perAddress = config['max.connections.per.ip'] < 0x7fffffff
  const overrides = config['max.connections.per.ip.overrides'] !== ''
  return able && process.platform === 'linux' && shardsOf(config) > 1 && !perAddress && !overrides
}

function asStartError(error: unknown, where: string): Error {
  if (error instanceof StartError) return error
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return new StartError(`the address ${where} is in use`)
  if (code === 'EACCES') return new StartError(`no permission to listen on ${where}`)
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new StartError(`${where} is not an address of this machine`)
  }
  return new StartError(message)
}

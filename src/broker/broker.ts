/**
 * Starting, watching and stopping a broker. The supervisor holds no data and no connection: it owns
 * the data directory and the workers, and starts a worker again that died.
 */
import os from 'node:os'
import type { Log } from '../base/log.ts'
import type { Placement } from '../cluster/placement.ts'
import type { BrokerConfig } from '../config/broker.ts'
import { dataDirectory } from '../config/effective.ts'
import { type Listener, parseListeners } from '../config/listeners.ts'
import { allocateCounters } from '../ring/counters.ts'
import { discardDamagedIndex } from '../storage/index-check.ts'
import { type DataDirectory, takeDataDirectory } from './data-directory.ts'
import type { ListenerPlan } from './shard.ts'
import { StartError } from './start-error.ts'
import { type CommonOptions, type ThreadHandle, WorkerThreads } from './supervisor.ts'
import { COUNTER_NAMES } from './thread-counters.ts'

export { StartError } from './start-error.ts'

/** A broker that serves. */
export interface RunningBroker {
  /** Of the first listener. */
  readonly host: string
  readonly port: number
  /** Worker threads that hold partitions; 0: everything runs on the caller's thread. */
  readonly shards: number
  /** Absolute. */
  readonly dataDir: string
  /** Finishes what is under way, flushes, leaves a mark that all is in order. */
  stop(): Promise<void>
}

/** Wildcard hosts: clients are told the address that they dialled. */
const ANY_HOST: ReadonlySet<string> = new Set(['', '0.0.0.0', '::'])

/** Starts a broker; resolves when clients are served. Rejects with StartError, having closed everything. */
export async function startBroker(config: BrokerConfig, log: Log): Promise<RunningBroker> {
  const directory = takeDataDirectory(dataDirectory(config))
  let threads: ThreadHandle | undefined
  try {
    threads = await openThreads(config, directory, log)
    const listeners = clientListeners(config)
    const ports = await threads.listen(plansOf(config, listeners))
    const first = listeners[0] as Listener
    return {
      host: first.host === '' ? '0.0.0.0' : first.host,
      port: ports[0] as number,
      shards: shardsOf(config),
      dataDir: directory.path,
      stop: () => stop(threads as ThreadHandle, directory),
    }
  } catch (error) {
    await threads?.stop().catch(() => {})
    directory.release(false)
    throw asStartError(error, config)
  }
}

async function stop(threads: ThreadHandle, directory: DataDirectory): Promise<void> {
  await threads.stop()
  directory.release(true)
}

/** The number of shards: `odradek.shards`, by default one less than there are cores, at least one. */
function shardsOf(config: BrokerConfig): number {
  const wanted = config['odradek.shards']
  return wanted >= 0 ? wanted : Math.max(1, os.availableParallelism() - 1)
}

async function openThreads(
  config: BrokerConfig,
  directory: DataDirectory,
  log: Log,
): Promise<ThreadHandle> {
  discardDamagedIndex(directory.path, directory, log)
  const shards = shardsOf(config)
  // With one shard the coordinators share its thread; with more they have one of their own.
  const threadCount = shards <= 1 ? 1 : shards + 1
  const placement: Placement = { shards: Math.max(1, shards), coordinatorThread: threadCount - 1 }
  const options: CommonOptions = {
    placement,
    threadCount,
    dataDir: directory.path,
    config,
    trustCheckpoint: directory.wasClean || directory.sameBoot,
    counters: allocateCounters(COUNTER_NAMES, threadCount),
  }
  const threads = shards === 0 ? await localThread(options, log) : new WorkerThreads(options, log)
  await threads.open()
  return threads
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

function plansOf(config: BrokerConfig, listeners: readonly Listener[]): ListenerPlan[] {
  const advertised = new Map(
    parseListeners(config['advertised.listeners'] ?? []).map((one) => [one.name, one]),
  )
  return listeners.map(({ name, host, port }) => {
    const told = advertised.get(name)
    const toldHost = told?.host ?? host
    return {
      name,
      host: host === '' ? '::' : host,
      port,
      backlog: config['socket.listen.backlog.size'],
      reusePort: sharesPort(config),
      advertised: { host: ANY_HOST.has(toldHost) ? '' : toldHost, port: told?.port ?? 0 },
    }
  })
}

/**
 * Whether every shard accepts on the same port: Node can from 22.12 on. A limit on connections of one
 * address needs one thread that counts them.
 */
function sharesPort(config: BrokerConfig): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const able = major > 22 || (major === 22 && minor >= 12)
  const perAddress = config['max.connections.per.ip'] < 0x7fffffff
  const overrides = config['max.connections.per.ip.overrides'] !== ''
  return able && process.platform === 'linux' && shardsOf(config) > 1 && !perAddress && !overrides
}

function asStartError(error: unknown, config: BrokerConfig): Error {
  if (error instanceof StartError) return error
  const { code, message } = error as NodeJS.ErrnoException
  const where = config.listeners.join(', ')
  if (code === 'EADDRINUSE') return new StartError(`the address ${where} is in use`)
  if (code === 'EACCES') return new StartError(`no permission to listen on ${where}`)
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new StartError(`${where} is not an address of this machine`)
  }
  return new StartError(message)
}

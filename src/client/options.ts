/** What every client is told: where the cluster is, and how patient to be. */
import type { MessagePort } from 'node:worker_threads'
import { assert } from '../base/assert.ts'
import type { Log } from '../base/log.ts'

/** Where a broker listens. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** A broker in process: the port that `broker.connect()` gave, used by one client only. */
export interface PortTarget {
  readonly port: MessagePort
  readonly bootstrapServers?: never
}

/** A cluster on the network. */
export interface NetworkTarget {
  /** `host:port`, several as a list or with commas between. */
  readonly bootstrapServers: string | readonly string[]
  readonly port?: never
}

/** What producer, consumer and admin have in common. Times are milliseconds. */
export type ClientOptions = (PortTarget | NetworkTarget) & ClientSettings

/** Settings of all clients, each with Kafka's name and, but where it is said, Kafka's default. */
export interface ClientSettings {
  /** Shown in the broker's log and quotas. Default: 'odradek'. */
  readonly clientId?: string
  /** How long one request may take. Default: 30 s. */
  readonly requestTimeoutMs?: number
  /** How long to wait for a connection. Default: 10 s. */
  readonly connectionTimeoutMs?: number
  /** Age at which metadata is fetched anew. Default: 5 min. */
  readonly metadataMaxAgeMs?: number
  /** First wait before a retry; doubles with jitter. Default: 100 ms. */
  readonly retryBackoffMs?: number
  /** Longest wait before a retry. Default: 1 s. */
  readonly retryBackoffMaxMs?: number
  /** First wait before another connection to the same broker. Default: 50 ms. */
  readonly reconnectBackoffMs?: number
  /** Longest wait before another connection to the same broker. Default: 1 s. */
  readonly reconnectBackoffMaxMs?: number
  /** Largest answer that is read. Default: 256 MiB. */
  readonly responseBytesMax?: number
  /** Told of what the caller does not see, such as lost connections. Default: nobody. */
  readonly log?: Log
}

/** Settings with their defaults. */
export interface ResolvedSettings extends Required<ClientSettings> {}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** Fills in the defaults. */
export function resolveSettings(options: ClientSettings): ResolvedSettings {
  return {
    clientId: options.clientId ?? 'odradek',
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    connectionTimeoutMs: options.connectionTimeoutMs ?? 10_000,
    metadataMaxAgeMs: options.metadataMaxAgeMs ?? 300_000,
    retryBackoffMs: options.retryBackoffMs ?? 100,
    retryBackoffMaxMs: options.retryBackoffMaxMs ?? 1000,
    reconnectBackoffMs: options.reconnectBackoffMs ?? 50,
    reconnectBackoffMaxMs: options.reconnectBackoffMaxMs ?? 1000,
    responseBytesMax: options.responseBytesMax ?? 256 * 1024 * 1024,
    log: options.log ?? silent,
  }
}

/** The addresses of `bootstrapServers`. Throws TypeError for what is none. */
export function parseBootstrapServers(servers: string | readonly string[]): Address[] {
  const list = typeof servers === 'string' ? servers.split(',') : servers
  const addresses = list
    .map((one) => one.trim())
    .filter((one) => one !== '')
    .map(parseAddress)
  if (addresses.length === 0) throw new TypeError('bootstrapServers names no server')
  return addresses
}

function parseAddress(text: string): Address {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  const host = match?.[1] ?? match?.[2]
  if (host === undefined || port < 1 || port > 65_535) {
    throw new TypeError(`bootstrapServers: '${text}' is not host:port`)
  }
  return { host, port }
}

/**
 * How long to wait before try number `attempt` (0: the first retry): doubles up to `maxMs`, give
 * or take a fifth. Source: KIP-144, KIP-580.
 */
export function backoffMs(attempt: number, firstMs: number, maxMs: number, random: number): number {
  assert(random >= 0 && random < 1, 'random is in [0, 1)')
  const plain = firstMs * 2 ** Math.min(attempt, 30)
  return Math.min(maxMs, plain) * (0.8 + 0.4 * random)
}

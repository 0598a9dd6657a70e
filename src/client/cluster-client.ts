/**
 * The cluster as producer, consumer and admin see it: metadata, connections by broker,
 * coordinators, retries. It knows nothing of records or groups.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Metadata } from '../protocol/apis/03-metadata.ts'
import { FindCoordinator } from '../protocol/apis/10-find-coordinator.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { Api, ResponseOf } from '../protocol/schema.ts'
import type { BodyOf, ClientConnection, RequestOptions } from './connection.ts'
import { ConnectionPool } from './connection-pool.ts'
import {
  ClosedError,
  DisconnectError,
  KafkaError,
  kafkaError,
  TimeoutError,
  throwOnError,
} from './errors.ts'
import { MetadataCache, type TopicMetadata } from './metadata.ts'
import {
  type Address,
  backoffMs,
  type ClientOptions,
  parseBootstrapServers,
  type ResolvedSettings,
  resolveSettings,
} from './options.ts'
import { type Lane, portTransport, tcpTransport } from './transport.ts'

/** What a coordinator coordinates; the numbers are those of FindCoordinator. */
export const CoordinatorType = { group: 0, transaction: 1, share: 2 } as const
/** One of CoordinatorType. */
export type CoordinatorType = (typeof CoordinatorType)[keyof typeof CoordinatorType]

/** Bootstrap servers stand in the pool under negative numbers, since their ids are not known. */
const bootstrapIdOf = (index: number): number => -1 - index
const ANYWHERE: Address = { host: 'in process', port: 0 }

/** How the owner of a cluster client wants it. */
export interface ClusterClientRole {
  /** Names the owner in messages: 'producer'. */
  readonly name: string
  /** Whether asking for a topic may create it, if the broker allows it. */
  readonly allowAutoTopicCreation: boolean
}

/** Lives on one thread. Between calls: at most one Metadata request is under way. */
export class ClusterClient {
  readonly settings: ResolvedSettings
  readonly metadata = new MetadataCache()
  readonly pool: ConnectionPool
  readonly #role: ClusterClientRole
  readonly #bootstrap: readonly Address[]
  readonly #coordinators = new Map<string, number>()
  readonly #abort = new AbortController()
  /** Topics of the next Metadata request. */
  readonly #wanted = new Set<string>()
  #refreshing: Promise<void> = Promise.resolve()
  #nextRefresh: Promise<void> | undefined
  #refreshedMs = -Infinity

  constructor(options: ClientOptions, role: ClusterClientRole) {
    this.settings = resolveSettings(options)
    this.#role = role
    const { port } = options
    this.#bootstrap =
      port === undefined ? parseBootstrapServers(options.bootstrapServers) : [ANYWHERE]
    const transport = port === undefined ? tcpTransport : portTransport(port)
    this.pool = new ConnectionPool(transport, this.settings)
  }

  get closed(): boolean {
    return this.#abort.signal.aborted
  }

  /** Ends waits and requests with ClosedError or DisconnectError. */
  close(): void {
    if (this.closed) return
    this.#abort.abort()
    this.pool.close()
  }

  /** The connection to a broker; throws when its address is not known or cannot be reached. */
  async connection(nodeId: number, lane: Lane = 'main'): Promise<ClientConnection> {
    const open = this.pool.peek(nodeId, lane)
    if (open !== undefined) return open
    const address = this.pool.single ? ANYWHERE : this.metadata.brokers.get(nodeId)
    if (address === undefined) {
      throw kafkaError(ErrorCode.LEADER_NOT_AVAILABLE, `Broker ${nodeId} is not known.`)
    }
    return this.pool.get(nodeId, address, lane)
  }

  /** A connection to any broker: one that is open, else a known broker's, else a bootstrap
   *  server's. */
  async anyConnection(): Promise<ClientConnection> {
    const open = this.pool.peekAny()
    if (open !== undefined) return open
    if (this.pool.single) return this.pool.get(0, ANYWHERE)
    let failure: unknown = new DisconnectError('No broker is known.')
    const known = [...this.metadata.brokers.values()]
    const places = rotated(known).map((node) => [node.nodeId, node as Address] as const)
    const more = this.#bootstrap.map((address, i) => [bootstrapIdOf(i), address] as const)
    for (const [nodeId, address] of [...places, ...rotated(more)]) {
      try {
        return await this.pool.get(nodeId, address)
      } catch (error) {
        if (this.closed) throw new ClosedError(this.#role.name)
        failure = error
      }
    }
    throw failure
  }

  /** Asks one broker, once. */
  async requestNode<A extends Api>(
    nodeId: number,
    api: A,
    body: BodyOf<A>,
    options: RequestOptions & { lane?: Lane } = {},
  ): Promise<ResponseOf<A>> {
    const connection = await this.connection(nodeId, options.lane)
    return connection.request(api, body, options)
  }

  /** Asks any broker, once. */
  async requestAny<A extends Api>(
    api: A,
    body: BodyOf<A>,
    options: RequestOptions = {},
  ): Promise<ResponseOf<A>> {
    const connection = await this.anyConnection()
    return connection.request(api, body, options)
  }

  /** Asks the coordinator of `key`, once. Codes NOT_COORDINATOR and the like inside of the answer
   *  are the caller's to see: it calls `forgetCoordinator` then. */
  async requestCoordinator<A extends Api>(
    type: CoordinatorType,
    key: string,
    api: A,
    body: BodyOf<A>,
    options: RequestOptions & { lane?: Lane } = {},
  ): Promise<ResponseOf<A>> {
    const nodeId = await this.coordinator(type, key)
    try {
      return await this.requestNode(nodeId, api, body, options)
    } catch (error) {
      if (error instanceof KafkaError && error.retriable) this.forgetCoordinator(type, key)
      throw error
    }
  }

  /** Which broker coordinates `key`; looked up once and remembered. */
  async coordinator(type: CoordinatorType, key: string): Promise<number> {
    const known = this.#coordinators.get(`${type}/${key}`)
    if (known !== undefined) return known
    const answer = await this.requestAny(FindCoordinator, (version) =>
      version >= 4
        ? { keyType: type, coordinatorKeys: [key] }
        : { key, ...(version >= 1 ? { keyType: type } : {}) },
    )
    const found = answer.coordinators[0] ?? answer
    throwOnError(found.errorCode, found.errorMessage)
    const { nodeId, host, port } = found
    if (!this.metadata.brokers.has(nodeId)) {
      this.metadata.brokers.set(nodeId, { nodeId, host, port, rack: null })
    }
    this.#coordinators.set(`${type}/${key}`, nodeId)
    return nodeId
  }

  /** The coordinator has moved, or does not answer. */
  forgetCoordinator(type: CoordinatorType, key: string): void {
    this.#coordinators.delete(`${type}/${key}`)
  }

  /** Fetches metadata of `names` besides what others want; default: of all topics in the cache.
   *  Rejects with KafkaError when no broker answers. */
  refreshMetadata(names?: Iterable<string>): Promise<void> {
    const wanted = names ?? [...this.metadata.topics()].map(({ name }) => name)
    for (const name of wanted) this.#wanted.add(name)
    this.#nextRefresh ??= this.#refreshNext()
    return this.#nextRefresh
  }

  /** Fetches metadata of all topics, for subscriptions by pattern. */
  async refreshAllTopics(): Promise<void> {
    const answer = await this.requestAny(Metadata, { topics: null, allowAutoTopicCreation: false })
    throwOnError(answer.errorCode)
    this.metadata.update(answer, true)
  }

  /** Fetches metadata in the background if it is old. */
  refreshIfStale(): void {
    if (performance.now() - this.#refreshedMs < this.settings.metadataMaxAgeMs) return
    this.#refreshedMs = performance.now()
    this.refreshMetadata().catch((error: unknown) => {
      this.settings.log.debug('metadata could not be refreshed', { error })
    })
  }

  /** A topic, waited for until it exists. Rejects with TimeoutError after `timeoutMs`, or at once
   *  with an error that will not go away. */
  topicMetadata(name: string, timeoutMs: number): Promise<TopicMetadata> {
    const known = this.metadata.topic(name)
    if (known !== undefined) return Promise.resolve(known)
    return this.retry(
      async () => {
        await this.refreshMetadata([name])
        const topic = this.metadata.topic(name)
        if (topic !== undefined) return topic
        const code = this.metadata.errorOf(name)
        throw kafkaError(code === ErrorCode.NONE ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : code)
      },
      timeoutMs,
      `metadata of topic '${name}'`,
    )
  }

  /** Repeats `attempt` while it rejects with a retriable error and time is left. `what` is for the
   *  TimeoutError, whose cause is the last error. */
  async retry<T>(attempt: () => Promise<T>, timeoutMs: number, what: string): Promise<T> {
    const deadlineMs = performance.now() + timeoutMs
    for (let tries = 0; ; tries++) {
      if (this.closed) throw new ClosedError(this.#role.name)
      try {
        return await attempt()
      } catch (error) {
        if (this.closed) throw new ClosedError(this.#role.name)
        if (!(error instanceof KafkaError) || !error.retriable) throw error
        const waitMs = this.backoffMs(tries)
        if (performance.now() + waitMs >= deadlineMs) {
          throw new TimeoutError(`No ${what} within ${timeoutMs} ms: ${error.message}`, error)
        }
        await this.wait(waitMs)
      }
    }
  }

  /** How long to wait before retry number `attempt`, with jitter. */
  backoffMs(attempt: number): number {
    const { retryBackoffMs, retryBackoffMaxMs } = this.settings
    return backoffMs(attempt, retryBackoffMs, retryBackoffMaxMs, Math.random())
  }

  /** Waits; rejects with ClosedError when the client is closed meanwhile. */
  async wait(ms: number): Promise<void> {
    try {
      await delay(ms, undefined, { signal: this.#abort.signal })
    } catch {
      throw new ClosedError(this.#role.name)
    }
  }

  async #refreshNext(): Promise<void> {
    // One after the other; what is wanted meanwhile goes with the next.
    await this.#refreshing.catch(() => {})
    const names = [...this.#wanted]
    this.#wanted.clear()
    this.#nextRefresh = undefined
    this.#refreshing = this.#fetchMetadata(names)
    await this.#refreshing
  }

  async #fetchMetadata(names: readonly string[]): Promise<void> {
    const { allowAutoTopicCreation } = this.#role
    const connection = await this.anyConnection()
    const answer = await connection.request(Metadata, (version) => ({
      topics: names.map((name) => ({ name })),
      ...(version >= 4 ? { allowAutoTopicCreation } : {}),
    }))
    if (answer.errorCode === ErrorCode.REBOOTSTRAP_REQUIRED) {
      for (const nodeId of [...this.metadata.brokers.keys()]) this.pool.drop(nodeId)
      this.metadata.brokers.clear()
      throw kafkaError(ErrorCode.NETWORK_EXCEPTION, 'The cluster asks to bootstrap anew.')
    }
    throwOnError(answer.errorCode)
    this.metadata.update(answer, false)
    this.#refreshedMs = performance.now()
    this.#adoptBootstrap()
  }

  /** A connection to a bootstrap server stays in use if that is the advertised address. */
  #adoptBootstrap(): void {
    if (this.pool.single) return
    for (const [i, address] of this.#bootstrap.entries()) {
      for (const { nodeId, host, port } of this.metadata.brokers.values()) {
        if (host !== address.host || port !== address.port) continue
        this.pool.adopt(bootstrapIdOf(i), nodeId)
      }
    }
  }
}

/** The same in an order that differs from client to client, so that they spread. */
function rotated<T>(list: readonly T[]): T[] {
  const from = Math.floor(Math.random() * list.length)
  return [...list.slice(from), ...list.slice(0, from)]
}

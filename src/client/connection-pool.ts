/** The connections of one client: at most one per broker and lane, opened when it is needed. */
import { setTimeout as delay } from 'node:timers/promises'
import { ClientConnection } from './connection.ts'
import { ClosedError, DisconnectError } from './errors.ts'
import { type Address, backoffMs, type ResolvedSettings } from './options.ts'
import type { Lane, Transport, Wire } from './transport.ts'

/** One place for a connection. */
interface Link {
  readonly lane: Lane
  connection: ClientConnection | undefined
  opening: Promise<ClientConnection> | undefined
  /** Attempts that failed in a row. */
  failures: number
  /** Monotonic ms before which it is not tried again. */
  notBeforeMs: number
}

/** Lives on one thread. */
export class ConnectionPool {
  readonly #transport: Transport
  readonly #settings: ResolvedSettings
  readonly #links = new Map<string, Link>()
  readonly #abort = new AbortController()
  /** Streams on which nothing is agreed yet. */
  readonly #opening = new Set<Wire>()

  constructor(transport: Transport, settings: ResolvedSettings) {
    this.#transport = transport
    this.#settings = settings
  }

  /** Whether all nodes are reached over the same connections. */
  get single(): boolean {
    return this.#transport.single
  }

  /** The connection if it is open. */
  peek(nodeId: number, lane: Lane = 'main'): ClientConnection | undefined {
    return this.#links.get(this.#keyOf(nodeId, lane))?.connection
  }

  /** An open connection with as little to do as any. */
  peekAny(): ClientConnection | undefined {
    let best: ClientConnection | undefined
    for (const [key, { connection }] of this.#links) {
      if (connection === undefined || !key.endsWith('/main')) continue
      if (best === undefined || connection.inFlight < best.inFlight) best = connection
    }
    return best
  }

  /** The connection, opened if need be. Rejects with KafkaError. */
  get(nodeId: number, address: Address, lane: Lane = 'main'): Promise<ClientConnection> {
    if (this.#abort.signal.aborted) return Promise.reject(new ClosedError('client'))
    const key = this.#keyOf(nodeId, lane)
    let link = this.#links.get(key)
    if (link === undefined) {
      link = { lane, connection: undefined, opening: undefined, failures: 0, notBeforeMs: 0 }
      this.#links.set(key, link)
    }
    if (link.connection !== undefined) return Promise.resolve(link.connection)
    link.opening ??= this.#open(link, address)
    return link.opening
  }

  /** Gives the connection that was opened to learn of the cluster to the broker that it reached. */
  adopt(bootstrapId: number, nodeId: number): void {
    const from = this.#links.get(this.#keyOf(bootstrapId, 'main'))
    if (this.single || from?.connection === undefined) return
    const key = this.#keyOf(nodeId, 'main')
    if (this.#links.has(key)) return
    this.#links.delete(this.#keyOf(bootstrapId, 'main'))
    this.#links.set(key, from)
  }

  /** Closes the connections of a broker. */
  drop(nodeId: number): void {
    for (const lane of ['main', 'fetch', 'coordinator'] as const) this.peek(nodeId, lane)?.close()
  }

  /** Closes all of them for good. */
  close(): void {
    this.#abort.abort()
    for (const { connection } of this.#links.values()) connection?.close()
    // Their brokers may never answer, and until then they would keep the process running.
    for (const wire of this.#opening) wire.close()
    this.#links.clear()
    this.#transport.close()
  }

  async #open(link: Link, address: Address): Promise<ClientConnection> {
    const { reconnectBackoffMs, reconnectBackoffMaxMs, connectionTimeoutMs, log } = this.#settings
    const peer = this.single ? 'the broker' : `${address.host}:${address.port}`
    try {
      const waitMs = link.notBeforeMs - performance.now()
      if (waitMs > 0) await this.#wait(waitMs)
      const { signal } = this.#abort
      const wire = await this.#transport.open(address, link.lane, connectionTimeoutMs, signal)
      if (signal.aborted) {
        wire.close()
        throw new ClosedError('client')
      }
      this.#opening.add(wire)
      const connection = await ClientConnection.open(wire, peer, this.#settings, (closed) => {
        if (link.connection !== closed) return
        link.connection = undefined
        if (!this.#abort.signal.aborted) log.debug('a connection was lost', { peer })
      }).finally(() => this.#opening.delete(wire))
      if (this.#abort.signal.aborted) {
        connection.close()
        throw new ClosedError('client')
      }
      // It may have ended in the turn in which it was opened.
      if (connection.closed) throw new DisconnectError(`${peer} closed the connection.`)
      link.connection = connection
      link.failures = 0
      link.notBeforeMs = performance.now() + reconnectBackoffMs
      return connection
    } catch (error) {
      const waitMs = backoffMs(
        link.failures++,
        reconnectBackoffMs,
        reconnectBackoffMaxMs,
        Math.random(),
      )
      link.notBeforeMs = performance.now() + waitMs
      throw this.#abort.signal.aborted ? new ClosedError('client') : error
    } finally {
      link.opening = undefined
    }
  }

  async #wait(ms: number): Promise<void> {
    try {
      await delay(ms, undefined, { signal: this.#abort.signal })
    } catch {
      throw new ClosedError('client')
    }
  }

  #keyOf(nodeId: number, lane: Lane): string {
    return this.single ? `port/${lane}` : `${nodeId}/${lane}`
  }
}

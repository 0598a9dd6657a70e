/**
 * From frames to handlers and back: header, version, decoder, exchange, and answers in the order of
 * their requests. Lives on one thread. A connection has one request under way, as in Kafka; Produce
 * alone may follow Produce, so that a producer's pipeline is not a chain of round trips.
 */
import { assert } from '../base/assert.ts'
import type { Log } from '../base/log.ts'
import type { Connection } from '../net/connection.ts'
import { decodeRequest, encodeResponse } from '../protocol/compile.ts'
import { decodeRequestHeader, encodeResponseHeader } from '../protocol/header.ts'
import { MalformedRequest } from '../protocol/reader.ts'
import { Writer } from '../protocol/writer.ts'
import type { BufferPool, PooledBuffer } from '../ring/arena.ts'
import type { BrokerContext, Endpoint } from './context.ts'
import { unsupportedVersionResponse } from './handlers/18-api-versions.ts'
import type { ConnectionSession, Exchange, Handler } from './handlers/handler.ts'

const API_VERSIONS = 18

/** Produce requests of one connection that may be under way at once. */
const PIPELINE_MAX = 16

/** What dispatch remembers of a connection. */
class ConnectionState implements ConnectionSession {
  clientSoftwareName = 'unknown'
  clientSoftwareVersion = 'unknown'
  isCoordinated = false
  readonly name: string
  readonly endpoint: Endpoint
  readonly clientHost: string
  /** Requests under way, oldest first: their answers leave in this order. */
  readonly underWay: RequestExchange[] = []

  constructor(name: string, endpoint: Endpoint, remoteAddress: string) {
    this.name = name
    this.endpoint = endpoint
    this.clientHost = `/${remoteAddress.replace(/^::ffff:/, '')}`
  }
}

export class Dispatcher {
  readonly context: BrokerContext
  readonly pool: BufferPool
  readonly log: Log
  readonly #handlers: (Handler | undefined)[] = []
  readonly #writer = new Writer()

  constructor(context: BrokerContext, handlers: readonly Handler[], pool: BufferPool, log: Log) {
    this.context = context
    this.pool = pool
    this.log = log
    for (const handler of handlers) this.#handlers[handler.api.key] = handler
  }

  /** A connection was made on the listener that advertises `endpoint`. */
  onOpened(connection: Connection, endpoint: Endpoint): void {
    const name = `${this.context.thread}:${connection.id}`
    connection.session = new ConnectionState(name, endpoint, connection.remoteAddress)
  }

  /** Whether the frame at `from` may start while others of its connection are under way. */
  // hot
  mayStart(connection: Connection, bytes: Buffer, from: number): boolean {
    const { underWay } = connection.session as ConnectionState
    if (underWay.length === 0) return true
    const last = underWay[underWay.length - 1] as RequestExchange
    if (!last.pipelined || underWay.length >= PIPELINE_MAX) return false
    return this.#handlers[bytes.readInt16BE(from)]?.pipelined === true
  }

  /** Whether a request of the connection is under way. */
  isBusy(connection: Connection): boolean {
    return (connection.session as ConnectionState).underWay.length > 0
  }

  // hot
  onFrame(
    connection: Connection,
    bytes: Buffer,
    from: number,
    to: number,
    pooled: PooledBuffer | undefined,
  ): void {
    try {
      this.#start(connection, bytes, from, to, pooled)
    } catch (error) {
      if (error instanceof MalformedRequest) {
        connection.close(`malformed request: ${error.message}`)
        return
      }
      this.log.error('a handler failed', { error: (error as Error).stack })
      connection.close('a handler failed')
    }
  }

  /** Whatever is under way for `connection` goes on without it. */
  onClosed(connection: Connection): void {
    const state = connection.session as ConnectionState
    for (const exchange of state.underWay.splice(0)) exchange.abandon()
    if (!state.isCoordinated) return
    const by = connection.closedByPeer ? 'client' : 'broker'
    const command = { kind: 'connection-closed', connection: state.name, by } as const
    this.context.callCoordinator(command, () => {})
  }

  /** Encodes an answer into the chunks of its frame. */
  encode(handler: Handler, version: number, correlationId: number, response: unknown): Buffer[] {
    const writer = this.#writer
    writer.startFrame()
    encodeResponseHeader(writer, handler.api, version, correlationId)
    encodeResponse(handler.api, version, response as never, writer)
    return writer.finishFrame()
  }

  #start(
    connection: Connection,
    bytes: Buffer,
    from: number,
    to: number,
    pooled: PooledBuffer | undefined,
  ): void {
    const apiKey = bytes.readInt16BE(from)
    const apiVersion = bytes.readInt16BE(from + 2)
    const handler = this.#handlers[apiKey]
    if (handler === undefined) {
      connection.close(`API ${apiKey} is not served`)
      return
    }
    const [lowest, highest] = handler.served
    if (apiVersion < lowest || apiVersion > highest) {
      this.#refuseVersion(connection, handler, apiVersion, bytes.readInt32BE(from + 4))
      return
    }
    const isFlexible = () => apiVersion >= handler.api.flexibleFrom
    const header = decodeRequestHeader(bytes, from, isFlexible, to)
    const request = decodeRequest(handler.api, apiVersion, bytes, header.bodyAt, to)
    const exchange = new RequestExchange(this, connection, handler, header, pooled)
    ;(connection.session as ConnectionState).underWay.push(exchange)
    handler.handle(request, exchange)
  }

  /**
   * A client that asks with another ApiVersions is told what there is, in the oldest form
   * (KIP-511).
   */
  #refuseVersion(
    connection: Connection,
    handler: Handler,
    version: number,
    correlationId: number,
  ): void {
    if (handler.api.key !== API_VERSIONS) {
      connection.close(`${handler.api.name} version ${version} is not served`)
      return
    }
    connection.send(this.encode(handler, 0, correlationId, unsupportedVersionResponse), undefined)
  }
}

/** One request under way. */
class RequestExchange implements Exchange<unknown> {
  readonly apiVersion: number
  readonly clientId: string | null
  readonly frame: PooledBuffer | undefined
  onAbandoned: (() => void) | undefined
  readonly #dispatcher: Dispatcher
  readonly #connection: Connection
  readonly #handler: Handler
  readonly #correlationId: number
  /** The answer, once there is one; an empty list is the answer that is none. */
  #chunks: readonly Buffer[] | undefined
  #onSent: (() => void) | undefined
  #ended = false

  constructor(
    dispatcher: Dispatcher,
    connection: Connection,
    handler: Handler,
    header: { apiVersion: number; correlationId: number; clientId: string | null },
    frame: PooledBuffer | undefined,
  ) {
    this.#dispatcher = dispatcher
    this.#connection = connection
    this.#handler = handler
    this.apiVersion = header.apiVersion
    this.clientId = header.clientId
    this.#correlationId = header.correlationId
    this.frame = frame
    if (frame !== undefined) dispatcher.pool.retain(frame)
  }

  get context(): BrokerContext {
    return this.#dispatcher.context
  }

  get session(): ConnectionSession {
    return this.#connection.session as ConnectionState
  }

  get endpoint(): Endpoint {
    return (this.#connection.session as ConnectionState).endpoint
  }

  get clientHost(): string {
    return (this.#connection.session as ConnectionState).clientHost
  }

  get pipelined(): boolean {
    return this.#handler.pipelined
  }

  get abandoned(): boolean {
    return this.#connection.closed
  }

  reply(response: unknown, onSent?: () => void): void {
    if (this.#ended) {
      // The connection is gone; nobody reads the answer.
      onSent?.()
      return
    }
    this.#onSent = onSent
    try {
      this.#end(
        this.#dispatcher.encode(this.#handler, this.apiVersion, this.#correlationId, response),
      )
    } catch (error) {
      this.#dispatcher.log.error(`${this.#handler.api.name}: an answer cannot be encoded`, {
        error: (error as Error).stack,
      })
      this.disconnect('an answer cannot be encoded')
    }
  }

  replyNothing(): void {
    this.#end([])
  }

  disconnect(reason: string): void {
    this.#connection.close(reason)
  }

  /** The connection is gone: frees what the exchange holds. */
  abandon(): void {
    if (this.#ended) return
    this.#ended = true
    if (this.#chunks === undefined) {
      this.#releaseFrame()
      this.onAbandoned?.()
    }
    this.#onSent?.()
    this.#onSent = undefined
  }

  #end(chunks: readonly Buffer[]): void {
    assert(this.#chunks === undefined, 'an exchange ends once')
    if (this.#ended) return
    this.#chunks = chunks
    const { underWay } = this.#connection.session as ConnectionState
    const wasFirst = underWay[0] === this
    this.#releaseFrame()
    if (!wasFirst) return
    while (underWay.length > 0) {
      const first = underWay[0] as RequestExchange
      if (first.#chunks === undefined) break
      underWay.shift()
      first.#ended = true
      if (first.#chunks.length > 0) this.#connection.send(first.#chunks, first.#onSent)
      else first.#onSent?.()
      first.#onSent = undefined
    }
    this.#connection.resume()
  }

  #releaseFrame(): void {
    if (this.frame !== undefined) this.#dispatcher.pool.release(this.frame)
  }
}

/**
 * The form of a handler: one file per Kafka API, registered in `index.ts`. A handler is synchronous
 * and ends each exchange exactly once: by `reply`, `replyNothing` or `disconnect`, now or later.
 */
import type { Api, RequestOf, ResponseInput } from '../../protocol/schema.ts'
import type { PooledBuffer } from '../../ring/arena.ts'
import type { BrokerContext, Endpoint } from '../context.ts'

/** One request and the one answer that it gets. */
export interface Exchange<Response> {
  readonly apiVersion: number
  readonly clientId: string | null
  /** The peer's address as Kafka prints it, with a leading slash: `/127.0.0.1`. */
  readonly clientHost: string
  /** What the client is told to connect to: the advertised address of its listener. */
  readonly endpoint: Endpoint
  /** State that lives as long as the connection, for handlers that need one. */
  readonly session: ConnectionSession
  readonly context: BrokerContext
  /**
   * The memory of the request's bytes where it may be kept until the answer; see PartitionProxy.
   */
  readonly frame: PooledBuffer | undefined
  /** Whether the connection is gone, so that nobody waits for the answer. */
  readonly abandoned: boolean
  /** Called when the connection goes before the answer: what waits need not wait any longer. */
  onAbandoned: (() => void) | undefined
  /**
   * Ends the exchange with an answer. `onSent`: called once when its bytes are not needed any more.
   */
  reply(response: Response, onSent?: () => void): void
  /** Ends the exchange without an answer (Produce with acks=0). */
  replyNothing(): void
  /** Ends the exchange by closing the connection; `reason` goes to the log. */
  disconnect(reason: string): void
}

/** What a connection remembers between requests. */
export interface ConnectionSession {
  /** From ApiVersions v3 and later (KIP-511). */
  clientSoftwareName: string
  clientSoftwareVersion: string
  /** Names the connection among all of this broker that are open. */
  readonly name: string
  /** Members of groups may have spoken over it, so its end is told to the coordinator. */
  isCoordinated: boolean
}

/**
 * A registered handler; the types of request and response are erased here, `defineHandler` keeps
 * them.
 */
export interface Handler {
  readonly api: Api
  /** The versions that are served. */
  readonly served: readonly [number, number]
  /** The versions that ApiVersions names; wider than `served` only where Kafka's is. */
  readonly advertised: readonly [number, number]
  /** Produce alone may start before the previous answer of its connection left. */
  readonly pipelined: boolean
  handle(request: unknown, exchange: Exchange<unknown>): void
}

/** Registers a handler. `options.advertised` defaults to `served`. */
export function defineHandler<A extends Api>(
  api: A,
  served: readonly [number, number],
  handle: (request: RequestOf<A>, exchange: Exchange<ResponseInput<A>>) => void,
  options: { advertised?: readonly [number, number]; pipelined?: boolean } = {},
): Handler {
  return {
    api,
    served,
    advertised: options.advertised ?? served,
    pipelined: options.pipelined ?? false,
    handle: handle as (request: unknown, exchange: Exchange<unknown>) => void,
  }
}

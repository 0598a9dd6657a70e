/**
 * One connection to a broker: frames requests, matches answers by correlation id, and knows which
 * versions both sides speak. Requests are pipelined; a broker answers them in their order.
 */

import { Produce } from '../protocol/apis/00-produce.ts'
import { ApiVersions } from '../protocol/apis/18-api-versions.ts'
import { decodeResponse, encodeRequest } from '../protocol/compile.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { decodeResponseHeader, encodeRequestHeader } from '../protocol/header.ts'
import type { Api, Field, RequestInput, ResponseOf } from '../protocol/schema.ts'
import { Writer } from '../protocol/writer.ts'
import { DisconnectError, KafkaError, TimeoutError } from './errors.ts'
import { FrameReader } from './frame-reader.ts'
import type { ByteSink, Wire } from './transport.ts'

/** What the broker is told about us: the body of ApiVersions. KIP-511. */
export const SOFTWARE = { clientSoftwareName: 'odradek', clientSoftwareVersion: '0.1.0' }
const CORRELATION_ID_MAX = 0x7fffffff

/** How a connection is set up. */
export interface ConnectionSettings {
  readonly clientId: string
  readonly requestTimeoutMs: number
  readonly responseBytesMax: number
}

/** How one request differs. */
export interface RequestOptions {
  /** Default: requestTimeoutMs. Whatever the broker itself may wait comes on top of it. */
  readonly timeoutMs?: number | undefined
  /** Highest version to use, where a later one means something else. */
  readonly versionMax?: number | undefined
}

/** A request's body, or a function from the version that will be used to it. */
export type BodyOf<A extends Api> = RequestInput<A> | ((version: number) => RequestInput<A>)

/** Lowest and highest version, by API key. */
export type VersionRanges = ReadonlyMap<number, readonly [number, number]>

/** An answer that is waited for. */
interface Pending {
  readonly correlationId: number
  readonly api: Api
  readonly version: number
  readonly deadlineMs: number
  readonly timeoutMs: number
  readonly resolve: (response: never) => void
  readonly reject: (error: Error) => void
}

const writer = new Writer()

/** A connection that is open. Lives on one thread. A request that times out ends it, since the
 *  answers behind would be late as well. */
export class ClientConnection {
  readonly #wire: Wire
  readonly #settings: ConnectionSettings
  readonly #peer: string
  readonly #onClosed: (connection: ClientConnection) => void
  /** In the order of the requests. */
  readonly #pending: Pending[] = []
  #versions: VersionRanges = new Map()
  #features: ReadonlyMap<string, number> = new Map()
  #nextCorrelationId = 0
  #timer: NodeJS.Timeout | undefined
  #timerAtMs = Infinity
  #corked = false
  #failure: KafkaError | undefined

  private constructor(
    wire: Wire,
    peer: string,
    settings: ConnectionSettings,
    onClosed: (connection: ClientConnection) => void,
  ) {
    this.#wire = wire
    this.#peer = peer
    this.#settings = settings
    this.#onClosed = onClosed
    const frames = new FrameReader(settings.responseBytesMax, (bytes, from, to, owned) =>
      this.#onFrame(bytes, from, to, owned),
    )
    wire.start(this.#guarded(frames), (error) =>
      this.#fail(new DisconnectError(`${peer} closed the connection.`, error)),
    )
  }

  /**
   * Agrees on versions over a stream that has just been opened. `peer` is for messages; `onClosed`
   * is called once, also after `close`. Rejects with KafkaError.
   */
  static async open(
    wire: Wire,
    peer: string,
    settings: ConnectionSettings,
    onClosed: (connection: ClientConnection) => void = () => {},
  ): Promise<ClientConnection> {
    const connection = new ClientConnection(wire, peer, settings, onClosed)
    try {
      await connection.#negotiate()
    } catch (error) {
      connection.close()
      throw error
    }
    return connection
  }

  /** Requests without an answer. */
  get inFlight(): number {
    return this.#pending.length
  }

  /** Bytes that the peer has not taken. */
  get unsentBytes(): number {
    return this.#wire.writableLength
  }

  get closed(): boolean {
    return this.#failure !== undefined
  }

  /** The highest version of `api` that both sides speak, or undefined. */
  versionOf(api: Api, versionMax: number = api.latestStable): number | undefined {
    const range = this.#versions.get(api.key)
    if (range === undefined) return undefined
    const version = Math.min(api.latestStable, range[1], versionMax)
    return version >= Math.max(api.versions[0], range[0]) ? version : undefined
  }

  /** The level that a feature has in the cluster; 0: none. KIP-584. */
  featureLevel(name: string): number {
    return this.#features.get(name) ?? 0
  }

  /**
   * Sends a request and resolves to the answer, whose byte values may be kept. Rejects with
   * KafkaError: DisconnectError, TimeoutError, or UNSUPPORTED_VERSION.
   */
  request<A extends Api>(
    api: A,
    body: BodyOf<A>,
    options: RequestOptions = {},
  ): Promise<ResponseOf<A>> {
    const version = this.versionOf(api, options.versionMax)
    if (version === undefined) return Promise.reject(this.#unsupported(api))
    const chosen = typeof body === 'function' ? body(version) : body
    return this.#exchange(api, version, chosen, options.timeoutMs)
  }

  /** Sends a request that has no answer (Produce with acks 0). `done`: its bytes may be reused,
   *  and whether they were sent. */
  send<A extends Api>(
    api: A,
    body: RequestInput<A>,
    options: RequestOptions = {},
    done?: (error?: Error | null) => void,
  ): void {
    const version = this.versionOf(api, options.versionMax)
    if (version === undefined) throw this.#unsupported(api)
    if (this.#failure !== undefined) throw this.#failure
    this.#write(api, version, body, this.#correlate(), done)
  }

  /** Ends the connection; requests in flight are rejected with DisconnectError. */
  close(): void {
    this.#fail(new DisconnectError('The connection was closed.'))
  }

  async #negotiate(): Promise<void> {
    let version = ApiVersions.latestStable
    for (;;) {
      const answer = await this.#exchange(ApiVersions, version, SOFTWARE)
      const ranges = new Map(
        answer.apiKeys.map((one) => [one.apiKey, [one.minVersion, one.maxVersion] as const]),
      )
      if (answer.errorCode === ErrorCode.NONE) {
        this.#versions = ranges
        this.#features = new Map(
          answer.finalizedFeatures.map((one) => [one.name, one.maxVersionLevel]),
        )
        return
      }
      // KIP-511: a broker that does not know the version says which ones it knows; those before
      // say nothing, but all know the first.
      const highest = ranges.get(ApiVersions.key)?.[1] ?? 0
      if (answer.errorCode !== ErrorCode.UNSUPPORTED_VERSION || highest >= version) {
        throw new KafkaError(answer.errorCode)
      }
      version = highest
    }
  }

  #exchange<A extends Api>(
    api: A,
    version: number,
    body: RequestInput<A>,
    timeoutMs: number = this.#settings.requestTimeoutMs,
  ): Promise<ResponseOf<A>> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      const correlationId = this.#correlate()
      this.#write(api, version, body, correlationId)
      const deadlineMs = performance.now() + timeoutMs
      this.#pending.push({ correlationId, api, version, deadlineMs, timeoutMs, resolve, reject })
      if (deadlineMs < this.#timerAtMs) this.#arm(deadlineMs)
    })
  }

  #correlate(): number {
    const id = this.#nextCorrelationId
    this.#nextCorrelationId = id === CORRELATION_ID_MAX ? 0 : id + 1
    return id
  }

  #write<A extends Api>(
    api: A,
    version: number,
    body: RequestInput<A>,
    correlationId: number,
    done?: (error?: Error | null) => void,
  ): void {
    writer.startFrame()
    encodeRequestHeader(writer, api, version, { correlationId, clientId: this.#settings.clientId })
    encodeRequest(api, version, body, writer)
    const chunks = writer.finishFrame()
    if (!this.#corked) {
      this.#corked = true
      this.#wire.cork()
      // Requests of one piece of code leave in one write. Not by nextTick, which would wait for a
      // user who goes from record to record without a pause: the next fetch has to go out before.
      queueMicrotask(() => {
        this.#corked = false
        this.#wire.uncork()
      })
    }
    const last = chunks.length - 1
    for (let i = 0; i < last; i++) this.#wire.write(chunks[i] as Buffer)
    this.#wire.write(chunks[last] as Buffer, done)
  }

  /** A sink that ends the connection when the bytes are no answers. */
  #guarded(frames: FrameReader): ByteSink {
    const guard = <T>(take: (value: T) => void) => {
      return (value: T) => {
        try {
          take(value)
        } catch (error) {
          this.#fail(new DisconnectError(`${this.#peer} sent what is no answer.`, error))
        }
      }
    }
    return {
      target: () => frames.target(),
      received: guard((n: number) => frames.received(n)),
      push: guard((bytes: Buffer) => frames.push(bytes)),
    }
  }

  #onFrame(bytes: Buffer, from: number, to: number, owned: boolean): void {
    const pending = this.#pending.shift()
    if (pending === undefined) throw new Error('an answer that nobody asked for')
    const { api, version } = pending
    let frame = bytes
    let at = from
    if (!owned && hasByteValues(api)) {
      frame = Buffer.allocUnsafeSlow(to - from)
      bytes.copy(frame, 0, from, to)
      at = 0
    } else if (to < bytes.length) {
      // Reading may not go on into the frame behind.
      frame = bytes.subarray(0, to)
    }
    let answer: unknown
    try {
      const { correlationId, bodyAt } = decodeResponseHeader(frame, at, api, version)
      if (correlationId !== pending.correlationId) throw new Error(`an answer to ${correlationId}`)
      answer = decodeResponse(api, answeredVersion(api, version, frame, bodyAt), frame, bodyAt)
    } catch (error) {
      this.#pending.unshift(pending)
      throw error
    }
    pending.resolve(answer as never)
  }

  #arm(atMs: number): void {
    clearTimeout(this.#timer)
    this.#timerAtMs = atMs
    const delay = Math.max(1, Math.ceil(atMs - performance.now()))
    this.#timer = setTimeout(() => this.#onTimer(), delay).unref()
  }

  #onTimer(): void {
    this.#timerAtMs = Infinity
    const now = performance.now()
    const late = this.#pending.find(({ deadlineMs }) => deadlineMs <= now)
    if (late !== undefined) {
      const { api, timeoutMs } = late
      const what = `${this.#peer} did not answer ${api.name} within ${Math.round(timeoutMs)} ms.`
      this.#fail(new TimeoutError(what))
      return
    }
    const next = this.#pending.reduce((least, one) => Math.min(least, one.deadlineMs), Infinity)
    if (next !== Infinity) this.#arm(next)
  }

  #fail(failure: KafkaError): void {
    if (this.#failure !== undefined) return
    this.#failure = failure
    clearTimeout(this.#timer)
    this.#wire.close()
    for (const { reject } of this.#pending.splice(0)) reject(failure)
    this.#onClosed(this)
  }

  #unsupported(api: Api): KafkaError {
    const message = `${this.#peer} does not serve ${api.name} in a version that we speak.`
    return new KafkaError(ErrorCode.UNSUPPORTED_VERSION, { message })
  }
}

/** ApiVersions is answered in v0 to a version that the broker does not know. */
function answeredVersion(api: Api, version: number, frame: Buffer, bodyAt: number): number {
  if (api.key !== ApiVersions.key || frame.length < bodyAt + 2) return version
  return frame.readInt16BE(bodyAt) === ErrorCode.UNSUPPORTED_VERSION ? 0 : version
}

const byteValues = new Map<Api, boolean>([[Produce, false]])

/** Whether a decoded answer holds views into its frame. */
function hasByteValues(api: Api): boolean {
  const known = byteValues.get(api)
  if (known !== undefined) return known
  const found = Object.values(api.response.fields).some(holdsBytes)
  byteValues.set(api, found)
  return found
}

function holdsBytes(field: Field): boolean {
  if (field.kind === 'bytes' || field.kind === 'records') return true
  if (field.element !== undefined) return holdsBytes(field.element)
  return field.fields !== undefined && Object.values(field.fields).some(holdsBytes)
}

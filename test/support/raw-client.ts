/**
 * A Kafka client without manners: it sends any bytes, any version, as many requests ahead as it
 * likes, and shows what comes back frame by frame. For tests of what is on the wire.
 */
import { connect, type Socket } from 'node:net'
import { decodeResponse, encodeRequest } from '../../src/protocol/compile.ts'
import { decodeResponseHeader, encodeRequestHeader } from '../../src/protocol/header.ts'
import type { Api, RequestInput, ResponseOf } from '../../src/protocol/schema.ts'
import { Writer } from '../../src/protocol/writer.ts'

/** What a request carries besides its body. */
export interface RequestOptions {
  correlationId?: number
  clientId?: string | null
}

const NO_FRAME_MS_MAX = 20_000
const writer = new Writer()

/** A request with the size in front. Throws UnsupportedFieldVersion. */
export function requestFrame<A extends Api>(
  api: A,
  version: number,
  body: RequestInput<A>,
  options: RequestOptions = {},
): Buffer {
  const { correlationId = 1, clientId = 'raw' } = options
  writer.startFrame()
  encodeRequestHeader(writer, api, version, { correlationId, clientId })
  encodeRequest(api, version, body, writer)
  return Buffer.concat(writer.finishFrame())
}

/** The size in front of `payload`. */
export function frameOf(payload: Buffer): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(payload.length)
  return Buffer.concat([size, payload])
}

/** The body of an answer: a frame without its size. Throws MalformedRequest. */
export function responseBody<A extends Api>(api: A, version: number, frame: Buffer): ResponseOf<A> {
  const { bodyAt } = decodeResponseHeader(frame, 0, api, version)
  return decodeResponse(api, version, frame, bodyAt)
}

/** One connection. What arrives waits in order until it is asked for. */
export class RawClient {
  readonly #socket: Socket
  readonly #frames: Buffer[] = []
  #rest: Buffer = Buffer.alloc(0)
  #closed = false
  #wake: (() => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#onBytes(chunk))
    socket.on('error', () => this.#onClosed())
    socket.on('end', () => this.#onClosed())
    socket.on('close', () => this.#onClosed())
  }

  /** Connects to a port of this machine. */
  static connect(port: number, host = '127.0.0.1'): Promise<RawClient> {
    return new Promise((done, failed) => {
      const socket = connect({ port, host }, () => {
        socket.off('error', failed)
        done(new RawClient(socket))
      })
      socket.once('error', failed)
    })
  }

  /** Whether the peer has closed and all its frames were taken. */
  get closed(): boolean {
    return this.#closed && this.#frames.length === 0
  }

  /** Sends bytes as they are. */
  send(bytes: Buffer): void {
    if (!this.#closed) this.#socket.write(bytes)
  }

  /** The next frame without its size; undefined: the peer closed. Rejects when neither comes. */
  async nextFrame(waitMsMax = NO_FRAME_MS_MAX): Promise<Buffer | undefined> {
    if (this.#frames.length === 0 && !this.#closed) await this.#somethingArrives(waitMsMax)
    return this.#frames.shift()
  }

  /** Sends a request and takes the next answer for its own; undefined: the peer closed. */
  async request<A extends Api>(
    api: A,
    version: number,
    body: RequestInput<A>,
    options: RequestOptions = {},
  ): Promise<ResponseOf<A> | undefined> {
    this.send(requestFrame(api, version, body, options))
    const frame = await this.nextFrame()
    return frame && responseBody(api, version, frame)
  }

  /** Hangs up. */
  close(): void {
    this.#socket.destroy()
    this.#onClosed()
  }

  #somethingArrives(waitMsMax: number): Promise<void> {
    return new Promise((done, failed) => {
      const timer = setTimeout(() => {
        this.#wake = undefined
        failed(new Error(`neither an answer nor a hang-up within ${waitMsMax} ms`))
      }, waitMsMax)
      this.#wake = () => {
        clearTimeout(timer)
        this.#wake = undefined
        done()
      }
    })
  }

  #onBytes(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    while (this.#rest.length >= 4) {
      const end = 4 + this.#rest.readInt32BE(0)
      if (this.#rest.length < end) break
      this.#frames.push(this.#rest.subarray(4, end))
      this.#rest = this.#rest.subarray(end)
    }
    if (this.#frames.length > 0) this.#wake?.()
  }

  #onClosed(): void {
    this.#closed = true
    this.#socket.destroy()
    this.#wake?.()
  }
}

/**
 * One TCP connection that speaks Kafka through our codecs: requests in a pipeline, answers in
 * order.
 */
import net from 'node:net'
import { decodeResponse, encodeRequest } from '../../src/protocol/compile.ts'
import { decodeResponseHeader, encodeRequestHeader } from '../../src/protocol/header.ts'
import type { Api, RequestInput, ResponseOf } from '../../src/protocol/schema.ts'
import { Writer } from '../../src/protocol/writer.ts'

/** The connection ended before the answer came. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}

interface Waiting {
  readonly correlationId: number
  readonly api: Api
  readonly version: number
  resolve(response: unknown): void
  reject(error: Error): void
}

/** The bytes of a request, with its size. */
export function frameOf<A extends Api>(
  api: A,
  version: number,
  request: RequestInput<A>,
  correlationId: number,
): Buffer {
  const writer = new Writer()
  writer.startFrame()
  encodeRequestHeader(writer, api, version, { correlationId, clientId: 'raw' })
  encodeRequest(api, version, request, writer)
  return Buffer.concat(writer.finishFrame())
}

export class RawConnection {
  readonly socket: net.Socket
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>
  isClosed = false
  readonly #waiting: Waiting[] = []
  #received: Buffer[] = []
  #receivedBytes = 0
  #nextId = 1

  private constructor(socket: net.Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#onData(chunk))
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.isClosed = true
        for (const { reject } of this.#waiting.splice(0)) {
          reject(new ConnectionLost('the connection was lost'))
        }
        resolve()
      })
    })
  }

  /** Speaks over a socket that is open. */
  static over(socket: net.Socket): RawConnection {
    return new RawConnection(socket)
  }

  /** Rejects with Node's error when nobody listens. */
  static open(port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ port, host: '127.0.0.1' })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new RawConnection(socket))
      })
    })
  }

  /** Sends a request; resolves with its answer, rejects with ConnectionLost. */
  ask<A extends Api>(api: A, version: number, request: RequestInput<A>): Promise<ResponseOf<A>> {
    if (this.isClosed) return Promise.reject(new ConnectionLost('the connection was lost'))
    const correlationId = this.#nextId++
    const frame = frameOf(api, version, request, correlationId)
    return new Promise((resolve, reject) => {
      const take = resolve as (response: unknown) => void
      this.#waiting.push({ correlationId, api, version, resolve: take, reject })
      this.socket.write(frame)
    })
  }

  /** Ends the connection at once. */
  close(): void {
    this.socket.destroy()
  }

  #onData(chunk: Buffer): void {
    this.#received.push(chunk)
    this.#receivedBytes += chunk.length
    while (this.#receivedBytes >= 4) {
      if ((this.#received[0] as Buffer).length < 4) this.#received = [Buffer.concat(this.#received)]
      const size = (this.#received[0] as Buffer).readInt32BE(0)
      if (this.#receivedBytes < 4 + size) return
      const all = Buffer.concat(this.#received)
      this.#received = [all.subarray(4 + size)]
      this.#receivedBytes -= 4 + size
      this.#onFrame(all.subarray(4, 4 + size))
      if (this.#receivedBytes === 0) this.#received = []
    }
  }

  #onFrame(frame: Buffer): void {
    const waiting = this.#waiting.shift()
    if (waiting === undefined) throw new Error('an answer that nobody asked for')
    const { api, version } = waiting
    const header = decodeResponseHeader(frame, 0, api, version)
    if (header.correlationId !== waiting.correlationId) {
      const ids = `${header.correlationId} instead of ${waiting.correlationId}`
      waiting.reject(new Error(`${api.name}: an answer with the correlation id ${ids}`))
      return
    }
    waiting.resolve(decodeResponse(api, version, frame, header.bodyAt))
  }
}

/**
 * A connection over a message port as a stream of Node's, for clients that take a socket which they
 * did not open. Back-pressure goes both ways: what nobody reads stays in the ring, and the broker
 * waits; a write is done when the ring has it.
 */
import { Duplex } from 'node:stream'
import type { MessagePort } from 'node:worker_threads'
import { PortSocket } from './port-socket.ts'

/** One end of a connection. Lives on one thread. */
export class PortStream extends Duplex {
  readonly #socket: PortSocket
  #ended = false

  /** Throws when `port` is none of a broker, or was taken up before. */
  constructor(port: MessagePort) {
    super({ allowHalfOpen: false })
    const socket = PortSocket.connect(port)
    this.#socket = socket
    socket.onBytes((bytes) => {
      // The view is of the ring, which goes on; the stream's readers come later.
      if (!this.push(Buffer.from(bytes))) socket.pause()
    })
    socket.on('end', () => this.#endOfReads())
    socket.on('close', () => this.#endOfReads())
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#socket.write(chunk, done)
  }

  override _final(done: () => void): void {
    this.#socket.end()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy()
    done(error)
  }

  /** As of a socket: whether the connection keeps the process running. */
  ref(): this {
    this.#socket.ref()
    return this
  }

  unref(): this {
    this.#socket.unref()
    return this
  }

  /** There is no network that could delay, go silent or need to be kept awake. */
  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  setTimeout(): this {
    return this
  }

  #endOfReads(): void {
    if (this.#ended) return
    this.#ended = true
    this.push(null)
  }
}

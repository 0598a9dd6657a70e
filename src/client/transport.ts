/**
 * Ways to a broker: TCP, or the port of a broker in this process. Either gives a stream of bytes;
 * what stands on it does not know which. TLS and SASL belong here when they come: TLS as another
 * way, SASL as the first exchange of a connection.
 */
import net from 'node:net'
import type { MessagePort } from 'node:worker_threads'
import { type ByteSocket, PortSocket } from '../net/port-socket.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { DisconnectError, KafkaError, TimeoutError } from './errors.ts'
import type { Address } from './options.ts'

const FIRST_READ_BYTES = 1024

/** Who gets the bytes. */
export interface ByteSink {
  /** Where the next read may land. */
  target(): Buffer
  /** `n` bytes have landed there. */
  received(n: number): void
  /** Bytes that have to be copied before the call returns. */
  push(bytes: Buffer): void
}

/** A stream of bytes that is open. */
export interface Wire extends Pick<ByteSocket, 'cork' | 'uncork' | 'writableLength'> {
  /** `done`: the bytes are handed over, or will never be. */
  write(bytes: Uint8Array, done?: (error?: Error | null) => void): boolean
  /** Says what comes; `onClosed` once, whoever closed. */
  start(sink: ByteSink, onClosed: (error: Error | undefined) => void): void
  close(): void
}

/**
 * Requests that may wait long at the broker go by a lane of their own, so that they delay no other:
 * a broker answers one connection in order.
 */
export type Lane = 'main' | 'fetch' | 'coordinator'

/** Opens streams. */
export interface Transport {
  /** Whether every node is reached the same way, which ends for good when it ends. */
  readonly single: boolean
  /** Rejects with DisconnectError, also when `signal` aborts, or TimeoutError; BROKER_NOT_AVAILABLE
   *  when it can never be. */
  open(address: Address, lane: Lane, timeoutMs: number, signal: AbortSignal): Promise<Wire>
  /** Gives up what was never opened. */
  close(): void
}

/** Connections to addresses over TCP. */
export const tcpTransport: Transport = {
  single: false,
  open: (address, _lane, timeoutMs, signal) => openTcp(address, timeoutMs, signal),
  close() {},
}

/** The way to a broker in process. The port is the main lane; further ones are opened through it.
 *  The address does not matter. */
export function portTransport(port: MessagePort): Transport {
  let main: PortSocket | undefined
  let taken = false
  return {
    single: true,
    async open(_address, lane) {
      main ??= PortSocket.connect(port)
      if (main.destroyed || (lane === 'main' && taken)) {
        const message = 'The broker in process has closed the port; broker.connect() gives another.'
        throw new KafkaError(ErrorCode.BROKER_NOT_AVAILABLE, { message })
      }
      if (lane !== 'main') return wireOfPort(main.openLane(lane === 'fetch' ? 'answers' : 'narrow'))
      taken = true
      return wireOfPort(main)
    },
    close() {
      if (main === undefined) port.close()
      else if (!taken) main.destroy()
    },
  }
}

function openTcp(address: Address, timeoutMs: number, signal: AbortSignal): Promise<Wire> {
  const where = `${address.host}:${address.port}`
  return new Promise((resolve, reject) => {
    let sink: ByteSink | undefined
    // Node asks for the memory of the first read before there is anybody to read.
    const first = Buffer.allocUnsafe(FIRST_READ_BYTES)
    const socket = net.connect({
      host: address.host,
      port: address.port,
      noDelay: true,
      keepAlive: true,
      onread: {
        buffer: () => sink?.target() ?? first,
        callback: (n, into) => {
          if (into === first) sink?.push(first.subarray(0, n))
          else sink?.received(n)
          return true
        },
      },
    })
    socket.pause()
    const timer = setTimeout(() => {
      settle()
      socket.destroy()
      reject(new TimeoutError(`No connection to ${where} within ${timeoutMs} ms.`))
    }, timeoutMs)
    const onFailed = (error: Error) => {
      settle()
      reject(new DisconnectError(`No connection to ${where}: ${error.message}`, error))
    }
    const onAbort = () => void socket.destroy(new Error('the client was closed'))
    const settle = () => {
      clearTimeout(timer)
      socket.off('error', onFailed)
      signal.removeEventListener('abort', onAbort)
    }
    signal.addEventListener('abort', onAbort)
    socket.once('error', onFailed)
    socket.once('connect', () => {
      settle()
      resolve(
        wireOf(socket, (given) => {
          sink = given
        }),
      )
    })
  })
}

function wireOfPort(socket: PortSocket): Wire {
  return wireOf(socket, (sink) => socket.onBytes((bytes) => sink.push(bytes)))
}

function wireOf(socket: net.Socket | PortSocket, give: (sink: ByteSink) => void): Wire {
  return {
    get writableLength() {
      return socket.writableLength
    },
    write: (bytes, done) => socket.write(bytes, done),
    cork: () => socket.cork(),
    uncork: () => socket.uncork(),
    close: () => void socket.destroy(),
    start(sink, onClosed) {
      let failure: Error | undefined
      let closed = false
      socket.on('error', (error: Error) => {
        failure = error
      })
      socket.on('end', () => socket.destroy())
      socket.on('close', () => {
        if (closed) return
        closed = true
        onClosed(failure)
      })
      give(sink)
      socket.resume()
    },
  }
}

/**
 * Listening on TCP. Accepted sockets are taken over so that reads land in buffers of our choice
 * (net.Socket's `onread` option): Node makes a fresh 64 KiB buffer for each read otherwise, which
 * costs as much again as the read itself.
 */
import net from 'node:net'
import { Connection, type ConnectionHost } from './connection.ts'

/** Where to listen. */
export interface ListenOptions {
  host: string
  /** 0: any free port. */
  port: number
  backlog: number
  /** Several threads accept on the same port. */
  reusePort: boolean
}

/** A listener and its connections. */
export interface TcpListener {
  readonly port: number
  /** Stops accepting; connections live on. */
  close(): void
}

/** What a listener asks of its shard. */
export interface ListenerHost extends ConnectionHost {
  /** Whether a connection from `address` is wanted; counted from now on if so. */
  accept(address: string): boolean
  nextConnectionId(): number
  monotonicMs(): number
}

/** Options of net.Socket that its types do not name in every version. */
type TakeOverOptions = net.SocketConstructorOpts & { handle: unknown }

/** One class for all, not a property of each: Node's own code is slow with many shapes. */
class TakenOver extends net.Socket {
  get queuedBytes(): number | undefined {
    const { _handle } = this as unknown as { _handle: { writeQueueSize?: number } | null }
    return _handle?.writeQueueSize
  }
}

/**
 * Begins to listen. `onOpened` hears of each connection before its first byte. Rejects with Node's
 * error (EADDRINUSE, EACCES, …).
 */
export function listenTcp(
  options: ListenOptions,
  host: ListenerHost,
  onOpened: (connection: Connection) => void,
): Promise<TcpListener> {
  const server = net.createServer({ pauseOnConnect: true }, (socket) => {
    adopt(socket, host, onOpened)
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    const { port, backlog } = options
    server.listen(
      { port, host: options.host, backlog, ...(options.reusePort ? { reusePort: true } : {}) },
      () => {
        server.off('error', reject)
        server.on('error', () => {})
        const address = server.address() as net.AddressInfo
        resolve({ port: address.port, close: () => server.close() })
      },
    )
  })
}

function adopt(
  accepted: net.Socket,
  host: ListenerHost,
  onOpened: (connection: Connection) => void,
): void {
  const address = accepted.remoteAddress
  if (address === undefined || !host.accept(address)) {
    accepted.destroy()
    return
  }
  // Without the handle the first socket object is an empty shell; the second one owns the
  // connection.
  const shell = accepted as unknown as { _handle: object | null }
  const handle = shell._handle
  if (handle === null || typeof handle !== 'object') {
    adoptSlowly(accepted, host, onOpened)
    return
  }
  shell._handle = null
  let connection: Connection | undefined
  const socket = new TakenOver({
    handle,
    allowHalfOpen: false,
    onread: {
      buffer: () => connection?.readTarget() ?? host.scratch,
      callback: (n: number, target: Uint8Array) => connection?.onRead(target as Buffer, n) ?? false,
    },
  } as TakeOverOptions)
  accepted.destroy()
  connection = new Connection(host.nextConnectionId(), socket, host, host.monotonicMs())
  onOpened(connection)
  socket.resume()
}

/** The same over 'data' events, where the handle is not to be had. */
function adoptSlowly(
  socket: net.Socket,
  host: ListenerHost,
  onOpened: (connection: Connection) => void,
): void {
  const connection = new Connection(host.nextConnectionId(), socket, host, host.monotonicMs())
  onOpened(connection)
  socket.on('data', (chunk) => connection.onRead(chunk as Buffer, (chunk as Buffer).length))
  socket.resume()
}

/**
 * The network side of a thread: accepts connections, keeps their limits, hands frames to the
 * dispatcher. Every limit here is a named setting.
 */
import type { MessagePort } from 'node:worker_threads'
import type { BrokerConfig } from '../config/broker.ts'
import { connectionOverrides } from '../config/broker-network.ts'
import { Connection } from '../net/connection.ts'
import type { PortWiring } from '../net/port-connections.ts'
import { PortSocket } from '../net/port-socket.ts'
import type { ListenerHost, ListenOptions, TcpListener } from '../net/tcp.ts'
import type { BufferPool, PooledBuffer } from '../ring/arena.ts'
import { CounterReader, type CounterWriter } from '../ring/counters.ts'
import type { Endpoint } from './context.ts'
import type { Dispatcher } from './dispatch.ts'
import { RequestMemory } from './request-memory.ts'
import type { BrokerThread } from './thread.ts'
import { CONNECTIONS, COUNTER_NAMES } from './thread-counters.ts'

/** Bytes that one read of a socket without a partial frame may bring. */
const SCRATCH_BYTES = 64 * 1024
/** How often idle and stalled connections are looked for. */
const SWEEP_MS = 1000
/** How often those are asked again who wait for memory. */
const SERVE_MS = 10
/**
 * A frame that begins and does not go on for this long, or an answer nobody takes, ends the
 * connection.
 */
const STALL_MS = 30_000
/** How long a stop waits for what is under way. */
const DRAIN_MS = 5000

/** A listener to open and what its clients are told to connect to. */
export interface ListenerPlan extends ListenOptions {
  readonly name: string
  /** An empty host, port 0: what the client dialled. */
  readonly advertised: Endpoint
}

/**
 * What clients over message ports are told. There is nothing to dial: they reach every node through
 * the port, whatever its address.
 */
const AS_DIALLED: Endpoint = { host: '', port: 0 }

export class Shard implements ListenerHost {
  readonly scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)
  readonly pool: BufferPool
  readonly #thread: BrokerThread
  readonly #dispatcher: Dispatcher
  readonly #listeners: TcpListener[] = []
  readonly #connections = new Map<number, Connection>()
  /** Those over message ports. Nobody can open such a port again, and its end is never missed. */
  readonly #overPorts = new WeakSet<Connection>()
  readonly #byAddress = new Map<string, number>()
  readonly #memory: RequestMemory
  /** Connections of this thread, and of all that accept. */
  readonly #own: CounterWriter
  readonly #everywhere: CounterReader
  /** Threads that accept on the same port. */
  #acceptors = 1
  #nextId = 1
  #sweep: NodeJS.Timeout | undefined
  #serving: NodeJS.Timeout | undefined

  constructor(thread: BrokerThread) {
    this.#thread = thread
    this.#dispatcher = thread.dispatcher
    this.pool = thread.pool
    this.#memory = new RequestMemory({
      bytesInUse: () => this.pool.largeBytesInUse,
      bytesMax: () => this.#requestBytesMax(),
    })
    const { counters } = thread.options
    this.#own = thread.counters
    this.#everywhere = new CounterReader(counters, COUNTER_NAMES)
    this.#own.set(CONNECTIONS, 0)
  }

  get #config(): BrokerConfig {
    return this.#thread.image.brokerConfig
  }

  get frameBytesMax(): number {
    return this.#config['socket.request.max.bytes']
  }

  /** Connections that are open. */
  get connectionCount(): number {
    return this.#connections.size
  }

  /** Begins to accept; answers the bound port. Rejects with Node's error. */
  async listen(plan: ListenerPlan): Promise<number> {
    // A broker inside a program is mostly without a network.
    const { listenTcp } = await import('../net/tcp.ts')
    const listener = await listenTcp(plan, this, (connection) => {
      this.#onOpened(connection, plan.advertised)
    })
    this.#listeners.push(listener)
    if (plan.reusePort) this.#acceptors = this.#thread.options.placement.shards
    this.#sweep ??= setInterval(() => this.#onSweep(), SWEEP_MS)
    return listener.port
  }

  /** Opens all listeners in order; answers their ports. */
  async listenAll(plans: readonly ListenerPlan[]): Promise<number[]> {
    const ports: number[] = []
    for (const plan of plans) ports.push(await this.listen(plan))
    return ports
  }

  /** Serves a connection that a thread of this process made. It counts as one from loopback. */
  connect(port: MessagePort, wiring: PortWiring): void {
    const socket = new PortSocket(port, wiring)
    if (!this.accept(socket.remoteAddress)) {
      socket.destroy()
      return
    }
    this.#sweep ??= setInterval(() => this.#onSweep(), SWEEP_MS)
    const connection = new Connection(this.nextConnectionId(), socket, this, this.monotonicMs())
    socket.onBytes((bytes) => connection.onRead(bytes, bytes.length))
    socket.onLane((port, wiring) => this.connect(port, wiring))
    this.#overPorts.add(connection)
    this.#onOpened(connection, AS_DIALLED)
    socket.resume()
  }

  /** Stops accepting, lets what is under way end, closes all connections. */
  async stop(): Promise<void> {
    for (const listener of this.#listeners) listener.close()
    clearInterval(this.#sweep)
    const deadlineMs = this.monotonicMs() + DRAIN_MS
    while (this.#busy() && this.monotonicMs() < deadlineMs) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    for (const connection of [...this.#connections.values()]) connection.close(undefined)
  }

  accept(address: string): boolean {
    const config = this.#config
    const here = this.#byAddress.get(address) ?? 0
    const ofAddress =
      connectionOverrides(config['max.connections.per.ip.overrides']).get(
        address.replace(/^::ffff:/, ''),
      ) ?? config['max.connections.per.ip']
    // Set while several threads accept, the limit is shared out: together they never exceed it.
    const limit = Math.ceil(ofAddress / this.#acceptors)
    const inAll = this.#everywhere.sum(CONNECTIONS)
    if (here >= limit || inAll >= config['max.connections']) {
      this.#thread.log.warn('a connection is refused: too many', {
        address,
        fromAddress: here,
        inAll,
      })
      return false
    }
    this.#byAddress.set(address, here + 1)
    return true
  }

  onClosed(connection: Connection): void {
    this.#connections.delete(connection.id)
    this.#own.set(CONNECTIONS, this.#connections.size)
    this.#memory.forget(connection)
    const { remoteAddress } = connection
    const left = (this.#byAddress.get(remoteAddress) ?? 1) - 1
    if (left === 0) this.#byAddress.delete(remoteAddress)
    else this.#byAddress.set(remoteAddress, left)
    this.#dispatcher.onClosed(connection)
  }

  // hot
  onFrame(
    connection: Connection,
    bytes: Buffer,
    from: number,
    to: number,
    pooled: PooledBuffer | undefined,
  ): void {
    this.#dispatcher.onFrame(connection, bytes, from, to, pooled)
  }

  // hot
  mayStart(connection: Connection, bytes: Buffer, from: number): boolean {
    return this.#dispatcher.mayStart(connection, bytes, from)
  }

  /** A connection wants to hold `bytes`. One that may not is asked again when memory came back. */
  admit(connection: Connection, bytes: number): boolean {
    const ofOne = this.#thread.options.config['odradek.connection.request.bytes.max']
    if (bytes > ofOne) {
      connection.close(`a request of ${bytes} bytes exceeds odradek.connection.request.bytes.max`)
      return false
    }
    if (this.#memory.admit(connection, bytes, this.monotonicMs())) return true
    if (this.#memory.isShort) this.#serveSoon()
    return false
  }

  /** Memory comes back in many ways, so whoever waits for it asks again after a while. */
  #serveSoon(): void {
    this.#serving ??= setTimeout(() => {
      this.#serving = undefined
      this.#memory.serve()
      if (this.#memory.isShort) this.#serveSoon()
    }, SERVE_MS)
  }

  #requestBytesMax(): number {
    const { image, options } = this.#thread
    const queued = image.brokerConfig['queued.max.request.bytes']
    const ofAll = options.config['odradek.requests.bytes.max']
    return queued > 0 ? Math.min(queued, ofAll) : ofAll
  }

  log(connection: Connection, message: string): void {
    this.#thread.log.info('connection closed by the broker', {
      address: connection.remoteAddress,
      reason: message,
    })
  }

  nextConnectionId(): number {
    return this.#nextId++
  }

  monotonicMs(): number {
    return this.#thread.clock.monotonicMs()
  }

  #onOpened(connection: Connection, { host, port }: Endpoint): void {
    this.#connections.set(connection.id, connection)
    this.#own.set(CONNECTIONS, this.#connections.size)
    // Of all addresses that are listened on, the client can surely reach the one that it dialled.
    const dialled = connection.localAddress.replace(/^::ffff:/, '')
    this.#dispatcher.onOpened(connection, {
      host: host === '' ? dialled : host,
      port: port === 0 ? connection.localPort : port,
    })
  }

  #busy(): boolean {
    for (const connection of this.#connections.values()) {
      if (connection.unsentBytes > 0 || this.#dispatcher.isBusy(connection)) return true
    }
    return false
  }

  #onSweep(): void {
    const nowMs = this.monotonicMs()
    const idleMs = this.#config['connections.max.idle.ms']
    for (const connection of this.#connections.values()) {
      const busy = this.#dispatcher.isBusy(connection)
      const silentMs = nowMs - connection.touch(nowMs)
      if (connection.stalled && silentMs >= STALL_MS) {
        connection.close(`nothing moved for ${STALL_MS} ms in the middle of a request or an answer`)
      } else if (!busy && idleMs >= 0 && silentMs >= idleMs && !this.#overPorts.has(connection)) {
        connection.close(`idle for ${idleMs} ms`)
      }
    }
    this.#memory.makeRoom(this.#connections.values(), nowMs)
  }
}

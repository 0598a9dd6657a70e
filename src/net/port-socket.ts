/**
 * A connection without a network: a stream of bytes over two rings in shared memory, with a
 * MessagePort as doorbell. To whoever uses it, it is a socket; Kafka frames go over it as over TCP.
 *
 *   user's thread ── ring ──► shard      data frames of the ring carry the bytes, cut anywhere;
 *                 ◄── ring ──            a full ring is back-pressure: writes wait in order
 *
 * V8 does not count shared memory, so connections that come and go would be hundreds of megabytes
 * of garbage before anybody collects it. Their memory is therefore used again: each side says when
 * it touches it no more, and once both have, the next connection may have it.
 */
import { EventEmitter } from 'node:events'
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { allocateParked, Doorbell, Parking } from '../ring/doorbell.ts'
import { allocateRing, FRAMES_AT } from '../ring/layout.ts'
import { RingReader, RingWriter } from '../ring/ring.ts'

/** Bytes of each of the two rings of a connection. */
const RING_BYTES = 256 * 1024
/** Connections whose memory is remembered until it can be used again. */
const LENT_MAX = 8
const SIDES = 2
const ENDED = 0
const TAKEN = 1
/** The only type of frame. */
const TYPE_BYTES = 1

/** What Connection uses of a socket; net.Socket has it too. */
export interface ByteSocket {
  readonly remoteAddress?: string | undefined
  readonly localAddress?: string | undefined
  readonly localPort?: number | undefined
  /** Bytes written that the peer has not taken. */
  readonly writableLength: number
  /** The same to the byte, where `writableLength` counts a write until all of it was taken. */
  readonly queuedBytes?: number | undefined
  setNoDelay(on: boolean): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'end' | 'close', listener: () => void): unknown
  cork(): void
  uncork(): void
  write(bytes: Uint8Array, done?: () => void): boolean
  pause(): unknown
  resume(): unknown
  end(done?: () => void): unknown
  destroy(): unknown
}

/** One side's view of the shared memory of a connection. */
export interface PortWiring {
  readonly incoming: SharedArrayBuffer
  readonly outgoing: SharedArrayBuffer
  readonly ownParked: SharedArrayBuffer
  readonly peerParked: SharedArrayBuffer
  /** Two int32: how many sides touch none of this any more, and whether the client took it up. */
  readonly use: SharedArrayBuffer
}

/** The first message on a client's port. */
interface Handshake {
  readonly odradek: 'connection'
  readonly wiring: PortWiring
}

/** A client's message that hands over the server's end of a further connection. A bell is null. */
interface LaneOffer {
  readonly port: MessagePort
  readonly wiring: PortWiring
}

/** Both ends of a new connection. */
export interface NewConnection {
  /** May be handed to any thread, where `PortSocket.connect` takes it up. */
  readonly client: MessagePort
  /** Goes, with `wiring`, to the shard that serves it. */
  readonly server: MessagePort
  readonly wiring: PortWiring
}

/** Makes connections. Lives on the thread that started the broker, or on a client's. */
export class PortConnections {
  /** As the servers see them, oldest first. One that is forgotten is garbage when it has ended. */
  readonly #lent: PortWiring[] = []

  connect(): NewConnection {
    const wiring = this.#takeEnded() ?? newWiring()
    if (this.#lent.length === LENT_MAX) this.#lent.shift()
    this.#lent.push(wiring)
    const { port1: client, port2: server } = new MessageChannel()
    // Waits in the client's port, wherever that goes, until its owner looks.
    server.postMessage({ odradek: 'connection', wiring: mirrored(wiring) } satisfies Handshake)
    return { client, server, wiring }
  }

  #takeEnded(): PortWiring | undefined {
    const at = this.#lent.findIndex(({ use }) => Atomics.load(new Int32Array(use), ENDED) === SIDES)
    if (at < 0) return undefined
    const [wiring] = this.#lent.splice(at, 1) as [PortWiring]
    for (const ring of [wiring.incoming, wiring.outgoing])
      new Uint8Array(ring, 0, FRAMES_AT).fill(0)
    for (const memory of [wiring.ownParked, wiring.peerParked, wiring.use]) {
      new Uint8Array(memory).fill(0)
    }
    return wiring
  }
}

function newWiring(): PortWiring {
  return {
    incoming: allocateRing(RING_BYTES),
    outgoing: allocateRing(RING_BYTES),
    ownParked: allocateParked(),
    peerParked: allocateParked(),
    use: new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT),
  }
}

/** The same connection as its other side sees it. */
function mirrored({ incoming, outgoing, ownParked, peerParked, use }: PortWiring): PortWiring {
  return {
    incoming: outgoing,
    outgoing: incoming,
    ownParked: peerParked,
    peerParked: ownParked,
    use,
  }
}

/** Makes the lanes of this thread's clients. */
const lanes = new PortConnections()

/** A write that waits for room in the ring. */
interface PendingWrite {
  bytes: Uint8Array
  at: number
  done: (() => void) | undefined
}

/** One end of a connection. Lives on one thread. */
export class PortSocket extends EventEmitter implements ByteSocket {
  readonly remoteAddress = '127.0.0.1'
  readonly localAddress = 'localhost'
  readonly localPort = 0
  readonly #port: MessagePort
  readonly #writer: RingWriter
  readonly #reader: RingReader
  readonly #parking: Parking
  readonly #doorbell: Doorbell
  readonly #use: Int32Array
  readonly #pending: PendingWrite[] = []
  #pendingBytes = 0
  #onBytes: (bytes: Buffer) => void = () => {}
  #onLane: (port: MessagePort, wiring: PortWiring) => void = () => {}
  #paused = true
  #peerGone = false
  #destroyed = false
  #immediate: NodeJS.Immediate | undefined

  constructor(port: MessagePort, wiring: PortWiring) {
    super()
    this.#port = port
    this.#writer = new RingWriter(wiring.outgoing)
    this.#reader = new RingReader(wiring.incoming)
    this.#parking = new Parking(wiring.ownParked)
    this.#doorbell = new Doorbell(wiring.peerParked, port)
    this.#use = new Int32Array(wiring.use)
    // A bell is rung for who sleeps: what it is rung for is looked at without another round of the
    // event loop.
    port.on('message', (offer: LaneOffer | null) => {
      if (offer !== null) this.#onLane(offer.port, offer.wiring)
      this.#wake()
      this.#turnNow()
    })
    port.on('close', () => {
      this.#peerGone = true
      this.#wake()
    })
    this.#wake()
  }

  /**
   * Takes up the client's end of a connection. Throws when `port` is not one, or was taken up
   * before.
   */
  static connect(port: MessagePort): PortSocket {
    const received = receiveMessageOnPort(port)?.message as Handshake | undefined
    if (received?.odradek !== 'connection') {
      throw new Error('not a port of broker.connect(), or one that is in use already')
    }
    Atomics.store(new Int32Array(received.wiring.use), TAKEN, 1)
    return new PortSocket(port, received.wiring)
  }

  get writableLength(): number {
    return this.#pendingBytes
  }

  get destroyed(): boolean {
    return this.#destroyed
  }

  /** Who gets the bytes; each view is valid during the call only. Call `resume` to begin. */
  onBytes(listener: (bytes: Buffer) => void): void {
    this.#onBytes = listener
  }

  /** Who gets the server's end of the lanes that the peer opens; by default they stay silent. */
  onLane(listener: (port: MessagePort, wiring: PortWiring) => void): void {
    this.#onLane = listener
  }

  /**
   * Opens a further connection to the same peer, through this one: a broker answers a connection in
   * order, so what may wait long there needs a way of its own.
   */
  openLane(): PortSocket {
    const { client, server, wiring } = lanes.connect()
    const offer: LaneOffer = { port: server, wiring }
    this.#port.postMessage(offer, [server])
    return PortSocket.connect(client)
  }

  /** Whether an idle connection keeps the process running. */
  ref(): void {
    this.#port.ref()
  }

  unref(): void {
    this.#port.unref()
  }

  setNoDelay(): void {}

  cork(): void {}

  uncork(): void {}

  /** Copies what fits into the ring at once. `done`: when all of it is there. */
  write(bytes: Uint8Array, done?: () => void): boolean {
    if (this.#destroyed || this.#peerGone) {
      if (done !== undefined) queueMicrotask(done)
      return false
    }
    const write: PendingWrite = { bytes, at: 0, done }
    if (this.#pending.length === 0 && this.#push(write)) {
      if (done !== undefined) queueMicrotask(done)
      return true
    }
    this.#pending.push(write)
    this.#pendingBytes += bytes.length - write.at
    this.#writer.setStarved(true)
    this.#doorbell.ring()
    this.#wake()
    return false
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#wake()
  }

  end(done?: () => void): void {
    if (this.#pending.length === 0) {
      this.destroy()
      done?.()
      return
    }
    const last = this.#pending[this.#pending.length - 1] as PendingWrite
    const before = last.done
    last.done = () => {
      before?.()
      this.destroy()
      done?.()
    }
  }

  destroy(): void {
    if (this.#destroyed) return
    this.#destroyed = true
    if (this.#immediate !== undefined) clearImmediate(this.#immediate)
    this.#reader.close()
    this.#port.close()
    for (const { done } of this.#pending.splice(0)) done?.()
    this.#pendingBytes = 0
    // Not at once: it may be the reader that is calling, who goes on to say how far it has read.
    queueMicrotask(() => {
      Atomics.add(this.#use, ENDED, this.#untaken() ? SIDES : 1)
      this.emit('close')
    })
  }

  /** Copies what fits; true: everything did. */
  #push(write: PendingWrite): boolean {
    const { bytes } = write
    while (write.at < bytes.length) {
      const length = Math.min(bytes.length - write.at, this.#writer.payloadBytesMax)
      const at = this.#writer.tryClaim(TYPE_BYTES, 0, 0, 0, length, 0)
      if (at < 0) break
      this.#writer.bytes.set(bytes.subarray(write.at, write.at + length), at)
      write.at += length
      // The peer copies this frame out while the next is copied in.
      this.#writer.publish()
      this.#doorbell.ring()
    }
    return write.at === bytes.length
  }

  /** The client closed its port, and with it the message that tells of the memory. */
  #untaken(): boolean {
    return this.#peerGone && Atomics.load(this.#use, TAKEN) === 0
  }

  #wake(): void {
    if (this.#immediate !== undefined || this.#destroyed) return
    this.#parking.wake()
    this.#immediate = setImmediate(() => this.#turn())
  }

  #turnNow(): void {
    if (this.#immediate === undefined) return
    clearImmediate(this.#immediate)
    this.#turn()
  }

  #turn(): void {
    this.#immediate = undefined
    const moved = this.#read() + this.#flush()
    if (this.#destroyed) return
    if (this.#peerGone && (this.#reader.isEmpty() || this.#paused)) {
      this.emit('end')
      this.destroy()
      return
    }
    // An empty turn is the last: more would take time from the peer where cores are busy, and being
    // woken costs little.
    if (moved > 0) {
      this.#immediate = setImmediate(() => this.#turn())
      return
    }
    this.#parking.park()
    // Looked at after the flag is up: what was published before that would ring nobody.
    if ((!this.#paused && !this.#reader.isEmpty()) || this.#flush() > 0) this.#wake()
  }

  #read(): number {
    let frames = 0
    while (!this.#paused && !this.#destroyed) {
      const n = this.#reader.poll((_type, _flags, _actor, _correlation, bytes, at, length) => {
        this.#onBytes(bytes.subarray(at, at + length))
      }, 1)
      if (n === 0) break
      frames++
      if (this.#reader.isProducerStarved()) this.#doorbell.ring()
    }
    return frames
  }

  #flush(): number {
    let moved = 0
    while (this.#pending.length > 0) {
      const first = this.#pending[0] as PendingWrite
      const before = first.at
      const whole = this.#push(first)
      moved += first.at - before
      this.#pendingBytes -= first.at - before
      if (!whole) break
      this.#pending.shift()
      first.done?.()
    }
    if (moved === 0) return 0
    if (this.#pending.length === 0) this.#writer.setStarved(false)
    this.#doorbell.ring()
    return moved
  }
}

/**
 * A connection without a network: a stream of bytes over two rings in shared memory, with a
 * MessagePort as doorbell. To whoever uses it, it is a socket; Kafka frames go over it as over TCP.
 *
 *   user's thread ── ring ──► shard      data frames of the ring carry the bytes, cut anywhere;
 *                 ◄── ring ──            a full ring is back-pressure: writes wait in order
 */
import { EventEmitter } from 'node:events'
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { copyBytes } from '../base/copy.ts'
import { Doorbell, Parking } from '../ring/doorbell.ts'
import { RingReader, RingWriter } from '../ring/ring.ts'
import {
  ENDED,
  type Handshake,
  KIB,
  PortConnections,
  type PortWiring,
  type RingBytes,
  SIDES,
  TAKEN,
} from './port-connections.ts'

/** `answers`: large ones to small requests; while the client works on one, much of the next can lie
 *  in the ring. `narrow`: both are small. */
const laneBytes = {
  answers: { toServer: 32 * KIB, toClient: 1024 * KIB },
  narrow: { toServer: 32 * KIB, toClient: 32 * KIB },
} as const satisfies Record<string, RingBytes>
/** What goes over a lane. */
export type LaneKind = keyof typeof laneBytes
/** A writer that waits for room is told of this many frames at once: half a ring. */
const FRAMES_PER_BELL = 4
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

/** A client's message that hands over the server's end of a further connection. A bell is null. */
interface LaneOffer {
  readonly port: MessagePort
  readonly wiring: PortWiring
}

/** Makes the lanes of this thread's clients. */
const lanes: Readonly<Record<LaneKind, PortConnections>> = {
  answers: new PortConnections(laneBytes.answers),
  narrow: new PortConnections(laneBytes.narrow),
}

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
  openLane(kind: LaneKind): PortSocket {
    const { client, server, wiring } = lanes[kind].connect()
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
    let frames = 0
    while (write.at < bytes.length) {
      const length = Math.min(bytes.length - write.at, this.#writer.payloadBytesMax)
      const at = this.#writer.tryClaim(TYPE_BYTES, 0, 0, 0, length, 0)
      if (at < 0) break
      copyBytes(bytes.subarray(write.at, write.at + length), this.#writer.bytes, at)
      // The peer copies the first frames out while the next are copied in.
      this.#writer.publish()
      if (frames++ === 0) this.#doorbell.ring()
      write.at += length
    }
    if (frames > 1) this.#doorbell.ring()
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
      // Room for one frame alone is not worth a bell.
      if (frames % FRAMES_PER_BELL === 0 && this.#reader.isProducerStarved()) this.#doorbell.ring()
    }
    if (frames > 0 && this.#reader.isProducerStarved()) this.#doorbell.ring()
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

/**
 * Makes connections without a network: their shared memory, and the ports of both sides.
 *
 * V8 does not count shared memory, so connections that come and go would be hundreds of megabytes
 * of garbage before anybody collects it. Their memory is therefore used again: each side says when
 * it touches it no more, and once both have, the next connection may have it.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { allocateParked } from '../ring/doorbell.ts'
import { allocateRing, FRAMES_AT } from '../ring/layout.ts'

/** Bytes of the two rings of a connection. */
export interface RingBytes {
  readonly toServer: number
  readonly toClient: number
}
/** Bytes. */
export const KIB = 1024
/** Producers send large requests; consumers have lanes of their own for large answers. */
const USUAL: RingBytes = { toServer: 1024 * KIB, toClient: 256 * KIB }
/** Connections whose memory is remembered until it can be used again. */
const LENT_MAX = 8
/** When so many have ended, the memory is free. */
export const SIDES = 2
/** Places in `use` of the wiring. */
export const ENDED = 0
/** See ENDED. */
export const TAKEN = 1

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
export interface Handshake {
  readonly odradek: 'connection'
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
  readonly #ringBytes: RingBytes

  constructor(ringBytes = USUAL) {
    this.#ringBytes = ringBytes
  }

  connect(): NewConnection {
    const wiring = this.#takeEnded() ?? newWiring(this.#ringBytes)
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

/** As the server sees it. */
function newWiring({ toServer, toClient }: RingBytes): PortWiring {
  return {
    incoming: allocateRing(toServer),
    outgoing: allocateRing(toClient),
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

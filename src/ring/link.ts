/**
 * One thread's end of the connection to one peer: rings, credits, what waits for room, and the
 * memory that each side knows of the other. The bus decides what to do with what arrives.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { assert } from '../base/assert.ts'
import type { BufferPool, CopyArena, PooledBuffer } from './arena.ts'
import { Doorbell } from './doorbell.ts'
import { type OnReply, Outstanding } from './outstanding.ts'
import { RingReader, RingWriter } from './ring.ts'
import { type BusLimits, type LinkWiring, replyReserve } from './wiring.ts'

/** The kind of a frame, in its flags. */
export const KIND_REQUEST = 1
export const KIND_NOTICE = 2
export const KIND_REPLY = 3
export const KIND_RELEASE = 4
export const KIND_MASK = 7

/** Flag: the payload is a reference to where the payload stands. */
export const FLAG_SPILLED = 8

/** Bytes of a reference `(bufferId u32, offset u32, length u32)`, little endian. */
export const REFERENCE_BYTES = 12

/** What goes over a port beside the bell: memory that becomes known, or an id to forget. */
type PortMessage = { id: number; memory: SharedArrayBuffer } | number | null

type Waiting = { type: number; actor: number; payload: Uint8Array; onReply: OnReply | undefined }

// Any type will do but 0; a release is known by its kind.
const TYPE_RELEASE = 1
const RELEASE_BYTES = 8

/** What a link needs from its thread. */
export type LinkContext = {
  readonly pool: BufferPool
  readonly arena: CopyArena
  readonly limits: BusLimits
  /** A peer has rung: there is something to read. */
  onBell(): void
}

/** Lives on one thread. Between calls: what waits is in the order of the calls, and nothing passes
 *  it but replies and releases; each spilled payload has one reference in `#spilled` until
 *  released. */
export class Link {
  readonly peer: number
  readonly incarnation: number
  readonly reader: RingReader
  readonly port: MessagePort
  readonly doorbell: Doorbell
  readonly outstanding: Outstanding
  alive = true
  readonly #context: LinkContext
  readonly #writer: RingWriter
  readonly #reserve: number
  #waiting: Waiting[] = []
  #waitingAt = 0
  #starved = false
  readonly #known = new Set<number>()
  readonly #remote = new Map<number, Buffer>()
  /** Bytes of the peer's buffers that were forgotten since it dropped them. */
  bytesForgotten = 0
  readonly #spilled = new Map<number, { readonly buffer: PooledBuffer; refs: number }>()
  readonly #releases = new Map<number, number>()

  constructor(wiring: LinkWiring, context: LinkContext) {
    this.peer = wiring.peer
    this.incarnation = wiring.incarnation
    this.port = wiring.port
    this.reader = new RingReader(wiring.incoming)
    this.doorbell = new Doorbell(wiring.parked, wiring.port)
    this.outstanding = new Outstanding(context.limits.creditsMax, wiring.incarnation)
    this.#context = context
    this.#writer = new RingWriter(wiring.outgoing)
    this.#reserve = replyReserve(context.limits)
  }

  /** How many requests and notices wait for credit or room. */
  get backlog(): number {
    return this.#waiting.length - this.#waitingAt
  }

  /** Sends a request (`onReply` given) or a notice, after what waits already; answers whether it
   *  had to wait. The payload is copied. hot */
  send(
    type: number,
    actor: number,
    payload: Uint8Array,
    onReply: OnReply | undefined,
  ): 'sent' | 'waits' {
    if (this.backlog === 0 && this.#trySend(type, actor, payload, onReply)) return 'sent'
    this.#waiting.push({ type, actor, payload: Uint8Array.prototype.slice.call(payload), onReply })
    return 'waits'
  }

  /** Sends a reply, which always has room: see replyReserve. hot */
  reply(correlation: number, type: number, payload: Uint8Array): void {
    const put = this.#tryPut(KIND_REPLY, type, 0, correlation, payload, 0)
    assert(put, 'a reply always has room')
  }

  /** Sends what waits, as far as credit and room go; answers how many frames. */
  flush(): number {
    let sent = 0
    while (this.#waitingAt < this.#waiting.length) {
      const { type, actor, payload, onReply } = this.#waiting[this.#waitingAt] as Waiting
      if (!this.#trySend(type, actor, payload, onReply)) break
      this.#waitingAt++
      sent++
    }
    this.#compact()
    while (this.#releases.size > 0 && this.#tryRelease()) sent++
    if (this.#starved && this.backlog === 0 && this.#releases.size === 0) this.#setStarved(false)
    return sent
  }

  /** Asks the peer to ring when it has made room, if something waits. */
  askForRoom(): void {
    if (this.backlog > 0 || this.#releases.size > 0) this.#setStarved(true)
  }

  /** Makes sure that the peer can resolve `buffer`. The message may arrive after frames that refer
   *  to it: the peer then reads its port before going on. */
  share(buffer: PooledBuffer): void {
    if (this.#known.has(buffer.id)) return
    const memory = buffer.bytes.buffer
    assert(memory instanceof SharedArrayBuffer, 'only shared memory can be shared')
    this.#known.add(buffer.id)
    this.port.postMessage({ id: buffer.id, memory })
  }

  /** Tells the peer to forget a buffer of ours. */
  forget(id: number): void {
    if (this.#known.delete(id)) this.port.postMessage(id)
  }

  /** The peer's buffer `id`. */
  resolve(id: number): Buffer {
    const bytes = this.#remote.get(id) ?? this.#resolveFromPort(id)
    assert(bytes !== undefined, 'a buffer is shared before it is referred to')
    return bytes
  }

  /** Takes a message that came over the port. */
  onMessage(message: PortMessage): void {
    if (message === null) this.#context.onBell()
    else if (typeof message === 'number') this.#forgetRemote(message)
    else this.#remote.set(message.id, Buffer.from(message.memory))
  }

  #forgetRemote(id: number): void {
    this.bytesForgotten += this.#remote.get(id)?.length ?? 0
    this.#remote.delete(id)
  }

  /** Remembers to tell the peer that one reference into its buffer `id` is done with. hot */
  releaseLater(id: number): void {
    this.#releases.set(id, (this.#releases.get(id) ?? 0) + 1)
  }

  /** The peer is done with references into our buffers. */
  onRelease(bytes: Buffer, at: number, length: number): void {
    for (let pair = at; pair < at + length; pair += RELEASE_BYTES) {
      const id = bytes.readUInt32LE(pair)
      const refs = bytes.readUInt32LE(pair + 4)
      const spilled = this.#spilled.get(id)
      assert(spilled !== undefined && spilled.refs >= refs, 'the peer releases what it was sent')
      spilled.refs -= refs
      if (spilled.refs === 0) this.#spilled.delete(id)
      this.#context.pool.release(spilled.buffer, refs)
    }
  }

  /** Ends the connection: references that the peer held come back; what waits and what is
   *  outstanding is answered with `lost`. */
  close(): void {
    if (!this.alive) return
    this.alive = false
    this.reader.close()
    this.port.close()
    for (const { buffer, refs } of this.#spilled.values()) this.#context.pool.release(buffer, refs)
    this.#spilled.clear()
    this.#releases.clear()
    this.#remote.clear()
    const waiting = this.#waiting.slice(this.#waitingAt)
    this.#waiting = []
    this.#waitingAt = 0
    this.outstanding.failAll()
    for (const { onReply } of waiting) onReply?.('lost', 0, Buffer.alloc(0), 0, 0)
  }

  #trySend(
    type: number,
    actor: number,
    payload: Uint8Array,
    onReply: OnReply | undefined,
  ): boolean {
    if (onReply === undefined)
      return this.#tryPut(KIND_NOTICE, type, actor, 0, payload, this.#reserve)
    const correlation = this.outstanding.tryOpen(onReply)
    if (correlation < 0) return false
    if (this.#tryPut(KIND_REQUEST, type, actor, correlation, payload, this.#reserve)) return true
    this.outstanding.cancel(correlation)
    return false
  }

  #tryPut(
    kind: number,
    type: number,
    actor: number,
    correlation: number,
    payload: Uint8Array,
    reserve: number,
  ): boolean {
    const length = payload.length
    if (length > this.#context.limits.inlineBytesMax) {
      if (!this.#trySpill(kind, type, actor, correlation, payload, reserve)) return false
    } else if (!this.#writer.tryWrite(type, kind, actor, correlation, payload, length, reserve)) {
      return false
    }
    this.doorbell.ring()
    return true
  }

  #trySpill(
    kind: number,
    type: number,
    actor: number,
    correlation: number,
    payload: Uint8Array,
    reserve: number,
  ): boolean {
    // Room first: once claimed, a frame cannot be taken back if the copy fails.
    if (!this.#writer.hasRoom(REFERENCE_BYTES, reserve)) return false
    const { arena } = this.#context
    const buffer = arena.copy(payload)
    this.share(buffer)
    const spilled = this.#spilled.get(buffer.id)
    if (spilled === undefined) this.#spilled.set(buffer.id, { buffer, refs: 1 })
    else spilled.refs++
    const flags = kind | FLAG_SPILLED
    const at = this.#writer.tryClaim(type, flags, actor, correlation, REFERENCE_BYTES, reserve)
    assert(at >= 0, 'room does not go away')
    writeReference(this.#writer.bytes, at, {
      id: buffer.id,
      offset: arena.offset,
      length: payload.length,
    })
    this.#writer.publish()
    return true
  }

  // Many references go back in one frame.
  #tryRelease(): boolean {
    const pairsMax = Math.floor(this.#context.limits.inlineBytesMax / RELEASE_BYTES)
    const pairs = Math.min(this.#releases.size, pairsMax)
    const length = pairs * RELEASE_BYTES
    let at = this.#writer.tryClaim(TYPE_RELEASE, KIND_RELEASE, 0, 0, length, this.#reserve)
    if (at < 0) return false
    const end = at + length
    for (const [id, refs] of this.#releases) {
      if (at === end) break
      this.#writer.bytes.writeUInt32LE(id, at)
      this.#writer.bytes.writeUInt32LE(refs, at + 4)
      this.#releases.delete(id)
      at += RELEASE_BYTES
    }
    this.#writer.publish()
    this.doorbell.ring()
    return true
  }

  #resolveFromPort(id: number): Buffer | undefined {
    for (;;) {
      const received = receiveMessageOnPort(this.port)
      if (received === undefined) return undefined
      this.onMessage(received.message)
      const bytes = this.#remote.get(id)
      if (bytes !== undefined) return bytes
    }
  }

  #setStarved(starved: boolean): void {
    if (this.#starved === starved) return
    this.#starved = starved
    this.#writer.setStarved(starved)
  }

  #compact(): void {
    if (this.#waitingAt === this.#waiting.length) this.#waiting.length = 0
    else if (this.#waitingAt < 1024) return
    else this.#waiting = this.#waiting.slice(this.#waitingAt)
    this.#waitingAt = 0
  }
}

/** Writes a reference into `bytes` at `at`. */
export function writeReference(
  bytes: Buffer,
  at: number,
  reference: { id: number; offset: number; length: number },
): void {
  bytes.writeUInt32LE(reference.id, at)
  bytes.writeUInt32LE(reference.offset, at + 4)
  bytes.writeUInt32LE(reference.length, at + 8)
}

/**
 * The only way in which threads talk: requests with replies, and notices, over one ring per ordered
 * pair of threads. No thread ever waits inside a call: what has no credit or room queues at the
 * sender.
 */
import { assert } from '../base/assert.ts'
import { type BufferPool, CopyArena, type PooledBuffer } from './arena.ts'
import { Parking } from './doorbell.ts'
import {
  FLAG_SPILLED,
  KIND_MASK,
  KIND_NOTICE,
  KIND_RELEASE,
  KIND_REPLY,
  KIND_REQUEST,
  Link,
  type LinkContext,
} from './link.ts'
import { incarnationOf, incarnationTag, type OnReply } from './outstanding.ts'
import type { FrameHandler } from './ring.ts'
import type { LinkWiring, ThreadWiring } from './wiring.ts'

export { REFERENCE_BYTES, writeReference } from './link.ts'
export type { OnReply } from './outstanding.ts'
export type { ThreadWiring } from './wiring.ts'

/** What a thread does with what others send. `bytes` is valid only during the call. A request is
 *  answered once, now or later, with ThreadBus.reply(from, correlation, …). */
export type BusHandlers = {
  onRequest(
    from: number,
    type: number,
    actor: number,
    correlation: number,
    bytes: Buffer,
    at: number,
    length: number,
  ): void
  onNotice(
    from: number,
    type: number,
    actor: number,
    bytes: Buffer,
    at: number,
    length: number,
  ): void
}

/** `keepAlive`: an idle bus keeps the process or worker running. `pollsEmptyMax`: turns of the
 *  event loop without traffic before the thread parks. `framesPerPollMax`: frames of one peer per
 *  turn. */
export type BusOptions = {
  readonly keepAlive?: boolean
  readonly pollsEmptyMax?: number
  readonly framesPerPollMax?: number
}

/** What a bus has counted since it was made. */
export type BusCounts = {
  readonly framesReceived: number
  readonly requestsSent: number
  readonly noticesSent: number
  readonly repliesSent: number
  /** Requests and notices that had to wait for credit or room. */
  readonly backlogged: number
  /** Replies that came too late: whoever asked is dead. */
  readonly repliesDropped: number
  readonly parkings: number
  readonly bellsRung: number
}

const NO_BYTES = Buffer.alloc(0)
/** A turn costs a look at epoll. Four catch the answer of a busy peer; 16 cost a third more CPU. */
const POLLS_EMPTY_MAX = 4

/** Lives on the thread that `wiring` names, one per thread. Between calls: either a poll is
 *  scheduled for the next turn, or the thread is parked and its peers know. */
export class ThreadBus {
  readonly thread: number
  readonly #handlers: BusHandlers
  readonly #context: LinkContext
  readonly #links: (Link | undefined)[] = []
  readonly #frameHandlers: FrameHandler[] = []
  readonly #parking: Parking
  readonly #pollsEmptyMax: number
  readonly #framesPerPollMax: number
  readonly #stopDropListener: () => void
  readonly #turn = () => this.#onTurn()
  #keepAlive: boolean
  #immediate: NodeJS.Immediate | undefined
  #pollsEmpty = 0
  #polling = false
  #closed = false
  #bellsOfLost = 0
  readonly #counts = {
    framesReceived: 0,
    requestsSent: 0,
    noticesSent: 0,
    repliesSent: 0,
    backlogged: 0,
    repliesDropped: 0,
    parkings: 0,
  }

  constructor(
    wiring: ThreadWiring,
    pool: BufferPool,
    handlers: BusHandlers,
    options: BusOptions = {},
  ) {
    this.thread = wiring.thread
    this.#handlers = handlers
    // A bell may also be met while a link looks in its port for memory, so links tell it.
    const onBell = () => this.#wake()
    this.#context = { pool, arena: new CopyArena(pool), limits: wiring.limits, onBell }
    this.#parking = new Parking(wiring.parked)
    this.#keepAlive = options.keepAlive ?? false
    this.#pollsEmptyMax = options.pollsEmptyMax ?? POLLS_EMPTY_MAX
    this.#framesPerPollMax = options.framesPerPollMax ?? 256
    this.#stopDropListener = pool.onDrop((id) => this.#onDrop(id))
    for (const link of wiring.links) this.#connect(link)
    // Peers may have sent before this thread was there to hear a bell.
    this.#wake()
  }

  /** Sends a request. `payload` is copied at once. `onReply` is called once, later. Beyond credit
   *  or room it waits, in order; the caller bounds that by looking at backlog(). hot */
  request(to: number, type: number, actor: number, payload: Uint8Array, onReply: OnReply): void {
    const link = this.#link(to)
    if (!link.alive) {
      queueMicrotask(() => onReply('lost', 0, NO_BYTES, 0, 0))
      return
    }
    this.#counts.requestsSent++
    if (link.send(type, actor, payload, onReply) === 'waits') this.#counts.backlogged++
    this.#wake()
  }

  /** Sends something that has no answer, in order with the requests. Dropped when the peer is lost.
   *  hot */
  notice(to: number, type: number, actor: number, payload: Uint8Array): void {
    const link = this.#link(to)
    if (!link.alive) return
    this.#counts.noticesSent++
    if (link.send(type, actor, payload, undefined) === 'waits') this.#counts.backlogged++
    this.#wake()
  }

  /** Answers a request. Always has room. Dropped when the asker died since. hot */
  reply(to: number, correlation: number, type: number, payload: Uint8Array): void {
    const link = this.#link(to)
    if (!link.alive || incarnationOf(correlation) !== incarnationTag(link.incarnation)) {
      this.#counts.repliesDropped++
      return
    }
    this.#counts.repliesSent++
    link.reply(correlation, type, payload)
  }

  /** Makes sure that `to` can resolve `buffer`; call before sending a reference to it. How long the
   *  buffer must be held is the caller's business: usually until the reply. */
  share(to: number, buffer: PooledBuffer): void {
    const link = this.#link(to)
    if (link.alive) link.share(buffer)
  }

  /** The memory of the buffer `id` that `from` shared. Read only. */
  resolve(from: number, id: number): Buffer {
    return this.#link(from).resolve(id)
  }

  /** How many requests and notices to `to` wait for credit or room. */
  backlog(to: number): number {
    return this.#link(to).backlog
  }

  /** How many requests to `to` were sent and not answered. */
  unanswered(to: number): number {
    return this.#link(to).outstanding.open
  }

  /** What happened so far. */
  counts(): BusCounts {
    let bellsRung = this.#bellsOfLost
    for (const link of this.#links) bellsRung += link?.doorbell.rung ?? 0
    return { ...this.#counts, bellsRung }
  }

  /** Reads all rings once and sends what waits; answers how many frames moved. The bus does so by
   *  itself in each turn of the event loop with traffic; a thread in a long computation may call
   *  it. */
  poll(): number {
    assert(!this.#polling, 'a handler does not poll')
    this.#polling = true
    try {
      let work = 0
      for (const link of this.#links) {
        if (link?.alive) work += this.#pollLink(link)
      }
      return work
    } finally {
      this.#polling = false
    }
  }

  /** Bytes of other threads' buffers that are forgotten here since they were dropped there. */
  get bytesForgotten(): number {
    let bytes = 0
    for (const link of this.#links) bytes += link?.bytesForgotten ?? 0
    return bytes
  }

  /** `peer` died: its requests here are dropped, ours there are answered with `lost`. */
  peerLost(peer: number): void {
    const link = this.#link(peer)
    if (link.alive) this.#bellsOfLost += link.doorbell.rung
    link.close()
    // It may have died between taking our parked flag and ringing: see doorbell.ts.
    this.#wake()
  }

  /** Connects with the successor of `peer`: `link` is what rewireThread() made for this thread. */
  rewire(peer: number, link: LinkWiring): void {
    assert(link.peer === peer, 'the wiring is for this peer')
    this.peerLost(peer)
    this.#connect(link)
    this.#wake()
  }

  /** Whether an idle bus keeps the process or worker running. */
  keepAlive(keep: boolean): void {
    this.#keepAlive = keep
    for (const link of this.#links) {
      if (!link?.alive) continue
      if (keep) link.port.ref()
      else link.port.unref()
    }
  }

  /** Ends all connections; unanswered requests are answered with `lost`. Leaves no handle. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    if (this.#immediate !== undefined) clearImmediate(this.#immediate)
    this.#immediate = undefined
    for (const link of this.#links) link?.close()
    this.#stopDropListener()
    this.#context.arena.close()
  }

  #connect(wiring: LinkWiring): void {
    const link = new Link(wiring, this.#context)
    this.#links[wiring.peer] = link
    this.#frameHandlers[wiring.peer] = (type, flags, actor, correlation, bytes, at, length) => {
      if ((flags & FLAG_SPILLED) === 0) {
        this.#onFrame(link, type, flags, actor, correlation, bytes, at, length)
        return
      }
      const id = bytes.readUInt32LE(at)
      const offset = bytes.readUInt32LE(at + 4)
      const bytesThere = bytes.readUInt32LE(at + 8)
      const memory = link.resolve(id)
      try {
        this.#onFrame(link, type, flags, actor, correlation, memory, offset, bytesThere)
      } finally {
        link.releaseLater(id)
      }
    }
    link.port.on('message', (message) => link.onMessage(message))
    // Listening has made the port keep the loop alive.
    if (!this.#keepAlive) link.port.unref()
  }

  #onFrame(
    link: Link,
    type: number,
    flags: number,
    actor: number,
    correlation: number,
    bytes: Buffer,
    at: number,
    length: number,
  ): void {
    switch (flags & KIND_MASK) {
      case KIND_REQUEST:
        this.#handlers.onRequest(link.peer, type, actor, correlation, bytes, at, length)
        return
      case KIND_REPLY:
        link.outstanding.answer(correlation)('ok', type, bytes, at, length)
        return
      case KIND_NOTICE:
        this.#handlers.onNotice(link.peer, type, actor, bytes, at, length)
        return
      case KIND_RELEASE:
        link.onRelease(bytes, at, length)
        return
      default:
        assert(false, 'a frame has a kind')
    }
  }

  #pollLink(link: Link): number {
    const handler = this.#frameHandlers[link.peer] as FrameHandler
    const frames = link.reader.poll(handler, this.#framesPerPollMax)
    if (!link.alive) return frames
    if (frames > 0) {
      this.#counts.framesReceived += frames
      // Only now: head is stored, so the room of these replies is free.
      link.outstanding.settle()
      if (link.reader.isProducerStarved()) link.doorbell.ring()
    }
    return frames + link.flush()
  }

  #link(peer: number): Link {
    const link = this.#links[peer]
    assert(link !== undefined, 'a thread talks to other threads that it is wired with')
    return link
  }

  #onDrop(id: number): void {
    for (const link of this.#links) {
      if (link?.alive) link.forget(id)
    }
  }

  #wake(): void {
    this.#pollsEmpty = 0
    if (this.#immediate !== undefined || this.#closed) return
    if (this.#links.length === 0) return
    this.#parking.wake()
    this.#immediate = setImmediate(this.#turn)
  }

  #onTurn(): void {
    this.#immediate = undefined
    let work = 1
    try {
      work = this.poll()
    } finally {
      if (!this.#closed) this.#afterPoll(work)
    }
  }

  #afterPoll(work: number): void {
    this.#pollsEmpty = work > 0 ? 0 : this.#pollsEmpty + 1
    // A handler has sent something.
    if (this.#immediate !== undefined) return
    if (this.#pollsEmpty >= this.#pollsEmptyMax && this.#tryPark()) return
    this.#immediate = setImmediate(this.#turn)
  }

  #tryPark(): boolean {
    for (const link of this.#links) {
      if (link?.alive) link.askForRoom()
    }
    this.#parking.park()
    let moved = 0
    for (const link of this.#links) {
      if (!link?.alive) continue
      if (!link.reader.isEmpty()) moved++
      moved += link.flush()
    }
    if (moved === 0) {
      this.#counts.parkings++
      return true
    }
    this.#parking.wake()
    this.#pollsEmpty = 0
    return false
  }
}

/**
 * One connection's bytes: frames in, answers out. Small frames are handed over where they lie in
 * the thread's scratch buffer; a frame that does not fit is received straight into a pooled buffer,
 * so no frame is ever assembled from pieces. Lives on the shard that accepted it.
 *
 *   read ──► scratch ──► whole frames: onFrame(view)            (no copy)
 *               └──► rest of a frame ──► pooled buffer ◄── read  (one copy: the first read)
 */
import { copyBytes } from '../base/copy.ts'
import type { BufferPool, PooledBuffer } from '../ring/arena.ts'
import type { ByteSocket } from './port-socket.ts'

const SIZE_BYTES = 4

/**
 * A first buffer for a frame is never larger, whatever length it announces; it grows as bytes
 * arrive.
 */
const FIRST_BUFFER_BYTES_MAX = 1024 * 1024 + 64 * 1024

/**
 * Answers waiting for a slow reader beyond which no further request of the connection is started.
 */
const UNSENT_BYTES_MAX = 256 * 1024

/**
 * Bytes after which a connection lets the others have a turn. The loop reads one socket up to 32
 * times before it looks at the next: one producer would keep a reader of its records waiting.
 */
const TURN_BYTES_MAX = 1024 * 1024

/** What a connection asks of its shard. */
export interface ConnectionHost {
  readonly pool: BufferPool
  /** Where reads land when no partial frame waits. */
  readonly scratch: Buffer
  /** `socket.request.max.bytes`. */
  readonly frameBytesMax: number
  /** Whether `bytes` more may be held for requests of this connection. */
  admit(connection: Connection, bytes: number): boolean
  /**
   * A whole frame without its size: [from, to) of `bytes`. `pooled` holds the bytes if they may be
   * kept (retain it) beyond the call; otherwise they are gone when it returns.
   */
  onFrame(
    connection: Connection,
    bytes: Buffer,
    from: number,
    to: number,
    pooled: PooledBuffer | undefined,
  ): void
  /** Whether the next frame of this connection may be started now. */
  mayStart(connection: Connection, bytes: Buffer, from: number): boolean
  onClosed(connection: Connection): void
  log(connection: Connection, message: string): void
}

export class Connection {
  readonly id: number
  readonly remoteAddress: string
  readonly localAddress: string
  /** The port that the peer dialled; 0 without a network. */
  readonly localPort: number
  /** The owner's state of this connection. */
  session: unknown
  #lastActiveMs: number
  #waitingSinceMs: number
  /** Bytes moved, and whole frames and answers, since `touch` looked last. */
  #moved = 0
  #whole = 0
  #lastUnsent = 0
  #host: ConnectionHost
  #socket: ByteSocket
  /** Holds a partial frame, or frames that may not start yet: [#start, #end). */
  #buffer: PooledBuffer | undefined
  #start = 0
  #end = 0
  /** Reading stopped. Changes only within a read or in `resume`: see `readTarget`. */
  #paused = false
  /** Bytes read since this connection let others have a turn. */
  #turnBytes = 0
  /** It is the turn of others. */
  #yielded = false
  /** Something that was received has to wait, so reading is to stop. */
  #stuck = false
  #parsing = false
  #closed = false
  #closedByPeer = false

  constructor(id: number, socket: ByteSocket, host: ConnectionHost, nowMs: number) {
    this.id = id
    this.remoteAddress = socket.remoteAddress ?? 'unknown'
    this.localAddress = socket.localAddress ?? 'localhost'
    this.localPort = socket.localPort ?? 0
    this.#socket = socket
    this.#host = host
    this.#lastActiveMs = nowMs
    this.#waitingSinceMs = nowMs
    socket.setNoDelay(true)
    socket.on('error', (error) => this.#onGone(`socket: ${error.message}`))
    socket.on('end', () => this.#onGone(undefined))
    socket.on('close', () => this.#onGone(undefined))
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Whether it ended without our doing: the peer closed it, or the way to it broke. */
  get closedByPeer(): boolean {
    return this.#closedByPeer
  }

  /** Bytes of requests that this connection holds. */
  get heldBytes(): number {
    return this.#buffer?.bytes.length ?? 0
  }

  /** Bytes of answers that the peer has not taken yet. */
  get unsentBytes(): number {
    return this.#socket.writableLength
  }

  /** Whether the peer owes something: the rest of a frame, or the taking of an answer. */
  get stalled(): boolean {
    return this.unsentBytes > 0 || (this.#end > this.#start && !this.#paused)
  }

  /**
   * When bytes moved last, as far as looking now can tell; monotonic ms. Called at regular times.
   */
  touch(nowMs: number): number {
    const unsent = this.#socket.queuedBytes ?? this.unsentBytes
    const isTaken = unsent < this.#lastUnsent
    if (this.#moved > 0 || isTaken) this.#lastActiveMs = nowMs
    if (this.#whole > 0 || isTaken || (this.heldBytes === 0 && unsent === 0)) {
      this.#waitingSinceMs = nowMs
    }
    this.#moved = 0
    this.#whole = 0
    this.#lastUnsent = unsent
    return this.#lastActiveMs
  }

  /**
   * Since when no request became whole, and of no answer anything was taken, as far as `touch`
   * could
   * tell; monotonic ms.
   */
  get waitingSinceMs(): number {
    return this.#waitingSinceMs
  }

  /**
   * Where the next read of the socket goes. A paused connection reads into the scratch buffer
   * first, since its own buffer may have gone back to the pool by the time it goes on.
   */
  readTarget(): Buffer {
    const held = this.#buffer
    if (held === undefined || this.#paused || this.#closed) return this.#host.scratch
    const limit = this.#readLimit(held)
    return limit > this.#end ? held.bytes.subarray(this.#end, limit) : this.#host.scratch
  }

  /**
   * Takes `n` bytes that were read into `target`, or a chunk of the socket's own. False: stop
   * reading.
   */
  onRead(target: Buffer, n: number): boolean {
    if (this.#closed) return false
    this.#moved += n
    const held = this.#buffer
    if (held !== undefined && target.buffer === held.bytes.buffer) {
      this.#end += n
      this.#parseHeld()
    } else if (held !== undefined) {
      this.#hold(target, 0, n)
      this.#parseHeld()
    } else {
      this.#parseLoose(target, n)
    }
    if (this.#closed) this.#release()
    else this.#yieldAfter(n)
    return !this.#paused && !this.#closed
  }

  /**
   * Stops reading until the next turn when this one was long; between frames, so that nothing is
   * copied.
   */
  #yieldAfter(n: number): void {
    this.#turnBytes += n
    if (this.#turnBytes < TURN_BYTES_MAX || this.#buffer !== undefined || this.#paused) return
    this.#turnBytes = 0
    this.#yielded = true
    this.#pause()
    setImmediate(() => {
      this.#yielded = false
      this.resume()
    })
  }

  /** Goes on with what waited: an answer left, or memory became free. */
  resume(): void {
    if (this.#closed || this.#parsing || !this.#paused || this.#yielded) return
    this.#stuck = false
    this.#parseHeld()
    if (this.#closed || this.#stuck) return
    this.#paused = false
    this.#socket.resume()
  }

  /** Sends an answer. `sent` is called once: when the kernel has it, or the connection died. */
  send(chunks: readonly Uint8Array[], sent: (() => void) | undefined): void {
    if (this.#closed) {
      sent?.()
      return
    }
    const socket = this.#socket
    this.#moved++
    const last = chunks.length - 1
    const lastChunk = chunks[last] as Uint8Array
    // A callback costs Node a turn of its own. An answer that fits does not need one, for it alone
    // never stops reading.
    const fits = socket.writableLength === 0 && lastChunk.length <= UNSENT_BYTES_MAX
    if (last === 0 && sent === undefined && fits) {
      socket.write(lastChunk)
      if (socket.writableLength === 0) this.#whole++
      return
    }
    if (last > 0) socket.cork()
    for (let i = 0; i < last; i++) socket.write(chunks[i] as Uint8Array)
    socket.write(lastChunk, () => {
      this.#whole++
      sent?.()
      this.resume()
    })
    if (last > 0) socket.uncork()
  }

  /** Ends the connection. `reason`: for the log; `undefined`: the peer left. */
  close(reason: string | undefined): void {
    if (this.#closed) return
    this.#closed = true
    if (reason !== undefined) this.#host.log(this, reason)
    this.#socket.destroy()
    if (!this.#parsing) this.#release()
    this.#host.onClosed(this)
  }

  /** Sends what waits, then ends the connection. */
  end(): void {
    this.#socket.end(() => this.close(undefined))
  }

  #onGone(reason: string | undefined): void {
    if (!this.#closed) this.#closedByPeer = true
    this.close(reason)
  }

  /** Whole frames in a foreign buffer; then whatever is left of them goes into one of ours. */
  #parseLoose(bytes: Buffer, n: number): void {
    this.#parsing = true
    let at = 0
    while (n - at >= SIZE_BYTES && !this.#closed) {
      const size = this.#sizeAt(bytes, at)
      if (size < 0) break
      const from = at + SIZE_BYTES
      if (n - from < size) break
      if (!this.#mayStart(bytes, from)) break
      at = from + size
      this.#whole++
      this.#host.onFrame(this, bytes, from, at, undefined)
    }
    this.#parsing = false
    if (this.#closed) this.#release()
    else if (at < n) this.#hold(bytes, at, n)
    if (this.#stuck) this.#pause()
  }

  /** Whole frames in our buffer. */
  #parseHeld(): void {
    this.#parsing = true
    while (!this.#closed && this.#end - this.#start >= SIZE_BYTES) {
      const held = this.#buffer as PooledBuffer
      const size = this.#sizeAt(held.bytes, this.#start)
      if (size < 0) break
      const from = this.#start + SIZE_BYTES
      if (this.#end - from < size) {
        this.#makeRoom(held, SIZE_BYTES + size)
        break
      }
      if (!this.#mayStart(held.bytes, from)) break
      this.#start = from + size
      this.#whole++
      this.#host.onFrame(this, held.bytes, from, from + size, held)
    }
    this.#parsing = false
    if (this.#closed || this.#start === this.#end) this.#release()
    if (this.#stuck) this.#pause()
  }

  /** Whether the whole frame at `from` may start; if not, reading stops until `resume`. */
  #mayStart(bytes: Buffer, from: number): boolean {
    this.#stuck =
      this.#socket.writableLength > UNSENT_BYTES_MAX || !this.#host.mayStart(this, bytes, from)
    return !this.#stuck
  }

  /** The size that a frame at `at` announces; -1: the connection was closed for it. */
  #sizeAt(bytes: Buffer, at: number): number {
    const size = bytes.readInt32BE(at)
    if (size >= 8 && size <= this.#host.frameBytesMax) return size
    this.close(`a frame announces ${size} bytes`)
    return -1
  }

  /** Moves [from, to) of `bytes` into a buffer of our own, behind what is there. */
  #hold(bytes: Buffer, from: number, to: number): void {
    const n = to - from
    let held = this.#buffer
    if (held === undefined) {
      const announced = n >= SIZE_BYTES ? SIZE_BYTES + bytes.readInt32BE(from) : n
      const ahead = Math.max(n, Math.min(announced, FIRST_BUFFER_BYTES_MAX))
      const admitted = ahead === n || this.#host.admit(this, ahead)
      if (!admitted) this.#stuck = true
      held = this.#host.pool.take(admitted ? ahead : n)
      this.#buffer = held
      this.#start = 0
      this.#end = 0
    } else if (this.#end + n > held.bytes.length) {
      held = this.#movedTo(held, this.#end - this.#start + n)
    }
    copyBytes(bytes.subarray(from, to), held.bytes, this.#end)
    this.#end += n
  }

  /**
   * Makes sure that a frame of `bytes` can go on arriving: grows by what has arrived, not by what
   * is said.
   */
  #makeRoom(held: PooledBuffer, bytes: number): void {
    if (this.#start + bytes <= held.bytes.length) return
    if (this.#end < held.bytes.length && this.#start === 0) return
    const arrived = this.#end - this.#start
    const want = Math.min(bytes, Math.max(FIRST_BUFFER_BYTES_MAX, arrived * 4))
    if (!this.#host.admit(this, want)) {
      this.#stuck = true
      return
    }
    this.#movedTo(held, want)
  }

  /** The same bytes at the start of a buffer of at least `bytes`. */
  #movedTo(held: PooledBuffer, bytes: number): PooledBuffer {
    const next = this.#host.pool.take(bytes)
    copyBytes(held.bytes.subarray(this.#start, this.#end), next.bytes, 0)
    this.#host.pool.release(held)
    this.#buffer = next
    this.#end -= this.#start
    this.#start = 0
    return next
  }

  /** Reads stop at the end of the frame, so that the next one begins in the scratch buffer. */
  #readLimit(held: PooledBuffer): number {
    const capacity = held.bytes.length
    const arrived = this.#end - this.#start
    if (arrived < SIZE_BYTES) return Math.min(capacity, this.#start + SIZE_BYTES)
    const end = this.#start + SIZE_BYTES + held.bytes.readInt32BE(this.#start)
    return Math.min(capacity, end)
  }

  #pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.#socket.pause()
  }

  #release(): void {
    if (this.#buffer === undefined) return
    this.#host.pool.release(this.#buffer)
    this.#buffer = undefined
    this.#start = 0
    this.#end = 0
  }
}

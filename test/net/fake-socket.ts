/** A socket without a network, and a shard around a connection over it. */
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { Connection, type ConnectionHost } from '../../src/net/connection.ts'
import { BufferPool, type PooledBuffer } from '../../src/ring/arena.ts'

/** Takes what is written, and says that it left when it is told to. */
export class FakeSocket extends EventEmitter {
  readonly remoteAddress = '10.0.0.1'
  readonly localAddress = '10.0.0.2'
  readonly written: Buffer[] = []
  readonly #unsent: { bytes: number; sent: (() => void) | undefined }[] = []
  writableLength = 0
  paused = false
  destroyed = false

  setNoDelay(): void {}
  cork(): void {}
  uncork(): void {}

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }

  write(chunk: Uint8Array, sent?: () => void): void {
    this.written.push(Buffer.from(chunk))
    this.writableLength += chunk.length
    this.#unsent.push({ bytes: chunk.length, sent })
  }

  /** The peer takes everything that was written. */
  drain(): void {
    for (const { bytes, sent } of this.#unsent.splice(0)) {
      this.writableLength -= bytes
      sent?.()
    }
  }

  destroy(): void {
    this.destroyed = true
    for (const { sent } of this.#unsent.splice(0)) sent?.()
  }
}

const PATTERN = 0xa5
const patterns = new Map<number, Buffer>()

/** A pool that fills what comes back, so that whoever writes into it later is found out. */
export class WatchedPool extends BufferPool {
  readonly #back = new Map<number, PooledBuffer>()
  bytesMax = 0

  constructor() {
    super({ shared: false })
  }

  override take(bytesMin: number): PooledBuffer {
    const buffer = super.take(bytesMin)
    this.check()
    this.#back.delete(buffer.id)
    this.bytesMax = Math.max(this.bytesMax, this.bytesInUse)
    return buffer
  }

  override release(buffer: PooledBuffer, refs = 1): void {
    super.release(buffer, refs)
    if (buffer.refs > 0) return
    buffer.bytes.fill(PATTERN)
    this.#back.set(buffer.id, buffer)
  }

  /** Throws when a buffer was written to after it came back. */
  check(): void {
    for (const { id, bytes } of this.#back.values()) {
      let filled = patterns.get(bytes.length)
      if (filled === undefined) {
        filled = Buffer.alloc(bytes.length, PATTERN)
        patterns.set(bytes.length, filled)
      }
      if (!bytes.equals(filled)) throw new Error(`buffer ${id} was written to after it came back`)
    }
  }
}

/** A shard with one connection; the test decides what may start and what is admitted. */
export class FakeShard implements ConnectionHost {
  readonly pool = new WatchedPool()
  readonly scratch: Buffer
  readonly frameBytesMax: number
  readonly socket = new FakeSocket()
  readonly connection: Connection
  readonly frames: Buffer[] = []
  readonly messages: string[] = []
  closedCount = 0
  mayStartNext = () => true
  admitNext = (_bytes: number) => true
  onFrameDo: (frame: Buffer, pooled: PooledBuffer | undefined) => void = () => {}

  constructor(options: { scratchBytes?: number; frameBytesMax?: number } = {}) {
    this.scratch = Buffer.alloc(options.scratchBytes ?? 1024)
    this.frameBytesMax = options.frameBytesMax ?? 100 * 1024 * 1024
    this.connection = new Connection(1, this.socket as unknown as Socket, this, 0)
  }

  admit(_connection: Connection, bytes: number): boolean {
    return this.admitNext(bytes)
  }

  mayStart(): boolean {
    return this.mayStartNext()
  }

  onFrame(
    _connection: Connection,
    bytes: Buffer,
    from: number,
    to: number,
    pooled: PooledBuffer | undefined,
  ): void {
    const frame = bytes.subarray(from, to)
    this.frames.push(Buffer.from(frame))
    this.onFrameDo(frame, pooled)
  }

  onClosed(): void {
    this.closedCount++
  }

  log(_connection: Connection, message: string): void {
    this.messages.push(message)
  }

  /**
   * The target of the next read: Node asks for it right behind a read, so it may be old by then.
   */
  #target: Buffer | undefined

  /**
   * Reads from `stream` as Node does, at most `chunk` bytes at a time; answers how many it took.
   */
  readFrom(stream: Buffer, chunk: number): number {
    if (this.socket.paused || this.socket.destroyed || stream.length === 0) return 0
    this.#target ??= this.connection.readTarget()
    const target = this.#target
    const n = stream.copy(target, 0, 0, Math.min(chunk, target.length))
    const goesOn = this.connection.onRead(target, n)
    this.#target = this.connection.readTarget()
    if (!goesOn) this.socket.paused = true
    return n
  }

  /** Feeds all of `stream`; stops when reading stops. Answers what is left. */
  feed(stream: Buffer, chunkOf: () => number = () => 1 << 30): Buffer {
    let left = stream
    for (;;) {
      const n = this.readFrom(left, chunkOf())
      if (n === 0) return left
      left = left.subarray(n)
    }
  }
}

/** A frame with its size in front. */
export function framed(body: Uint8Array): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
}

/** A body of `bytes` that tells where in a stream it is cut wrongly. */
export function bodyOf(bytes: number, seed: number): Buffer {
  const body = Buffer.alloc(bytes)
  for (let i = 0; i < bytes; i++) body[i] = i * 31 + seed * 7
  return body
}

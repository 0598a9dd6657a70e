/**
 * Reusable memory of one thread: buffers in size classes, counted references, and an arena that
 * packs small byte ranges that must cross to another thread. No peer ever writes into a pool's
 * buffers.
 */
import { assert } from '../base/assert.ts'
import { copyBytes } from '../base/copy.ts'

const KIB = 1024
const MIB = 1024 * KIB

/** Bytes of the size classes. Bigger buffers are made to measure and never kept. The third holds a
 *  batch of 1 MiB, the usual message.max.bytes, with its request around it. */
export const POOL_CLASS_BYTES: readonly number[] = [
  64 * KIB,
  256 * KIB,
  MIB + 64 * KIB,
  4 * MIB,
  16 * MIB,
  64 * MIB,
  128 * MIB,
]

/** Idle bytes that stay, however long nobody needs them. */
const IDLE_BYTES_KEPT = 16 * MIB

const BUFFER_ID_MAX = 0xffffffff

/** A buffer of a pool. `id` is unique in its pool for ever; `refs` is the pool's to change. */
export type PooledBuffer = { readonly id: number; readonly bytes: Buffer; refs: number }

/** How a pool is set up. `shared`: memory that other threads can see. `idleBytesMax`: buffers
 *  beyond this are left to the garbage collector when they come back. */
export type BufferPoolOptions = { readonly shared?: boolean; readonly idleBytesMax?: number }

/** A pool of one thread. Between calls: each buffer is in use (refs > 0) or idle in its class, and
 *  idle bytes <= idleBytesMax. */
export class BufferPool {
  readonly shared: boolean
  readonly idleBytesMax: number
  readonly #idle: PooledBuffer[][] = POOL_CLASS_BYTES.map(() => [])
  readonly #dropListeners = new Set<(id: number) => void>()
  #nextId = 1
  #bytesInUse = 0
  #smallBytesInUse = 0
  #bytesIdle = 0
  #allocated = 0
  #dropped = 0
  #bytesDropped = 0
  /** The lowest that the idle bytes were since `settle`. */
  #bytesIdleLow = 0

  constructor(options: BufferPoolOptions = {}) {
    this.shared = options.shared ?? true
    this.idleBytesMax = options.idleBytesMax ?? 32 * MIB
  }

  /** Bytes of the buffers that somebody holds. */
  get bytesInUse(): number {
    return this.#bytesInUse
  }

  /** The same without buffers of the smallest class: there is one of those per connection at most
   *  that waits for something, so they are bounded otherwise. */
  get largeBytesInUse(): number {
    return this.#bytesInUse - this.#smallBytesInUse
  }

  /** Bytes of the buffers that wait for use. */
  get bytesIdle(): number {
    return this.#bytesIdle
  }

  /** How many buffers were ever made. */
  get allocated(): number {
    return this.#allocated
  }

  /** How many buffers were ever left to the garbage collector. */
  get dropped(): number {
    return this.#dropped
  }

  /** Bytes of all buffers that were left to the garbage collector. */
  get bytesDropped(): number {
    return this.#bytesDropped
  }

  /** A buffer of at least `bytesMin` bytes with one reference; its content is arbitrary. */
  take(bytesMin: number): PooledBuffer {
    const size = classOf(bytesMin)
    // The last one that came back is the one most likely still in the cache.
    const buffer = this.#idle[size]?.pop()
    if (buffer === undefined) return this.#allocate(POOL_CLASS_BYTES[size] ?? bytesMin)
    this.#bytesIdle -= buffer.bytes.length
    if (this.#bytesIdle < this.#bytesIdleLow) this.#bytesIdleLow = this.#bytesIdle
    this.#count(buffer.bytes.length)
    buffer.refs = 1
    return buffer
  }

  /** Adds `refs` references. */
  retain(buffer: PooledBuffer, refs = 1): void {
    assert(buffer.refs > 0, 'a buffer that nobody holds cannot be retained')
    buffer.refs += refs
  }

  /** Gives back `refs` references; the buffer is reused after the last. */
  release(buffer: PooledBuffer, refs = 1): void {
    assert(buffer.refs >= refs, 'a reference is released once')
    buffer.refs -= refs
    if (buffer.refs > 0) return
    const bytes = buffer.bytes.length
    this.#count(-bytes)
    const size = POOL_CLASS_BYTES.indexOf(bytes)
    if (size < 0 || this.#bytesIdle + bytes > this.idleBytesMax) {
      this.#drop(buffer)
      return
    }
    this.#bytesIdle += bytes
    this.#idle[size]?.push(buffer)
  }

  /** Drops what was idle all the time since the last call, but for IDLE_BYTES_KEPT. To be called at
   *  regular times. */
  settle(): void {
    let surplus = this.#bytesIdleLow - IDLE_BYTES_KEPT
    for (let size = this.#idle.length - 1; size >= 0; size--) {
      const buffers = this.#idle[size] as PooledBuffer[]
      const bytes = POOL_CLASS_BYTES[size] as number
      // The first ones are those that were not taken for the longest time.
      const count = Math.min(buffers.length, Math.floor(Math.max(0, surplus) / bytes))
      surplus -= count * bytes
      this.#bytesIdle -= count * bytes
      for (const buffer of buffers.splice(0, count)) this.#drop(buffer)
    }
    this.#bytesIdleLow = this.#bytesIdle
  }

  /** Leaves all idle buffers to the garbage collector. */
  trim(): void {
    for (const buffers of this.#idle) {
      for (let buffer = buffers.pop(); buffer !== undefined; buffer = buffers.pop()) {
        this.#bytesIdle -= buffer.bytes.length
        this.#drop(buffer)
      }
    }
    this.#bytesIdleLow = 0
  }

  /** Calls `listener` with the id of every buffer that will not come back; answers how to stop
   *  that. */
  onDrop(listener: (id: number) => void): () => void {
    this.#dropListeners.add(listener)
    return () => this.#dropListeners.delete(listener)
  }

  #allocate(size: number): PooledBuffer {
    assert(this.#nextId <= BUFFER_ID_MAX, 'buffer ids fit into 32 bits')
    const memory = this.shared ? new SharedArrayBuffer(size) : new ArrayBuffer(size)
    this.#allocated++
    this.#count(size)
    return { id: this.#nextId++, bytes: Buffer.from(memory), refs: 1 }
  }

  #count(bytes: number): void {
    this.#bytesInUse += bytes
    if (Math.abs(bytes) === POOL_CLASS_BYTES[0]) this.#smallBytesInUse += bytes
  }

  #drop(buffer: PooledBuffer): void {
    this.#dropped++
    this.#bytesDropped += buffer.bytes.length
    for (const listener of this.#dropListeners) listener(buffer.id)
  }
}

/** Packs small byte ranges into pooled chunks, one after the other. Lives on one thread. The arena
 *  holds one reference of its current chunk, each copy another one. */
export class CopyArena {
  /** Where the last copy stands: its buffer, and the offset in it. Fields, so that a copy allocates
   *  nothing. */
  buffer: PooledBuffer | undefined
  offset = 0
  readonly #pool: BufferPool
  readonly #chunkBytes: number
  #chunk: PooledBuffer | undefined
  #used = 0

  constructor(pool: BufferPool, chunkBytes = 256 * KIB) {
    this.#pool = pool
    this.#chunkBytes = chunkBytes
  }

  /** Copies `bytes`; answers the buffer that holds them, at `offset`. The caller owns one
   *  reference. */
  copy(bytes: Uint8Array): PooledBuffer {
    if (bytes.length > this.#chunkBytes) return this.#copyAlone(bytes)
    const chunk = this.#chunkFor(bytes.length)
    copyBytes(bytes, chunk.bytes, this.#used)
    this.#pool.retain(chunk)
    this.buffer = chunk
    this.offset = this.#used
    // Aligned like frames, so that the receiver may lay typed views over a copy.
    this.#used = (this.#used + bytes.length + 7) & -8
    return chunk
  }

  /** Gives up the current chunk; it is reused when its copies are released. */
  close(): void {
    if (this.#chunk !== undefined) this.#pool.release(this.#chunk)
    this.#chunk = undefined
    this.buffer = undefined
  }

  #copyAlone(bytes: Uint8Array): PooledBuffer {
    const buffer = this.#pool.take(bytes.length)
    copyBytes(bytes, buffer.bytes, 0)
    this.buffer = buffer
    this.offset = 0
    return buffer
  }

  #chunkFor(length: number): PooledBuffer {
    let chunk = this.#chunk
    // All copies are back: start again in memory that is still in the cache.
    if (chunk !== undefined && chunk.refs === 1) this.#used = 0
    if (chunk === undefined || this.#used + length > chunk.bytes.length) {
      if (chunk !== undefined) this.#pool.release(chunk)
      chunk = this.#pool.take(this.#chunkBytes)
      this.#chunk = chunk
      this.#used = 0
    }
    return chunk
  }
}

function classOf(bytesMin: number): number {
  for (let size = 0; size < POOL_CLASS_BYTES.length; size++) {
    if (bytesMin <= (POOL_CLASS_BYTES[size] as number)) return size
  }
  return POOL_CLASS_BYTES.length
}

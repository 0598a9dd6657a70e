/**
 * Who may hold memory of a thread for a request that is still arriving. When it is short, who came
 * first is served first; and who holds some without getting on has to give way, so that a few
 * clients that announce much and send little cannot keep all others out. Lives on one thread.
 */

/** Always granted: the number of connections bounds it, and short requests never wait. */
const SMALL_BYTES = 64 * 1024
/** Somebody waits for this long before another has to give way. */
const PATIENCE_MS = 1000
/** Nobody has to give way who got on within this. */
const GRACE_MS = 2000

/** A connection, as far as its memory goes. */
export interface MemoryHolder {
  /** Bytes of requests that it holds. */
  readonly heldBytes: number
  /** Bytes of answers that its peer has not taken. */
  readonly unsentBytes: number
  /** Since when it has not got on with a request or an answer, monotonic ms. */
  readonly waitingSinceMs: number
  /** Goes on, asking again for what it was refused. */
  resume(): void
  close(reason: string): void
}

/** What is asked of the thread. */
export interface MemoryLimits {
  /** Bytes of its pool that are in use. */
  bytesInUse(): number
  /** Bytes that may be. */
  bytesMax(): number
}

export class RequestMemory {
  readonly #limits: MemoryLimits
  /** Who waits, since when (monotonic ms); the first comes first. */
  readonly #starved = new Map<MemoryHolder, number>()

  constructor(limits: MemoryLimits) {
    this.#limits = limits
  }

  /** Whether somebody waits: `serve` is to be called soon. */
  get isShort(): boolean {
    return this.#starved.size > 0
  }

  /** Whether `holder` may hold `bytes` more now. If not, it is resumed when it may. */
  admit(holder: MemoryHolder, bytes: number, nowMs: number): boolean {
    if (bytes <= SMALL_BYTES) return true
    const bytesMax = this.#limits.bytesMax()
    if (bytes > bytesMax) {
      holder.close(`a request of ${bytes} bytes exceeds odradek.requests.bytes.max`)
      return false
    }
    const isNext = this.#starved.size === 0 || this.#first() === holder
    if (isNext && this.#limits.bytesInUse() + bytes <= bytesMax) {
      this.#starved.delete(holder)
      return true
    }
    if (!this.#starved.has(holder)) this.#starved.set(holder, nowMs)
    return false
  }

  /** `holder` is gone. */
  forget(holder: MemoryHolder): void {
    this.#starved.delete(holder)
  }

  /** Resumes who waits, in order, as far as the memory goes. */
  serve(): void {
    for (let next = this.#first(); next !== undefined; next = this.#first()) {
      next.resume()
      // Still there: refused again.
      if (this.#first() === next) return
    }
  }

  /** Makes those give way who got on least, if somebody has waited for too long. */
  makeRoom(holders: Iterable<MemoryHolder>, nowMs: number): void {
    if (!this.#waitsTooLong(nowMs)) return
    const idle = [...holders]
      .filter((one) => one.heldBytes > 0 || one.unsentBytes > 0)
      .filter((one) => nowMs - one.waitingSinceMs >= GRACE_MS)
      .sort((a, b) => a.waitingSinceMs - b.waitingSinceMs)
    for (const holder of idle) {
      const waitedMs = Math.round(nowMs - holder.waitingSinceMs)
      holder.close(`memory is short and it has not got on for ${waitedMs} ms`)
      this.serve()
      if (!this.#waitsTooLong(nowMs)) return
    }
  }

  #waitsTooLong(nowMs: number): boolean {
    for (const sinceMs of this.#starved.values()) return nowMs - sinceMs >= PATIENCE_MS
    return false
  }

  #first(): MemoryHolder | undefined {
    for (const holder of this.#starved.keys()) return holder
    return undefined
  }
}

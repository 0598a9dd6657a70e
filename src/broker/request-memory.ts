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
  /** Bytes of its pool that are in use, without those of short requests. */
  bytesInUse(): number
  /** Bytes that may be. */
  bytesMax(): number
}

interface Waiting {
  readonly holder: MemoryHolder
  /** Monotonic ms. */
  readonly sinceMs: number
}

export class RequestMemory {
  readonly #limits: MemoryLimits
  /** Who waits; the first comes first. */
  readonly #starved: Waiting[] = []
  /** Who is asked again just now: it keeps its turn if it is refused again. */
  #served: Waiting | undefined

  constructor(limits: MemoryLimits) {
    this.#limits = limits
  }

  /** Whether somebody waits: `serve` is to be called soon. */
  get isShort(): boolean {
    return this.#starved.length > 0
  }

  /** Whether `holder` may hold `bytes` more now. If not, it is resumed when it may. */
  admit(holder: MemoryHolder, bytes: number, nowMs: number): boolean {
    if (bytes <= SMALL_BYTES) return true
    const bytesMax = this.#limits.bytesMax()
    if (bytes > bytesMax) {
      holder.close(`a request of ${bytes} bytes exceeds odradek.requests.bytes.max`)
      return false
    }
    const isAskedAgain = this.#served?.holder === holder
    const mayHave = isAskedAgain || this.#starved.length === 0
    if (mayHave && this.#limits.bytesInUse() + bytes <= bytesMax) return true
    if (isAskedAgain) this.#starved.unshift(this.#served as Waiting)
    else if (!this.#starved.some((one) => one.holder === holder)) {
      this.#starved.push({ holder, sinceMs: nowMs })
    }
    return false
  }

  /** `holder` is gone. */
  forget(holder: MemoryHolder): void {
    const at = this.#starved.findIndex((one) => one.holder === holder)
    if (at >= 0) this.#starved.splice(at, 1)
  }

  /** Resumes who waits, in order, as far as the memory goes. */
  serve(): void {
    for (let next = this.#starved.shift(); next !== undefined; next = this.#starved.shift()) {
      this.#served = next
      // It may not ask: what it holds is enough for a while.
      next.holder.resume()
      this.#served = undefined
      if (this.#starved[0] === next) return
    }
  }

  /** Makes those give way who got on least, if somebody has waited for too long. */
  makeRoom(holders: Iterable<MemoryHolder>, nowMs: number): void {
    if (!this.#waitsTooLong(nowMs)) return
    // Who holds little was granted nothing yet: it is not its fault that it does not get on.
    const idle = [...holders]
      .filter((one) => one.heldBytes > SMALL_BYTES || one.unsentBytes > 0)
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
    const [first] = this.#starved
    return first !== undefined && nowMs - first.sinceMs >= PATIENCE_MS
  }
}

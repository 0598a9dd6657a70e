/**
 * The requests of one thread that one peer has not answered, and the credit for more. Plain state:
 * no shared memory here.
 */
import { assert } from '../base/assert.ts'

/** Answer of a request. `lost`: the peer died and the rest says nothing; it may or may not have
 *  acted. `bytes` is valid only during the call. */
export type OnReply = (
  status: 'ok' | 'lost',
  type: number,
  bytes: Buffer,
  at: number,
  length: number,
) => void

// A correlation: incarnation of the link (8 bits), how often the slot was used (12), slot (12).
const SLOT_MASK = 0xfff
const USE_MASK = 0xfff
const USE_SHIFT = 12
const INCARNATION_SHIFT = 24
const INCARNATION_MASK = 0xff

/** The incarnation of the link on which a request with this correlation came. */
export function incarnationOf(correlation: number): number {
  return correlation >>> INCARNATION_SHIFT
}

/** An incarnation as far as correlations can hold it. */
export function incarnationTag(incarnation: number): number {
  return incarnation & INCARNATION_MASK
}

/** Lives on the requesting thread. Between calls: free + open + answered slots = creditsMax. */
export class Outstanding {
  readonly #tag: number
  readonly #replies: (OnReply | undefined)[]
  readonly #uses: Uint16Array
  readonly #free: number[] = []
  // Answered, but the reply's room in the ring is not free yet: see replyReserve.
  readonly #answered: number[] = []

  constructor(creditsMax: number, incarnation: number) {
    this.#tag = incarnationTag(incarnation)
    this.#replies = new Array<OnReply | undefined>(creditsMax).fill(undefined)
    this.#uses = new Uint16Array(creditsMax)
    for (let slot = creditsMax - 1; slot >= 0; slot--) this.#free.push(slot)
  }

  /** How many requests have no answer. */
  get open(): number {
    return this.#replies.length - this.#free.length - this.#answered.length
  }

  /** Takes credit for one request: its correlation, or -1 when there is none. hot */
  tryOpen(onReply: OnReply): number {
    const slot = this.#free.pop()
    if (slot === undefined) return -1
    this.#replies[slot] = onReply
    const use = ((this.#uses[slot] as number) + 1) & USE_MASK
    this.#uses[slot] = use
    return ((this.#tag << INCARNATION_SHIFT) | (use << USE_SHIFT) | slot) >>> 0
  }

  /** Gives back the credit of a request that was not sent. */
  cancel(correlation: number): void {
    const slot = correlation & SLOT_MASK
    this.#replies[slot] = undefined
    this.#free.push(slot)
  }

  /** Takes the continuation of an answered request. Its credit comes back with settle(). hot */
  answer(correlation: number): OnReply {
    const slot = correlation & SLOT_MASK
    const onReply = this.#replies[slot]
    assert(onReply !== undefined, 'a request is answered once')
    const use = (correlation >>> USE_SHIFT) & USE_MASK
    assert(use === this.#uses[slot], 'a reply belongs to the request that is open')
    this.#replies[slot] = undefined
    this.#answered.push(slot)
    return onReply
  }

  /** The room of all replies read so far is free: their credits are good for new requests. hot */
  settle(): void {
    for (let slot = this.#answered.pop(); slot !== undefined; slot = this.#answered.pop()) {
      this.#free.push(slot)
    }
  }

  /** Answers all open requests with `lost`. */
  failAll(): void {
    for (const [slot, onReply] of this.#replies.entries()) {
      this.#replies[slot] = undefined
      if (onReply === undefined) continue
      this.#answered.push(slot)
      onReply('lost', 0, Buffer.alloc(0), 0, 0)
    }
  }
}

/**
 * Virtual time: what is due first happens first, and what is due together in an order of chance.
 */
import type { Random } from './random.ts'

interface Event {
  atMs: number
  tie: number
  run: () => void
}

export class Scheduler {
  nowMs = 0
  readonly #random: Random
  /** A heap, the next event first. */
  readonly #events: Event[] = []

  constructor(random: Random) {
    this.#random = random
  }

  /** Runs `then` after `delayMs`; the returned function cancels. */
  after(delayMs: number, then: () => void): () => void {
    const event: Event = { atMs: this.nowMs + delayMs, tie: this.#random.next(), run: then }
    this.#add(event)
    return () => {
      event.run = () => {}
    }
  }

  /** Runs the next event; false: there is none. */
  step(): boolean {
    const event = this.#takeFirst()
    if (event === undefined) return false
    this.nowMs = Math.max(this.nowMs, event.atMs)
    event.run()
    return true
  }

  #add(event: Event): void {
    const heap = this.#events
    let at = heap.push(event) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(event, heap[parent] as Event)) break
      heap[at] = heap[parent] as Event
      at = parent
    }
    heap[at] = event
  }

  #takeFirst(): Event | undefined {
    const heap = this.#events
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1] as Event, heap[child] as Event)) child++
      if (!before(heap[child] as Event, last)) break
      heap[at] = heap[child] as Event
      at = child
    }
    heap[at] = last
    return first
  }
}

function before(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.tie < b.tie)
}

/**
 * Waking a thread that sleeps in its event loop. Each thread has a parked flag in shared memory;
 * the bell is a message on a MessagePort and is rung only for a parked thread: under load nobody
 * rings.
 *
 *   byte 0   ┌─────────────────────────────────────────────────────────┐
 *            │ parked  int32: set by the owner; cleared by the owner,   │  a line of its own
 *            │         or by the one peer whose exchange takes it       │
 *   byte 128 └─────────────────────────────────────────────────────────┘
 *
 * No wake-up is lost. All accesses below are Atomics, so they have one total order (ECMA-262,
 * Memory Model), in which each thread's own accesses keep their order:
 *   consumer:  P1 parked = 1      P2 load tails      sleeps only if P2 found nothing
 *   producer:  W1 store tail      W2 load parked     rings only if W2 found 1
 * If P2 comes after W1 the consumer sees the frame and does not sleep. Otherwise P1 < P2 < W1 < W2,
 * so the producer sees 1 and rings, unless another thread took the flag between P1 and W2: then
 * that one rings. The same argument, with head for tail, wakes a producer that waits for room.
 *
 * The flag is taken by exchange, so of many producers one rings, once per parking. A thread that
 * dies between exchange and message loses the bell; therefore peerLost() of the bus polls once by
 * itself.
 */
import type { MessagePort } from 'node:worker_threads'
import { LINE_BYTES } from './layout.ts'

/** New memory for the parked flag of one thread, awake. */
export function allocateParked(): SharedArrayBuffer {
  return new SharedArrayBuffer(LINE_BYTES)
}

/** The parked flag as its owner sees it. Lives on the thread that it speaks of. */
export class Parking {
  readonly #flag: Int32Array

  constructor(memory: SharedArrayBuffer) {
    this.#flag = new Int32Array(memory, 0, 1)
  }

  /** From here on peers ring. The caller must look once more for work before it sleeps. */
  park(): void {
    Atomics.store(this.#flag, 0, 1)
  }

  /** Peers need not ring any more. */
  wake(): void {
    Atomics.store(this.#flag, 0, 0)
  }
}

/** The bell of a peer. Lives on a thread that sends to it. */
export class Doorbell {
  readonly #flag: Int32Array
  readonly #port: MessagePort
  #rung = 0

  constructor(memory: SharedArrayBuffer, port: MessagePort) {
    this.#flag = new Int32Array(memory, 0, 1)
    this.#port = port
  }

  /** How often the peer had to be woken. */
  get rung(): number {
    return this.#rung
  }

  /** Wakes the peer if it is parked. Call after publishing. hot */
  ring(): void {
    if (Atomics.load(this.#flag, 0) === 0) return
    if (Atomics.exchange(this.#flag, 0, 0) === 0) return
    this.#rung++
    this.#port.postMessage(null)
  }
}

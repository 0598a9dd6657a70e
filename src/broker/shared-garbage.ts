/**
 * Memory of dropped buffers that threads shared. V8 counts a SharedArrayBuffer as nothing, so a
 * heap of a few megabytes may hold gigabytes of them and never be collected. A thread asks here, at
 * regular times, for a collection when it let go of much. Lives on one thread.
 */
import { runInNewContext } from 'node:vm'
import type { BufferPool } from '../ring/arena.ts'
import type { ThreadBus } from '../ring/bus.ts'

/** Bytes that may wait for V8 to find them by itself. */
const GARBAGE_BYTES_MAX = 32 * 1024 * 1024

let collect: (() => void) | undefined

export class SharedGarbage {
  readonly #pool: BufferPool
  readonly #bus: ThreadBus | undefined
  #collectedBytes = 0

  constructor(pool: BufferPool, bus: ThreadBus | undefined) {
    this.#pool = pool
    this.#bus = bus
  }

  /** Lets go of what nobody needed since the last call, and collects garbage if there is much. */
  onTick(): void {
    this.#pool.settle()
    if (!this.#pool.shared) return
    const bytes = this.#pool.bytesDropped + (this.#bus?.bytesForgotten ?? 0)
    if (bytes - this.#collectedBytes < GARBAGE_BYTES_MAX) return
    this.#collectedBytes = bytes
    collect ??= collector()
    collect()
  }
}

/** V8's own collection, which is hidden unless this flag was set. */
function collector(): () => void {
  // Loaded here, since it takes a millisecond of each start and few brokers come by.
  const { setFlagsFromString } = process.getBuiltinModule('node:v8')
  setFlagsFromString('--expose-gc')
  const gc: unknown = runInNewContext('typeof gc === "function" ? gc : undefined')
  return typeof gc === 'function' ? () => gc() : () => {}
}

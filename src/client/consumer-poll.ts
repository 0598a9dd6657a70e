/** Where somebody waits for records: one at a time, woken by whatever may have changed. */

/** How to ask for records. Times are milliseconds. */
export interface PollOptions {
  /** How long to wait for the first record. Default: 0. */
  readonly timeoutMs?: number | undefined
  /** Default: maxPollRecords. */
  readonly maxRecords?: number | undefined
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined
}

/** Lives with one consumer. */
export class PollGate {
  /** Something besides records has to be looked at before the next is handed out. */
  attention = true
  /** Somebody asked for records since this was last set to false. */
  polled = false
  #inside = false
  #woken = false
  #resolve: (() => void) | undefined
  #onLeft: (() => void)[] = []

  /** Whether somebody asks for records. */
  get inside(): boolean {
    return this.#inside
  }

  /** Throws when there is somebody else: records have an order. */
  enter(): void {
    if (this.#inside) throw new Error('Somebody else asks this consumer for records already.')
    this.#inside = true
    this.polled = true
  }

  leave(): void {
    this.#inside = false
    this.polled = true
    for (const told of this.#onLeft.splice(0)) told()
  }

  /** Resolves when nobody is inside. */
  async left(): Promise<void> {
    while (this.#inside) await new Promise<void>((resolve) => this.#onLeft.push(resolve))
  }

  /** Ends a wait, or the next one before it begins. */
  wake(): void {
    this.#woken = true
    this.#resolve?.()
  }

  /** As `wake`, and even records that lie ready wait. */
  attend(): void {
    this.attention = true
    this.wake()
  }

  /** Before one looks around: what happens from now on ends the next wait. */
  look(): void {
    this.#woken = false
    this.attention = false
  }

  /** Until somebody wakes, the time has come (monotonic ms), or the signal aborts. */
  async wait(deadlineMs: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#woken) return
    const waitMs = Math.min(0x7fffffff, Math.max(0, deadlineMs - performance.now()))
    let timer: NodeJS.Timeout | undefined
    const wake = () => this.#resolve?.()
    signal?.addEventListener('abort', wake, { once: true })
    await new Promise<void>((resolve) => {
      this.#resolve = resolve
      timer = setTimeout(resolve, waitMs)
    })
    this.#resolve = undefined
    clearTimeout(timer)
    signal?.removeEventListener('abort', wake)
  }
}

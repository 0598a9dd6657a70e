/**
 * The epochs under which a partition's log was written: (leader epoch, offset of its first batch).
 * Source: KIP-101, KIP-279; Kafka's LeaderEpochFileCache.
 */
export interface EpochStart {
  epoch: number
  startOffset: number
}

/** Epoch history of one log, ascending in both fields. Lives with its partition actor. */
export class LeaderEpochs {
  readonly #starts: EpochStart[] = []
  #dirty = false

  /** A batch of `epoch` begins at `offset`; a no-op unless the epoch is new. */
  observe(epoch: number, offset: number): void {
    const last = this.#starts.at(-1)
    if (epoch < 0 || (last !== undefined && last.epoch >= epoch)) return
    this.#starts.push({ epoch, startOffset: offset })
    this.#dirty = true
  }

  /** The newest epoch that wrote to this log, or -1. */
  latest(): number {
    return this.#starts.at(-1)?.epoch ?? -1
  }

  /** The epoch of the batch at `offset`, or -1 where the history does not reach. */
  epochAt(offset: number): number {
    for (let i = this.#starts.length - 1; i >= 0; i--) {
      const start = this.#starts[i]
      if (start !== undefined && start.startOffset <= offset) return start.epoch
    }
    return -1
  }

  /**
   * The largest epoch not above `asked` and the offset at which it ends; (-1, -1) when unknown.
   * `current` is the leader's epoch, which may not have written yet.
   */
  endOf(
    asked: number,
    current: number,
    logEndOffset: number,
  ): { epoch: number; endOffset: number } {
    if (asked < 0 || asked > current) return { epoch: -1, endOffset: -1 }
    if (asked === current) return { epoch: current, endOffset: logEndOffset }
    const first = this.#starts[0]
    // Nothing was written yet: an older epoch ended where the present one begins.
    if (first === undefined) return { epoch: asked, endOffset: logEndOffset }
    if (asked < first.epoch) return { epoch: asked, endOffset: first.startOffset }
    let found = 0
    while (
      found + 1 < this.#starts.length &&
      (this.#starts[found + 1] as EpochStart).epoch <= asked
    ) {
      found++
    }
    const next = this.#starts[found + 1]
    return {
      epoch: (this.#starts[found] as EpochStart).epoch,
      endOffset: next?.startOffset ?? logEndOffset,
    }
  }

  /** Drops what begins at or above `endOffset` (the log was cut there). */
  truncateTo(endOffset: number): void {
    while (
      this.#starts.length > 0 &&
      (this.#starts.at(-1) as EpochStart).startOffset >= endOffset
    ) {
      this.#starts.pop()
      this.#dirty = true
    }
  }

  /** Drops what ends at or below the new log start; the epoch that spans it begins there. */
  advanceStartTo(logStartOffset: number): void {
    while (
      this.#starts.length > 1 &&
      (this.#starts[1] as EpochStart).startOffset <= logStartOffset
    ) {
      this.#starts.shift()
      this.#dirty = true
    }
    const first = this.#starts[0]
    if (first !== undefined && first.startOffset < logStartOffset) {
      this.#starts[0] = { epoch: first.epoch, startOffset: logStartOffset }
      this.#dirty = true
    }
  }

  /** The history, oldest first. */
  entries(): readonly EpochStart[] {
    return this.#starts
  }

  restore(starts: readonly EpochStart[]): void {
    this.#starts.length = 0
    this.#starts.push(...starts)
  }

  /** What was taken could not be kept: it counts as changed again. */
  markDirty(): void {
    this.#dirty = true
  }

  /** Whether the history changed since the last call. */
  takeDirty(): boolean {
    const dirty = this.#dirty
    this.#dirty = false
    return dirty
  }
}

/**
 * Places where reads and appends of one log ended: a sequential reader finds its next batch without
 * the index. An entry may be overwritten by another at any time; it is never wrong.
 */

/** Positions remembered. */
const CURSORS = 16

export class ReadCursors {
  readonly #offsets = new Float64Array(CURSORS).fill(-1)
  readonly #segmentBases = new Float64Array(CURSORS)
  readonly #positions = new Float64Array(CURSORS)

  /** Position in the segment of the batch that begins with `offset`, or -1. */
  get(offset: number, segmentBase: number): number {
    const at = offset % CURSORS
    if (this.#offsets[at] !== offset || this.#segmentBases[at] !== segmentBase) return -1
    return this.#positions[at] as number
  }

  /** The batch that begins with `offset` lies, or will lie, at `position` of the segment. */
  set(offset: number, segmentBase: number, position: number): void {
    const at = offset % CURSORS
    this.#offsets[at] = offset
    this.#segmentBases[at] = segmentBase
    this.#positions[at] = position
  }

  /** Segments were removed or cut. */
  clear(): void {
    this.#offsets.fill(-1)
  }
}

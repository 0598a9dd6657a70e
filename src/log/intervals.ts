/** Byte ranges of a segment, merged: which parts have been read with the right CRC already. */
export class Intervals {
  /** from, to, from, to, … ascending and apart. */
  readonly #bounds: number[] = []

  /** Whether all of [from, to) is covered. */
  covers(from: number, to: number): boolean {
    const bounds = this.#bounds
    for (let i = 0; i < bounds.length; i += 2) {
      if ((bounds[i] as number) <= from && to <= (bounds[i + 1] as number)) return true
    }
    return false
  }

  /** Adds [from, to). */
  add(from: number, to: number): void {
    if (from >= to) return
    const bounds = this.#bounds
    let first = 0
    while (first < bounds.length && (bounds[first + 1] as number) < from) first += 2
    let last = first
    let low = from
    let high = to
    while (last < bounds.length && (bounds[last] as number) <= to) {
      low = Math.min(low, bounds[last] as number)
      high = Math.max(high, bounds[last + 1] as number)
      last += 2
    }
    bounds.splice(first, last - first, low, high)
  }

  /** Drops what lies at or above `end`. */
  cut(end: number): void {
    const bounds = this.#bounds
    while (bounds.length > 0 && (bounds[bounds.length - 2] as number) >= end) bounds.length -= 2
    if (bounds.length > 0 && (bounds[bounds.length - 1] as number) > end) {
      bounds[bounds.length - 1] = end
    }
  }
}

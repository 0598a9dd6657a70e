/** Offsets with values, kept as ranges: what neighbours have in common is kept once. */

/** Offsets from `first` to `last`, both included, that have one value. */
export interface Range<V> {
  readonly first: number
  readonly last: number
  readonly value: V
}

/** Disjoint ranges in ascending order. Its size is bounded by who sets it. */
export class RangeList<V> {
  readonly #same: (a: V, b: V) => boolean
  #ranges: Range<V>[] = []

  /** `same`: whether neighbours with these values become one range. */
  constructor(same: (a: V, b: V) => boolean) {
    this.#same = same
  }

  /** All ranges. */
  get all(): readonly Range<V>[] {
    return this.#ranges
  }

  /** The last offset that has a value; undefined: none has. */
  get last(): number | undefined {
    return this.#ranges[this.#ranges.length - 1]?.last
  }

  /** The ranges between two offsets, the outer ones cut. */
  within(first: number, last: number): Range<V>[] {
    const found: Range<V>[] = []
    for (let i = this.#indexAt(first); i < this.#ranges.length; i++) {
      const range = this.#ranges[i]!
      if (range.first > last) break
      found.push(cut(range, first, last))
    }
    return found
  }

  /** Gives all offsets between two the value, whatever they had. */
  set(first: number, last: number, value: V): void {
    const from = this.#indexAt(first)
    let to = from
    while (to < this.#ranges.length && this.#ranges[to]!.first <= last) to++
    const placed: Range<V>[] = []
    const before = this.#ranges[from]
    if (before !== undefined && before.first < first) placed.push({ ...before, last: first - 1 })
    placed.push({ first, last, value })
    const behind = this.#ranges[to - 1]
    if (to > from && behind !== undefined && behind.last > last) {
      placed.push({ ...behind, first: last + 1 })
    }
    this.#splice(from, to, placed)
  }

  /** Forgets all offsets below `offset`. */
  dropBelow(offset: number): void {
    const from = this.#indexAt(offset)
    this.#ranges.splice(0, from)
    const first = this.#ranges[0]
    if (first !== undefined && first.first < offset) this.#ranges[0] = { ...first, first: offset }
  }

  /** Puts `placed` in, and joins what has become alike with its neighbours. */
  #splice(from: number, to: number, placed: readonly Range<V>[]): void {
    const left = this.#ranges[from - 1]
    const right = this.#ranges[to]
    const joined: Range<V>[] = []
    for (const range of [left, ...placed, right]) {
      if (range === undefined) continue
      const previous = joined[joined.length - 1]
      if (previous?.last === range.first - 1 && this.#same(previous.value, range.value)) {
        joined[joined.length - 1] = { ...previous, last: range.last }
      } else joined.push(range)
    }
    const start = left === undefined ? from : from - 1
    const end = right === undefined ? to : to + 1
    this.#ranges.splice(start, end - start, ...joined)
  }

  /** The place of the first range that does not end below `offset`. */
  #indexAt(offset: number): number {
    let low = 0
    let high = this.#ranges.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#ranges[middle]!.last < offset) low = middle + 1
      else high = middle
    }
    return low
  }
}

function cut<V>(range: Range<V>, first: number, last: number): Range<V> {
  if (range.first >= first && range.last <= last) return range
  const { value } = range
  return { first: Math.max(range.first, first), last: Math.min(range.last, last), value }
}

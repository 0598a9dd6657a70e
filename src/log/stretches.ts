/**
 * Stretches of a log that the first pass of compaction came by and that the second one need not
 * read when none of their offsets is live.
 */
import { baseOffset, lastOffset, recordsCount } from '../protocol/record-batch.ts'
import type { LiveOffsets } from './live-offsets.ts'

// segment, position, end, first offset, last offset, records
const NUMBERS = 6

/** Neighbouring batches of one segment, for their keys alone: no markers, no transactions. */
export interface Stretch {
  /** Where it begins and ends in the segment, bytes. */
  readonly position: number
  readonly end: number
  readonly lastOffset: number
  readonly records: number
}

/** Collects stretches, of at least `bytesMin` each, in the order of the log. */
export class StretchCollector {
  readonly #bytesMin: number
  readonly #numbers: number[] = []
  #segment = -1
  #position = 0
  #end = 0
  #firstOffset = 0
  #lastOffset = 0
  #records = 0

  constructor(bytesMin: number) {
    this.#bytesMin = bytesMin
  }

  // hot
  /** The batch at `position` of the segment is looked at for its keys alone. */
  add(segment: number, position: number, batch: Buffer): void {
    if (this.#segment !== segment || this.#end !== position) {
      this.#segment = segment
      this.#position = position
      this.#firstOffset = baseOffset(batch, 0)
      this.#records = 0
    }
    this.#end = position + batch.length
    this.#lastOffset = lastOffset(batch, 0)
    this.#records += recordsCount(batch, 0)
    if (this.#end - this.#position < this.#bytesMin) return
    this.#numbers.push(segment, this.#position, this.#end)
    this.#numbers.push(this.#firstOffset, this.#lastOffset, this.#records)
    this.#segment = -1
  }

  /** All of them, for another thread. */
  state(): SharedArrayBuffer {
    const memory = new SharedArrayBuffer(this.#numbers.length * Float64Array.BYTES_PER_ELEMENT)
    new Float64Array(memory).set(this.#numbers)
    return memory
  }
}

/** The stretches of `segment` without a live offset, in order; neighbours are joined. */
export function deadStretches(
  memory: SharedArrayBuffer,
  segment: number,
  live: LiveOffsets,
): Stretch[] {
  const numbers = new Float64Array(memory)
  const dead: { -readonly [K in keyof Stretch]: Stretch[K] }[] = []
  for (let i = firstOf(numbers, segment); numbers[i] === segment; i += NUMBERS) {
    const at = (number: number) => numbers[i + number] as number
    if (live.hasAny(at(3), at(4))) continue
    const before = dead.at(-1)
    if (before?.end === at(1)) {
      before.end = at(2)
      before.lastOffset = at(4)
      before.records += at(5)
    } else dead.push({ position: at(1), end: at(2), lastOffset: at(4), records: at(5) })
  }
  return dead
}

/** Index of the first stretch of `segment` or a later one. */
function firstOf(numbers: Float64Array, segment: number): number {
  let low = 0
  let high = numbers.length / NUMBERS
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((numbers[middle * NUMBERS] as number) < segment) low = middle + 1
    else high = middle
  }
  return low * NUMBERS
}

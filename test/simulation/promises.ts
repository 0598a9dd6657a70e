/**
 * What a broker promises, checked from outside: nothing here knows segments, indexes or actors,
 * only what producers sent and were told, and what readers saw.
 */
import { assert } from '../../src/base/assert.ts'
import {
  baseOffset,
  batchSize,
  CRC_FROM,
  crc,
  RECORD_BATCH_OVERHEAD,
  RecordCursor,
  recordsCount,
} from '../../src/protocol/record-batch.ts'
import { crc32c } from '../log/batches.ts'

/** A promise that was broken. */
export class Broken extends Error {
  override readonly name = 'Broken'
}

/** A record as a reader sees it. */
export interface SeenRecord {
  offset: number
  value: string
}

/** The records in whole batches. Throws Broken: a reader was given something else. */
export function recordsIn(bytes: Buffer): SeenRecord[] {
  const found: SeenRecord[] = []
  const cursor = new RecordCursor()
  let at = 0
  while (at < bytes.length) {
    if (bytes.length - at < RECORD_BATCH_OVERHEAD) throw new Broken('a reader got half a header')
    const end = at + batchSize(bytes, at)
    if (end > bytes.length) throw new Broken('a reader got half a batch')
    if (crc32c(bytes.subarray(at + CRC_FROM, end)) !== crc(bytes, at)) {
      throw new Broken(`a reader got a damaged batch at ${baseOffset(bytes, at)}`)
    }
    cursor.reset(bytes, at + RECORD_BATCH_OVERHEAD, end, recordsCount(bytes, at))
    while (cursor.next()) {
      const offset = baseOffset(bytes, at) + cursor.offsetDelta
      found.push({ offset, value: String(cursor.value()) })
    }
    at = end
  }
  return found
}

/** What was known when a reader asked. */
export interface Asked {
  offset: number
  start: number
  high: number
  /** How often power had been lost. */
  life: number
}

/** Everything that was said about one partition. */
export class PartitionLedger {
  readonly name: string
  /** Values that were ever sent, and where the sender was told that they are. */
  readonly #sent = new Map<string, number | undefined>()
  /** What readers saw at each offset since power was lost the last time. */
  readonly #seen = new Map<number, string>()
  /** Below this the records may be gone. */
  start = 0
  /** The highest end that a reader was told since the last loss of power. */
  #highWatermark = 0
  #life = 0
  acknowledged = 0

  constructor(name: string) {
    this.name = name
  }

  sent(value: string): void {
    if (!this.#sent.has(value)) this.#sent.set(value, undefined)
  }

  /** The broker said that `value` is at `offset`. */
  acked(value: string, offset: number): void {
    assert(this.#sent.has(value), 'what is acknowledged was sent')
    const before = this.#sent.get(value)
    if (before !== undefined && before !== offset) {
      this.#broken(`${value} was acknowledged at ${before} and at ${offset}`)
    }
    if (before === undefined) this.acknowledged++
    this.#sent.set(value, offset)
  }

  /** Records below `offset` were deleted, and whoever asked was told so. */
  deletedBelow(offset: number): void {
    this.start = Math.max(this.start, offset)
  }

  /** A reader asks at `offset`: what it may be told later is no less than what is known now. */
  asks(offset: number): Asked {
    return { offset, start: this.start, high: this.#highWatermark, life: this.#life }
  }

  /** The reader was told the ends of the log, and given `records`. */
  read(asked: Asked, ends: { start: number; high: number }, records: readonly SeenRecord[]): void {
    // What was read before the power went may be gone now.
    if (asked.life !== this.#life) return
    if (ends.high < asked.high) {
      this.#broken(`the high watermark fell from ${asked.high} to ${ends.high}`)
    }
    this.#highWatermark = Math.max(this.#highWatermark, ends.high)
    if (ends.start < asked.start) {
      this.#broken(`deleted records came back: start ${asked.start}, then ${ends.start}`)
    }
    const { offset } = asked
    let expected = records[0]?.offset ?? 0
    if (expected > offset) this.#broken(`a reader asked at ${offset} and got ${expected}`)
    for (const record of records) {
      if (record.offset !== expected)
        this.#broken(`offset ${record.offset} follows ${expected - 1}`)
      expected++
      this.#see(record)
    }
    if (expected > ends.high && records.length > 0) this.#broken('a reader saw beyond the end')
  }

  /** What was not forced to the disk may be gone: readers may see other records there. */
  powerLost(): void {
    this.#seen.clear()
    this.#highWatermark = 0
    this.#life++
  }

  /** The whole log, read at leisure when everything has come to rest. */
  finish(records: readonly SeenRecord[]): void {
    const at = new Map<string, number>()
    const sequences = new Map<string, number>()
    for (const { offset, value } of records) {
      const double = at.get(value)
      if (double !== undefined) this.#broken(`${value} is at ${double} and at ${offset}`)
      at.set(value, offset)
      this.#see({ offset, value })
      const [producer = '', number] = value.split(':')
      const last = sequences.get(producer) ?? -1
      if (Number(number) <= last) this.#broken(`${value} comes behind ${producer}:${last}`)
      sequences.set(producer, Number(number))
    }
    for (const [value, offset] of this.#sent) {
      if (offset === undefined || offset < this.start) continue
      if (at.get(value) !== offset) {
        this.#broken(`${value} was acknowledged at ${offset} and is at ${at.get(value)}`)
      }
    }
  }

  #see({ offset, value }: SeenRecord): void {
    if (!this.#sent.has(value)) this.#broken(`${value} at ${offset} was never sent`)
    const before = this.#seen.get(offset)
    if (before !== undefined && before !== value) {
      this.#broken(`${offset} was ${before} and is ${value}`)
    }
    this.#seen.set(offset, value)
  }

  #broken(what: string): never {
    throw new Broken(`${this.name}: ${what}`)
  }
}

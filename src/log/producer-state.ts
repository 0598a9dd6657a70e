/**
 * Producer state of one partition: what idempotence and transactions remember per producer id.
 * Source: KIP-98, KIP-360, KIP-890; Kafka's ProducerStateManager. Pure: time comes in.
 */
import { assert } from '../base/assert.ts'
import { ErrorCode } from '../protocol/errors.ts'

/** Batches whose sequence range is remembered, so that a retry of one is answered, not appended. */
export const PRODUCER_BATCHES_REMEMBERED = 5

/** A batch that was appended, as its producer may send it again. */
export interface RememberedBatch {
  firstSequence: number
  lastSequence: number
  baseOffset: number
  lastOffset: number
  timestamp: number
}

/** State of one producer id. `currentTxnFirstOffset` and `coordinatorEpoch` are -1 when unset. */
export interface ProducerEntry {
  producerId: number
  producerEpoch: number
  /** Oldest first, at most `PRODUCER_BATCHES_REMEMBERED`. */
  batches: RememberedBatch[]
  coordinatorEpoch: number
  currentTxnFirstOffset: number
  /** Largest wall time, ms, at which this id was heard of; expiry counts from it. */
  lastTimestamp: number
}

/** An aborted transaction, as a read_committed consumer is told of it (.txnindex in Kafka). */
export interface AbortedTransaction {
  producerId: number
  firstOffset: number
  lastOffset: number
  /** Last stable offset right after this abort. */
  lastStableOffset: number
}

/** What a producer claims in a batch header. */
export interface ProducerClaim {
  producerId: number
  producerEpoch: number
  baseSequence: number
  recordsCount: number
  transactional: boolean
}

/** What a transaction marker says, and by which rules its epoch is judged. */
export interface MarkerClaim {
  producerId: number
  producerEpoch: number
  coordinatorEpoch: number
  commit: boolean
}

/** Of the first batch of a transaction, while the coordinator is asked about it. */
interface Verification {
  readonly guard: number
  producerEpoch: number
  /** No batch behind it is the first one of the transaction. */
  lowestSequence: number
  readonly sinceMs: number
}

/** NONE: append; `duplicate`: answer with that batch's offsets, append nothing. */
export type SequenceVerdict =
  | { kind: 'append' }
  | { kind: 'duplicate'; batch: RememberedBatch }
  | { kind: 'refuse'; errorCode: ErrorCode }

const APPEND: SequenceVerdict = { kind: 'append' }

/** Sequence number `count` places after `sequence`; after 2147483647 comes 0. */
export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % 0x80000000
}

/** All producers of a partition. Lives with its partition actor, which alone writes it. */
export class ProducerStates {
  readonly #entries = new Map<number, ProducerEntry>()
  /** First offset of each open transaction by producer id; insertion order is offset order. */
  readonly #open = new Map<number, number>()
  /** Ids whose entry changed since `takeDirty`. */
  readonly #dirty = new Set<number>()
  /** By producer id; each ends with the append, with a marker, or with its producer's expiry. */
  readonly #verifications = new Map<number, Verification>()
  #lastGuard: number

  /** `firstGuard`: a positive int32 that is another one in each life of the partition. */
  constructor(firstGuard = 1) {
    this.#lastGuard = firstGuard
  }

  get size(): number {
    return this.#entries.size
  }

  /**
   * First offset of the oldest open transaction, or `undefined`: nothing holds the last stable
   * offset.
   */
  firstUnstableOffset(): number | undefined {
    for (const offset of this.#open.values()) return offset
    return undefined
  }

  /** Whether a transaction of this epoch is open here. */
  isOngoing(producerId: number, producerEpoch: number): boolean {
    const entry = this.#entries.get(producerId)
    return entry?.producerEpoch === producerEpoch && entry.currentTxnFirstOffset !== -1
  }

  /**
   * Begins to ask whether a transaction has this partition. Who comes back with the guard, and
   * finds it unchanged (`holdsGuard`), knows that no marker was written meanwhile: else a batch
   * that comes late would open a transaction that nobody ends. Source: KIP-890.
   */
  guard(claim: ProducerClaim, nowMs: number): number {
    const { producerId, producerEpoch, baseSequence } = claim
    const known = this.#verifications.get(producerId)
    if (known !== undefined) {
      const isNewer = producerEpoch > known.producerEpoch
      if (
        isNewer ||
        (producerEpoch === known.producerEpoch && baseSequence < known.lowestSequence)
      ) {
        known.lowestSequence = baseSequence
      }
      if (isNewer) known.producerEpoch = producerEpoch
      return known.guard
    }
    const guard = (this.#lastGuard % 0x7fffffff) + 1
    this.#lastGuard = guard
    const begun = { guard, producerEpoch, lowestSequence: baseSequence, sinceMs: nowMs }
    this.#verifications.set(producerId, begun)
    return guard
  }

  /** Whether nothing ended the transaction since `guard` was given out. */
  holdsGuard(producerId: number, guard: number): boolean {
    return this.#verifications.get(producerId)?.guard === guard
  }

  /**
   * Judges a data batch before its append; the order of the checks is Kafka's. `epochBump`: the
   * epoch rises with each transaction (KIP-890), so that the first sequence of an unknown producer
   * is 0 as well.
   */
  check(claim: ProducerClaim, epochBump = false): SequenceVerdict {
    const entry = this.#entries.get(claim.producerId)
    if (claim.producerEpoch < 0) return refuse(ErrorCode.INVALID_PRODUCER_EPOCH)
    const lowest = this.#verifications.get(claim.producerId)?.lowestSequence
    if (entry === undefined) {
      const isLate = epochBump && claim.transactional && claim.baseSequence !== 0
      if (isLate || (lowest !== undefined && claim.baseSequence > lowest)) {
        return refuse(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
      }
      return APPEND
    }
    const lastSequence = sequenceAfter(claim.baseSequence, claim.recordsCount - 1)
    if (entry.producerEpoch === claim.producerEpoch) {
      for (const batch of entry.batches) {
        if (batch.firstSequence === claim.baseSequence && batch.lastSequence === lastSequence) {
          return { kind: 'duplicate', batch }
        }
      }
    }
    if (claim.producerEpoch < entry.producerEpoch) return refuse(ErrorCode.INVALID_PRODUCER_EPOCH)
    if (lowest !== undefined && claim.baseSequence > lowest) {
      return refuse(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    }
    if (claim.producerEpoch > entry.producerEpoch) {
      return claim.baseSequence === 0 ? APPEND : refuse(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    }
    const last = entry.batches.at(-1)
    // Only a marker was seen of this epoch: its data begins at 0, as after any rise of the epoch.
    if (last === undefined) {
      return claim.baseSequence === 0 ? APPEND : refuse(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    }
    if (claim.baseSequence !== sequenceAfter(last.lastSequence, 1)) {
      return refuse(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    }
    // It would be committed or aborted with the others.
    if (!claim.transactional && entry.currentTxnFirstOffset !== -1) {
      return refuse(ErrorCode.INVALID_TXN_STATE)
    }
    return APPEND
  }

  /** Judges a batch of a coordinator of this broker, which has no sequences. */
  checkEpoch(producerId: number, producerEpoch: number): ErrorCode {
    const known = this.#entries.get(producerId)?.producerEpoch ?? -1
    return producerEpoch < known ? ErrorCode.INVALID_PRODUCER_EPOCH : ErrorCode.NONE
  }

  /**
   * Judges a marker. `epochBump`: the transaction's end raised the epoch, so that one with the
   * epoch of an open transaction is late, and was meant for an earlier one. KIP-1228.
   */
  checkMarker(marker: MarkerClaim, epochBump: boolean): ErrorCode {
    const entry = this.#entries.get(marker.producerId)
    if (entry === undefined) return ErrorCode.NONE
    const isOpen = entry.currentTxnFirstOffset !== -1
    const lowest = entry.producerEpoch + (epochBump && isOpen ? 1 : 0)
    if (marker.producerEpoch < lowest) return ErrorCode.INVALID_PRODUCER_EPOCH
    return marker.coordinatorEpoch < entry.coordinatorEpoch
      ? ErrorCode.TRANSACTION_COORDINATOR_FENCED
      : ErrorCode.NONE
  }

  /**
   * Records an appended data batch. Also the replay of recovery, where the log is believed as it
   * is.
   */
  appended(
    claim: ProducerClaim,
    at: { baseOffset: number; lastOffset: number; timestamp: number; nowMs: number },
  ): void {
    const { transactional } = claim
    const entry = this.#entryFor(claim.producerId, claim.producerEpoch)
    if (entry.producerEpoch !== claim.producerEpoch) {
      entry.producerEpoch = claim.producerEpoch
      entry.batches.length = 0
    }
    if (entry.batches.length === PRODUCER_BATCHES_REMEMBERED) entry.batches.shift()
    entry.batches.push({
      firstSequence: claim.baseSequence,
      lastSequence: sequenceAfter(claim.baseSequence, Math.max(0, claim.recordsCount - 1)),
      baseOffset: at.baseOffset,
      lastOffset: at.lastOffset,
      timestamp: at.timestamp,
    })
    entry.lastTimestamp = Math.max(entry.lastTimestamp, at.nowMs)
    if (transactional) this.#verifications.delete(claim.producerId)
    if (transactional && entry.currentTxnFirstOffset === -1) {
      entry.currentTxnFirstOffset = at.baseOffset
      this.#open.set(claim.producerId, at.baseOffset)
    }
    this.#dirty.add(claim.producerId)
  }

  /**
   * Records a transaction marker at `offset`. Answers the aborted transaction when there was one to
   * abort, so that it can be indexed.
   */
  marked(marker: MarkerClaim, offset: number, nowMs: number): AbortedTransaction | undefined {
    const entry = this.#entryFor(marker.producerId, marker.producerEpoch)
    if (entry.producerEpoch !== marker.producerEpoch) {
      entry.producerEpoch = marker.producerEpoch
      entry.batches.length = 0
    }
    entry.coordinatorEpoch = marker.coordinatorEpoch
    entry.lastTimestamp = Math.max(entry.lastTimestamp, nowMs)
    const firstOffset = entry.currentTxnFirstOffset
    entry.currentTxnFirstOffset = -1
    this.#open.delete(marker.producerId)
    this.#verifications.delete(marker.producerId)
    this.#dirty.add(marker.producerId)
    if (firstOffset === -1 || marker.commit) return undefined
    return {
      producerId: marker.producerId,
      firstOffset,
      lastOffset: offset,
      lastStableOffset: this.firstUnstableOffset() ?? offset + 1,
    }
  }

  /**
   * Forgets producers silent for `expirationMs`, but none with an open transaction. Returns how
   * many.
   */
  expire(nowMs: number, expirationMs: number): number {
    for (const [producerId, { sinceMs }] of this.#verifications) {
      if (nowMs - sinceMs >= expirationMs) this.#verifications.delete(producerId)
    }
    let expired = 0
    for (const entry of this.#entries.values()) {
      if (entry.currentTxnFirstOffset !== -1) continue
      if (nowMs - entry.lastTimestamp < expirationMs) continue
      this.#entries.delete(entry.producerId)
      this.#dirty.add(entry.producerId)
      expired++
    }
    return expired
  }

  /** Puts back an entry that was persisted. Entries come in any order. */
  restore(entry: ProducerEntry): void {
    assert(!this.#entries.has(entry.producerId), 'a producer is restored once')
    this.#entries.set(entry.producerId, entry)
    if (entry.currentTxnFirstOffset === -1) return
    this.#open.set(entry.producerId, entry.currentTxnFirstOffset)
    const sorted = [...this.#open].sort((a, b) => a[1] - b[1])
    this.#open.clear()
    for (const [producerId, offset] of sorted) this.#open.set(producerId, offset)
  }

  /** Forgets everything (the log was rebuilt or truncated below what is known). */
  clear(): void {
    for (const producerId of this.#entries.keys()) this.#dirty.add(producerId)
    this.#entries.clear()
    this.#open.clear()
    this.#verifications.clear()
  }

  get(producerId: number): ProducerEntry | undefined {
    return this.#entries.get(producerId)
  }

  /** All entries, oldest id first seen first. */
  entries(): IterableIterator<ProducerEntry> {
    return this.#entries.values()
  }

  /** What was taken of this id could not be kept: it counts as changed again. */
  markDirty(producerId: number): void {
    this.#dirty.add(producerId)
  }

  /** Ids changed since the last call; their entry is gone when `get` has none. */
  takeDirty(): number[] {
    if (this.#dirty.size === 0) return NONE_DIRTY
    const ids = [...this.#dirty]
    this.#dirty.clear()
    return ids
  }

  #entryFor(producerId: number, producerEpoch: number): ProducerEntry {
    let entry = this.#entries.get(producerId)
    if (entry === undefined) {
      entry = {
        producerId,
        producerEpoch,
        batches: [],
        coordinatorEpoch: -1,
        currentTxnFirstOffset: -1,
        lastTimestamp: -1,
      }
      this.#entries.set(producerId, entry)
    }
    return entry
  }
}

const NONE_DIRTY: number[] = []

function refuse(errorCode: ErrorCode): SequenceVerdict {
  return { kind: 'refuse', errorCode }
}

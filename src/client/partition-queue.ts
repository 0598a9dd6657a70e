/**
 * What a producer has for one partition: batches that wait, batches in flight, and the sequence
 * numbers that let the broker keep their order and drop what comes twice (KIP-98, KIP-360).
 * Decides; sends nothing.
 */
import { assert } from '../base/assert.ts'
import { NO_SEQUENCE } from '../protocol/record-batch.ts'
import type { ProducerBatch } from './producer-batch.ts'

const EPOCH_MAX = 0x7fff
const SEQUENCE_MASK = 0x7fffffff

/** Who the broker takes us for. */
export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

/** Between calls: batches are in the order of their ordinals, those in flight as well. */
export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  /** Waiting; only the last may be open. */
  readonly waiting: ProducerBatch[] = []
  readonly inFlight: ProducerBatch[] = []
  /** Monotonic ms before which nothing is sent again. */
  notBeforeMs = 0
  /** Failed tries in a row, for the backoff. */
  failures = 0
  /** The last of those that wait, as long as it takes records. */
  open: ProducerBatch | undefined
  /** Size of the last sealed batch: the next will need about as much memory. */
  bytesHint = 0
  #identity: ProducerIdentity | undefined
  #nextSequence = 0
  #nextOrdinal = 0
  /** Whether the broker has a batch of this identity. */
  #established = false
  /** The broker misses batches before ours: nothing but a new epoch helps. */
  #needsNewEpoch = false

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  get identity(): ProducerIdentity | undefined {
    return this.#identity
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0
  }

  /** Ordinal of the next batch. */
  takeOrdinal(): number {
    return this.#nextOrdinal++
  }

  /** Whether the first batch has to wait for what is in flight: a retry goes alone, since what was
   *  sent behind it fails as well; and a new identity begins when the old one's answers are in. */
  mustWait(identity: ProducerIdentity | undefined, inFlightMax: number): boolean {
    const { length } = this.inFlight
    if (length === 0) return false
    if (length >= inFlightMax || this.#needsNewEpoch) return true
    if (identity !== undefined) {
      // A broker takes the first batch that it sees of a producer whatever its sequence is: were
      // there a second in flight, it might overtake the first.
      if (!this.#established || !this.#is(identity)) return true
    }
    return (this.waiting[0] as ProducerBatch).attempts > 0
  }

  /**
   * Takes the first batch to send it, with its sequence. `identity`: undefined without idempotence.
   * Undefined: the epochs of this producer id have run out; a new id is needed first.
   */
  take(identity: ProducerIdentity | undefined): ProducerBatch | undefined {
    if (identity !== undefined && !this.#adopt(identity)) return undefined
    const batch = this.waiting.shift()
    assert(batch !== undefined, 'a batch waits')
    batch.attempts++
    if (batch === this.open) this.open = undefined
    if (identity !== undefined && batch.baseSequence === NO_SEQUENCE) this.#sequence(batch)
    this.inFlight.push(batch)
    return batch
  }

  /** The broker has a batch of ours. */
  onWritten(): void {
    this.#established = true
    this.failures = 0
  }

  /** The batch is written, or given up: it is not in flight any more. */
  remove(batch: ProducerBatch): void {
    const at = this.inFlight.indexOf(batch)
    if (at >= 0) this.inFlight.splice(at, 1)
    else {
      const waits = this.waiting.indexOf(batch)
      if (waits >= 0) this.waiting.splice(waits, 1)
      if (batch === this.open) this.open = undefined
    }
  }

  /** Puts a batch back that has to be sent again, or a piece of one, at its place. */
  putBack(batch: ProducerBatch): void {
    const at = this.waiting.findIndex(({ ordinal }) => ordinal > batch.ordinal)
    if (at < 0) this.waiting.push(batch)
    else this.waiting.splice(at, 0, batch)
  }

  /** A batch that the broker surely does not have is given up: if it was the last with a sequence,
   *  the sequence is used again, so that no gap comes about. Were the batch there after all, the
   *  next one would be taken for it and be lost. */
  giveUpSequence(batch: ProducerBatch): void {
    if (batch.baseSequence === NO_SEQUENCE) return
    const after = (batch.baseSequence + batch.count) & SEQUENCE_MASK
    if (after === this.#nextSequence) this.#nextSequence = batch.baseSequence
  }

  /** The broker says that batches before this one are missing. True: it is the first of ours, so
   *  they are lost for good; false: those before it come again. */
  isFirst(batch: ProducerBatch): boolean {
    return [...this.inFlight, ...this.waiting].every(({ ordinal, baseSequence }) => {
      return baseSequence === NO_SEQUENCE || ordinal >= batch.ordinal
    })
  }

  /** The next batch begins a new epoch. */
  needNewEpoch(): void {
    this.#needsNewEpoch = true
  }

  /** Cuts the sequence of the first piece from the whole: both keep the numbers of the whole. */
  sequencePieces(whole: ProducerBatch, first: ProducerBatch, second: ProducerBatch): void {
    if (whole.baseSequence === NO_SEQUENCE) return
    first.baseSequence = whole.baseSequence
    second.baseSequence = (whole.baseSequence + first.count) & SEQUENCE_MASK
  }

  /** Whether it is what this partition goes by, which may have begun later epochs of its own. */
  #is({ producerId, producerEpoch }: ProducerIdentity): boolean {
    const mine = this.#identity
    return mine?.producerId === producerId && mine.producerEpoch >= producerEpoch
  }

  #sequence(batch: ProducerBatch): void {
    batch.baseSequence = this.#nextSequence
    this.#nextSequence = (this.#nextSequence + batch.count) & SEQUENCE_MASK
  }

  /** Goes over to the producer's id when nothing is in flight; begins a new epoch where one is
   *  needed, which concerns no other partition. False: epochs have run out. */
  #adopt(identity: ProducerIdentity): boolean {
    const same = this.#is(identity)
    if (same && !this.#needsNewEpoch) return true
    assert(this.inFlight.length === 0, 'a new identity begins when nothing is in flight')
    const mine = this.#identity
    const producerEpoch = same && mine ? mine.producerEpoch + 1 : identity.producerEpoch
    if (producerEpoch > EPOCH_MAX) return false
    this.#identity = { producerId: identity.producerId, producerEpoch }
    this.#needsNewEpoch = false
    this.#established = false
    this.#nextSequence = 0
    for (const batch of this.waiting) {
      if (batch.baseSequence !== NO_SEQUENCE) this.#sequence(batch)
    }
    return true
  }
}

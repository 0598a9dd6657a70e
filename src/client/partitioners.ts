/** Which partition a record goes to, when it does not say itself. */
import { murmur2 } from './murmur2.ts'
import type { RecordBytes } from './record-size.ts'

/** The topic as a partitioner sees it. */
export interface PartitionChoices {
  readonly topic: string
  /** Partitions are 0 … partitionCount - 1. */
  readonly partitionCount: number
  /** Those that have a leader; not empty unless none has. */
  readonly available: readonly number[]
}

/** A record as a partitioner sees it, after serialization. */
export interface PartitionedRecord {
  readonly key: RecordBytes
  readonly value: RecordBytes
}

/** Answers the partition of a record. */
export type Partitioner = (record: PartitionedRecord, choices: PartitionChoices) => number

/**
 * The built-in ones. `default`: by the hash of the key as in Kafka; records without a key stay
 * with one partition until it has got batchSize bytes (KIP-794). `roundRobin`: in turn, whatever
 * the key.
 */
export type PartitionerName = 'default' | 'roundRobin'

const KEY_BYTES_MAX = 256
const scratch = Buffer.allocUnsafeSlow(KEY_BYTES_MAX * 3)

// hot
/** Kafka's partition of a key. */
export function partitionOfKey(key: Uint8Array | string, partitionCount: number): number {
  return (murmur2(typeof key === 'string' ? textBytes(key) : key) & 0x7fffffff) % partitionCount
}

function textBytes(text: string): Uint8Array {
  if (text.length > KEY_BYTES_MAX) return Buffer.from(text)
  return scratch.subarray(0, scratch.write(text, 0))
}

/** The partition that records without a key stay with. One per topic. */
export class StickyPartition {
  #partition = -1
  #bytesLeft = 0

  /** `random`: in [0, 1). */
  choose(choices: PartitionChoices, random: () => number, bytesPerTurn: number): number {
    if (this.#bytesLeft > 0 && this.#partition < choices.partitionCount) return this.#partition
    const { available, partitionCount } = choices
    const count = available.length === 0 ? partitionCount : available.length
    const index = Math.floor(random() * count)
    this.#partition = available[index] ?? index
    this.#bytesLeft = bytesPerTurn
    return this.#partition
  }

  /** A record of `bytes` went there. */
  used(bytes: number): void {
    this.#bytesLeft -= bytes
  }
}

/** Each partition that has a leader in turn. One function serves all topics of a producer. */
export function roundRobin(): Partitioner {
  const turns = new Map<string, number>()
  return (_record, { topic, available, partitionCount }) => {
    const turn = turns.get(topic) ?? 0
    turns.set(topic, turn + 1)
    const count = available.length === 0 ? partitionCount : available.length
    return available[turn % count] ?? turn % count
  }
}

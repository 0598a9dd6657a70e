/** A topic as the producer sees it: its partitions, the one that records without a key stay with,
 *  and the sends that wait for its metadata. */
import { ErrorCode } from '../protocol/errors.ts'
import type { Delivery } from './delivery.ts'
import { kafkaError } from './errors.ts'
import type { PlainMessage } from './message-encoder.ts'
import type { MetadataCache, TopicMetadata } from './metadata.ts'
import {
  type PartitionChoices,
  type Partitioner,
  type PartitionerName,
  partitionOfKey,
  roundRobin,
  StickyPartition,
} from './partitioners.ts'
import type { RecordBytes } from './record-size.ts'

/** A send that is not all in batches yet. */
export interface WaitingSend {
  readonly topic: ProducerTopic
  readonly messages: readonly PlainMessage[]
  readonly delivery: Delivery | undefined
  /** The first message that is in no batch. */
  next: number
  /** Monotonic ms. */
  readonly deadlineMs: number
  readonly serial: number
}

/** How a producer chooses partitions. */
export interface PartitionChoice {
  /** undefined: Kafka's default. */
  readonly partitioner: Partitioner | undefined
  /** How much goes to one partition before records without a key move on. */
  readonly bytesPerTurn: number
}

/** The choice that a producer's settings make. */
export function partitionChoice(
  partitioner: PartitionerName | Partitioner | undefined,
  bytesPerTurn: number,
): PartitionChoice {
  if (partitioner === 'roundRobin') return { partitioner: roundRobin(), bytesPerTurn }
  return { partitioner: typeof partitioner === 'function' ? partitioner : undefined, bytesPerTurn }
}

/** Lives with one producer. */
export class ProducerTopic {
  readonly name: string
  readonly sticky = new StickyPartition()
  /** Sends before the first metadata. */
  readonly waiting: WaitingSend[] = []
  metadata: TopicMetadata | undefined
  #choices: PartitionChoices
  #version = -1

  constructor(name: string) {
    this.name = name
    this.#choices = { topic: name, partitionCount: 0, available: [] }
  }

  /** Brings it up to the cache; false while nothing is known. */
  refresh(cache: MetadataCache): boolean {
    if (this.#version === cache.version) return this.metadata !== undefined
    this.#version = cache.version
    // A topic that has gone is kept as it was: the broker is asked again when a batch fails.
    this.metadata = cache.topic(this.name) ?? this.metadata
    const partitions = this.metadata?.partitions ?? []
    this.#choices = {
      topic: this.name,
      partitionCount: partitions.length,
      available: partitions
        .filter(({ leaderId }) => leaderId >= 0)
        .map(({ partition }) => partition),
    }
    return this.metadata !== undefined
  }

  // hot
  /** The partition of a record that does not name one. Throws what a user's partitioner throws. */
  partitionOf(key: RecordBytes, value: RecordBytes, choice: PartitionChoice): number {
    const choices = this.#choices
    const { partitioner, bytesPerTurn } = choice
    if (partitioner !== undefined) return partitioner({ key, value }, choices)
    if (key !== null) return partitionOfKey(key, choices.partitionCount)
    return this.sticky.choose(choices, Math.random, bytesPerTurn)
  }

  /** Throws INVALID_PARTITIONS for a partition that there is not. */
  checkPartition(partition: number): void {
    const count = this.#choices.partitionCount
    if (Number.isInteger(partition) && partition >= 0 && partition < count) return
    const message = `Topic '${this.name}' has no partition ${partition}, only ${count}.`
    throw kafkaError(ErrorCode.INVALID_PARTITIONS, message)
  }
}

/** What a consumer reads and how far it has come: plain bookkeeping, without IO. */
import { ErrorCode } from '../protocol/errors.ts'
import { KafkaError } from './errors.ts'
import { keyOf, type TopicPartition } from './topic-partition.ts'

/** Where to start without a position: a named place, or the first record at or after a time in
 *  milliseconds. */
export type ResetTo = 'earliest' | 'latest' | number

/** A partition that is assigned. Written by positions, fetcher and consumer, all on one thread. */
export interface PartitionState extends TopicPartition {
  readonly key: string
  /** The offset of the next record that is handed out; undefined: not known yet. */
  position: number | undefined
  /** The epoch of the leader that appended the record before the position; -1: not known. */
  positionEpoch: number
  /** The offset of the next fetch: ahead of the position by what is fetched already. */
  fetchOffset: number
  /** As positionEpoch, of the record before fetchOffset. */
  fetchEpoch: number
  /** The last leader epoch in which fetchOffset was known to be in the log; -1: none. */
  validatedEpoch: number
  /** Where the position is to be looked up, before anything that is committed. */
  resetTo: ResetTo | undefined
  /** Changes whenever what was fetched is of no use any more. */
  generation: number
  paused: boolean
  /** -1: not known. */
  highWatermark: number
  /** -1: not known. */
  lastStableOffset: number
  /** Monotonic ms before which it is not fetched, since the last try failed. */
  notBeforeMs: number
}

/** The partitions that are assigned. */
export class Positions {
  readonly #states = new Map<string, PartitionState>()

  get size(): number {
    return this.#states.size
  }

  /** In the order in which they were assigned. */
  all(): IterableIterator<PartitionState> {
    return this.#states.values()
  }

  /** A partition if it is assigned. */
  get(partition: TopicPartition): PartitionState | undefined {
    return this.#states.get(keyOf(partition))
  }

  /** A partition. Throws KafkaError if it is not assigned. */
  require(partition: TopicPartition): PartitionState {
    const state = this.get(partition)
    if (state !== undefined) return state
    throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, {
      message: `${keyOf(partition)} is not assigned to this consumer.`,
      hint: 'Wait for onPartitionsAssigned, or assign() the partition.',
    })
  }

  /** Adds partitions; those that are there stay as they are. */
  add(partitions: Iterable<TopicPartition>): void {
    for (const { topic, partition } of partitions) {
      const key = keyOf({ topic, partition })
      if (this.#states.has(key)) continue
      this.#states.set(key, {
        topic,
        partition,
        key,
        position: undefined,
        positionEpoch: -1,
        fetchOffset: -1,
        fetchEpoch: -1,
        validatedEpoch: -1,
        resetTo: undefined,
        generation: 0,
        paused: false,
        highWatermark: -1,
        lastStableOffset: -1,
        notBeforeMs: 0,
      })
    }
  }

  /** Removes partitions; what was fetched of them is dropped. */
  remove(partitions: Iterable<TopicPartition>): void {
    for (const partition of partitions) {
      const state = this.get(partition)
      if (state === undefined) continue
      state.generation++
      this.#states.delete(state.key)
    }
  }

  /** The position of each partition that has one, for a commit. */
  snapshot(): Map<string, TopicPartition & { offset: number; leaderEpoch: number }> {
    const offsets = new Map<string, TopicPartition & { offset: number; leaderEpoch: number }>()
    for (const { topic, partition, key, position, positionEpoch } of this.#states.values()) {
      if (position === undefined) continue
      offsets.set(key, { topic, partition, offset: position, leaderEpoch: positionEpoch })
    }
    return offsets
  }
}

/** Goes on at `offset`. `epoch`: that of the record before it; with it a leader is asked first
 *  whether it has that record. */
export function seekTo(state: PartitionState, offset: number, epoch = -1): void {
  state.position = offset
  state.positionEpoch = epoch
  state.fetchOffset = offset
  state.fetchEpoch = epoch
  state.validatedEpoch = -1
  state.resetTo = undefined
  state.notBeforeMs = 0
  state.generation++
}

/** Has the position looked up. */
export function resetTo(state: PartitionState, to: ResetTo): void {
  state.position = undefined
  state.resetTo = to
  state.notBeforeMs = 0
  state.generation++
}

/** Stops handing out records; what was fetched is dropped, so that it holds no memory. */
export function pauseAt(state: PartitionState): void {
  if (state.paused) return
  state.paused = true
  dropFetched(state)
}

/** Forgets what was fetched behind the position. */
export function dropFetched(state: PartitionState): void {
  state.generation++
  if (state.position === undefined) return
  state.fetchOffset = state.position
  state.fetchEpoch = state.positionEpoch
}

/** The partitions of `all` that `without` lacks. */
export function difference(
  all: Iterable<TopicPartition>,
  without: Iterable<TopicPartition>,
): TopicPartition[] {
  const keys = new Set([...without].map(keyOf))
  return [...all].filter((one) => !keys.has(keyOf(one)))
}

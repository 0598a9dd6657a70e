/** Which thread owns a partition, for the life of the process. */

/** The threads that hold partitions. */
export interface Placement {
  /** Shards are threads 0 up to and without this number. At least 1. */
  readonly shards: number
  /** The thread of the coordinators; it holds the internal topics. May be one of the shards. */
  readonly coordinatorThread: number
}

/**
 * The thread of a partition. Internal topics live beside their coordinators, whose appends are then
 * local; all others spread over the shards by their durable slot, so that a topic's partitions,
 * which get consecutive slots, spread evenly.
 */
export function threadOf(placement: Placement, slot: number, internal: boolean): number {
  return internal ? placement.coordinatorThread : slot % placement.shards
}

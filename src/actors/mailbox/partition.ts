/**
 * What partition actors accept and answer. Hot messages (append, read, wake) have fixed fields and
 * go over the rings; rare ones cross as msgpackr records on the same rings, so their order holds.
 */
import type { MarkerOrder } from '../partition-requests.ts'

/** Rare commands to the partitions of one thread. `slot` is the partition's durable number. */
export type PartitionCommand =
  | {
      kind: 'list-offsets'
      /** Nothing at or above the last stable offset is answered. */
      readCommitted: boolean
      partitions: readonly OffsetAsked[]
    }
  | { kind: 'epoch-ends'; partitions: readonly EpochAsked[] }
  | { kind: 'delete-records'; partitions: readonly { slot: number; offset: number }[] }
  | { kind: 'describe-producers'; slots: readonly number[] }
  | { kind: 'log-sizes'; slots: readonly number[] }
  /** Ends transactions; answered when all that could be written is as durable as wanted. */
  | { kind: 'write-markers'; markers: readonly (MarkerOrder & { slot: number })[] }

/** The offset of a time or of a named place. */
export interface OffsetAsked {
  slot: number
  /** Milliseconds, or one of `OffsetSpec`. */
  timestamp: number
  /** What the asker takes for the leader's epoch, -1: unchecked. */
  currentLeaderEpoch: number
}

/** Named places in a log, as ListOffsets carries them instead of a time. */
export const OffsetSpec = {
  /** The high watermark, or the last stable offset. */
  latest: -1,
  /** The log start offset. */
  earliest: -2,
  /** The record with the largest timestamp. KIP-734. */
  maxTimestamp: -3,
  /** The first offset on this broker's disk. KIP-405. */
  earliestLocal: -4,
  /** The last offset in tiered storage. KIP-1005. */
  latestTiered: -5,
  /** The first offset that tiered storage lacks. KIP-1023. */
  earliestPendingUpload: -6,
} as const

/** Where the log of a leader epoch ends. */
export interface EpochAsked {
  slot: number
  leaderEpoch: number
  /** What the asker takes for the leader's epoch, -1: unchecked. */
  currentLeaderEpoch: number
}

/** The answer to a command, by its kind: one item for each partition asked, in the order asked. */
export interface PartitionAnswers {
  /** -1 where nothing was found. */
  'list-offsets': readonly {
    errorCode: number
    timestamp: number
    offset: number
    leaderEpoch: number
  }[]
  'epoch-ends': readonly { errorCode: number; leaderEpoch: number; endOffset: number }[]
  'delete-records': readonly { errorCode: number; lowWatermark: number }[]
  'describe-producers': readonly { errorCode: number; producers: readonly ProducerDescription[] }[]
  /** Bytes of all segments, or -1 where the partition is offline. */
  'log-sizes': readonly number[]
  'write-markers': readonly { errorCode: number }[]
}

/** A producer that wrote to a partition; -1 where a field is not set. */
export interface ProducerDescription {
  producerId: number
  producerEpoch: number
  lastSequence: number
  /** Milliseconds. */
  lastTimestamp: number
  coordinatorEpoch: number
  currentTxnStartOffset: number
}

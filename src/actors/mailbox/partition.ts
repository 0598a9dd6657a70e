/**
 * What partition actors accept and answer. Hot messages (append, read, wake) have fixed fields and
 * go over the rings; rare ones cross as msgpackr records on the same rings, so their order holds.
 */

/** Rare commands to the partitions of one thread. `slot` is the partition's durable number. */
export type PartitionCommand =
  | { kind: 'list-offset'; slot: number; timestamp: number; isolation: number; leaderEpoch: number }
  | { kind: 'epoch-end'; slot: number; leaderEpoch: number; currentLeaderEpoch: number }
  | { kind: 'delete-records'; slot: number; offset: number }
  | { kind: 'describe-producers'; slot: number }
  | { kind: 'log-sizes'; slots: readonly number[] }

/** The answer to a command, by its kind. */
export interface PartitionAnswers {
  'list-offset': { errorCode: number; timestamp: number; offset: number; leaderEpoch: number }
  'epoch-end': { errorCode: number; leaderEpoch: number; endOffset: number }
  'delete-records': { errorCode: number; lowWatermark: number }
  'describe-producers': {
    errorCode: number
    producers: readonly {
      producerId: number
      producerEpoch: number
      lastSequence: number
      lastTimestamp: number
      coordinatorEpoch: number
      currentTxnStartOffset: number
    }[]
  }
  /** Bytes of all segments of each asked partition, in the order asked; -1 where it is offline. */
  'log-sizes': readonly number[]
}

/** The rare commands to partitions, answered one by one on the thread that owns them. */
import { unreachable } from '../base/assert.ts'
import type { ProducerEntry } from '../log/producer-state.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { compressionOf } from '../protocol/record-batch.ts'
import { StorageError } from '../storage/storage-error.ts'
import { firstAtOrAfter, latestRecord, type TimedOffset } from './log-times.ts'
import {
  type EpochAsked,
  type OffsetAsked,
  OffsetSpec,
  type PartitionAnswers,
  type PartitionCommand,
  type ProducerDescription,
} from './mailbox/partition.ts'
import type { Partition } from './partition.ts'

type Answer<Kind extends keyof PartitionAnswers> = PartitionAnswers[Kind][number]
type PartitionOf = (slot: number) => Partition | undefined

/**
 * Answers `command`, at once but for markers, which may wait for a flush. A slot that
 * `partitionOf` does not know is
 * UNKNOWN_TOPIC_OR_PARTITION.
 */
export function onPartitionCommand(
  partitionOf: PartitionOf,
  command: PartitionCommand,
  answer: (result: PartitionAnswers[PartitionCommand['kind']]) => void,
): void {
  switch (command.kind) {
    case 'list-offsets': {
      const { readCommitted } = command
      answer(command.partitions.map((asked) => offsetOf(partitionOf, asked, readCommitted)))
      return
    }
    case 'epoch-ends':
      answer(command.partitions.map((asked) => epochEnd(partitionOf, asked)))
      return
    case 'delete-records':
      answer(
        command.partitions.map(({ slot, offset }) => {
          const unknown = { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, lowWatermark: -1 }
          return partitionOf(slot)?.deleteRecords(offset) ?? unknown
        }),
      )
      return
    case 'describe-producers':
      answer(command.slots.map((slot) => producersOf(partitionOf, slot)))
      return
    case 'log-sizes':
      answer(
        command.slots.map((slot) => {
          const partition = partitionOf(slot)
          return partition?.online ? partition.log.size : -1
        }),
      )
      return
    case 'write-markers':
      writeMarkers(partitionOf, command.markers, answer)
      return
    default:
      unreachable(command)
  }
}

function writeMarkers(
  partitionOf: PartitionOf,
  markers: (PartitionCommand & { kind: 'write-markers' })['markers'],
  answer: (results: Answer<'write-markers'>[]) => void,
): void {
  const results: Answer<'write-markers'>[] = []
  let open = markers.length + 1
  const onAppended = (at: number, { errorCode }: { errorCode: ErrorCode }) => {
    results[at] = { errorCode }
    open--
    if (open === 0) answer(results)
  }
  for (const [at, marker] of markers.entries()) {
    const partition = partitionOf(marker.slot)
    if (partition !== undefined) partition.appendMarker(marker, { onAppended }, at)
    else onAppended(at, { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION })
  }
  open--
  if (open === 0) answer(results)
}

/** Why the partition cannot answer, or NONE. `currentLeaderEpoch`: -1 is unchecked. */
function problemOf(partition: Partition | undefined, currentLeaderEpoch: number): ErrorCode {
  if (partition === undefined) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  if (!partition.online) return ErrorCode.KAFKA_STORAGE_ERROR
  return partition.epochProblem(currentLeaderEpoch)
}

function offsetOf(
  partitionOf: PartitionOf,
  asked: OffsetAsked,
  readCommitted: boolean,
): Answer<'list-offsets'> {
  const partition = partitionOf(asked.slot)
  const problem = problemOf(partition, asked.currentLeaderEpoch)
  if (partition === undefined || problem !== ErrorCode.NONE) return noOffset(problem)
  const { log } = partition
  const upper = readCommitted ? log.lastStableOffset : log.logEndOffset
  try {
    switch (asked.timestamp) {
      case OffsetSpec.latest:
        return place(upper, partition.leaderEpoch)
      case OffsetSpec.earliest:
      case OffsetSpec.earliestLocal:
        return place(log.logStartOffset, epochAtStart(partition))
      case OffsetSpec.latestTiered:
      case OffsetSpec.earliestPendingUpload:
        return noOffset(ErrorCode.NONE)
      case OffsetSpec.maxTimestamp:
        return record(latestRecord(log, recordsOf(partition)), upper)
      default:
        return record(firstAtOrAfter(log, asked.timestamp, recordsOf(partition)), upper)
    }
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    partition.storageFailed(error)
    return noOffset(ErrorCode.KAFKA_STORAGE_ERROR)
  }
}

/** A log without history begins with the present leader. */
function epochAtStart({ log, leaderEpoch }: Partition): number {
  const epoch = log.epochs.epochAt(log.logStartOffset)
  return epoch >= 0 ? epoch : leaderEpoch
}

function recordsOf(partition: Partition): (batch: Buffer) => Buffer | undefined {
  return (batch) => {
    const records = partition.judge.plainRecords(batch, compressionOf(batch, 0))
    return Buffer.isBuffer(records) ? records : undefined
  }
}

function place(offset: number, leaderEpoch: number): Answer<'list-offsets'> {
  return { errorCode: ErrorCode.NONE, timestamp: -1, offset, leaderEpoch }
}

/** A record that was found, unless the asker may not see it. */
function record(found: TimedOffset | undefined, upper: number): Answer<'list-offsets'> {
  if (found === undefined || found.offset >= upper) return noOffset(ErrorCode.NONE)
  return { errorCode: ErrorCode.NONE, ...found }
}

function noOffset(errorCode: ErrorCode): Answer<'list-offsets'> {
  return { errorCode, timestamp: -1, offset: -1, leaderEpoch: -1 }
}

function epochEnd(partitionOf: PartitionOf, asked: EpochAsked): Answer<'epoch-ends'> {
  const partition = partitionOf(asked.slot)
  const errorCode = problemOf(partition, asked.currentLeaderEpoch)
  if (partition === undefined || errorCode !== ErrorCode.NONE) {
    return { errorCode, leaderEpoch: -1, endOffset: -1 }
  }
  const { log, leaderEpoch } = partition
  const { epoch, endOffset } = log.epochs.endOf(asked.leaderEpoch, leaderEpoch, log.logEndOffset)
  return { errorCode, leaderEpoch: epoch, endOffset }
}

function producersOf(partitionOf: PartitionOf, slot: number): Answer<'describe-producers'> {
  const partition = partitionOf(slot)
  const errorCode = problemOf(partition, -1)
  if (partition === undefined || errorCode !== ErrorCode.NONE) return { errorCode, producers: [] }
  return { errorCode, producers: [...partition.log.producers.entries()].map(described) }
}

function described(entry: ProducerEntry): ProducerDescription {
  const last = entry.batches.at(-1)
  const isMarked = entry.coordinatorEpoch >= 0 && entry.currentTxnFirstOffset === -1
  return {
    producerId: entry.producerId,
    producerEpoch: entry.producerEpoch,
    lastSequence: last?.lastSequence ?? -1,
    // A marker is younger than all batches of its producer, and has only the time of its coming.
    lastTimestamp: isMarked ? entry.lastTimestamp : (last?.timestamp ?? entry.lastTimestamp),
    coordinatorEpoch: entry.coordinatorEpoch,
    currentTxnStartOffset: entry.currentTxnFirstOffset,
  }
}

/**
 * One round of compaction over one partition: map the keys of the dirty part, then rewrite the
 * segments up to there, group by group. Each group is in its place before the next one is begun.
 * Lives on the partition's thread.
 */
import { assert } from '../base/assert.ts'
import type { LastOfProducer } from '../log/clean-batch.ts'
import { NO_TRANSACTIONS, type TransactionsState } from '../log/cleaned-transactions.ts'
import { type Cleanable, groupSegments } from '../log/compaction.ts'
import type { HashKey } from '../log/key-hash.ts'
import type { IndexEntry } from '../storage/storage.ts'
import type { LogSegment } from './log-segment.ts'
import { ENTRY_NUMBERS, type MappedKeys, type RunTask, type TaskOutcome } from './mailbox/task.ts'
import type { Partition } from './partition.ts'
import type { PartitionLog } from './partition-log.ts'

/** What a round is to do. */
export interface Round {
  readonly partition: Partition
  readonly found: Cleanable
  /** One int32: not 0 ends the round. */
  readonly abort: SharedArrayBuffer
  readonly runTask: RunTask
  readonly nowMs: number
  readonly hashKey: HashKey
  readonly mapBytesMax: number
  readonly loadFactor: number
  readonly bufferBytes: number
  readonly bytesPerSecondMax: number
  readonly decompressedBytesMax: number
  /** Whether the partition still is what it was. */
  isCurrent(): boolean
  /** A group is in its place. */
  onSwapped(): void
}

/** What a round did. */
export interface RoundReport {
  /** Where the next round begins. */
  cleanedOffset: number
  keys: number
  recordsRead: number
  recordsKept: number
  bytesBefore: number
  bytesAfter: number
}

/** How a round ended. */
export type RoundEnd =
  | ({ kind: 'cleaned' } & RoundReport)
  | { kind: 'aborted' }
  | Extract<TaskOutcome, { kind: 'failed' }>

const ABORTED = { kind: 'aborted' } as const

/** Does the round. Throws StorageError when a swap stopped halfway: the log has to be reopened. */
export async function runRound(round: Round): Promise<RoundEnd> {
  const { partition } = round
  const { log } = partition
  const done = await mapKeys(round)
  if (done.kind === 'failed' || done.kind === 'aborted') return done
  assert(done.kind === 'map-keys', 'a task answers what it was asked')
  const { mapped, keys } = done
  const cleanedOffset = mapped.map.latestOffset + 1
  const report: RoundReport = {
    cleanedOffset,
    keys,
    recordsRead: 0,
    recordsKept: 0,
    bytesBefore: 0,
    bytesAfter: 0,
  }
  if (!round.isCurrent()) return ABORTED
  const lastOfProducers = lastOf(log)
  const segments = log.segments.filter((one) => one.baseOffset < cleanedOffset)
  const bytesMax = partition.config['segment.bytes']
  let transactions = NO_TRANSACTIONS
  for (const group of groupSegments(segments.map(sized), bytesMax, endOf(log, segments))) {
    const neighbours = group.map((one) => one.segment)
    const about = { mapped, transactions, lastOfProducers, cleanedOffset }
    const end = await cleanGroup(round, neighbours, about, report)
    if (end.kind !== 'swapped') return end
    transactions = end.transactions
  }
  log.cleanedTo(cleanedOffset)
  return { kind: 'cleaned', ...report }
}

function mapKeys(round: Round): Promise<TaskOutcome> {
  const { log } = round.partition
  const { firstDirtyOffset, firstUncleanableOffset: endOffset } = round.found
  const dirty = log.segments.filter(
    (one, i) =>
      one.baseOffset < endOffset && (log.segments[i + 1]?.baseOffset ?? 0) > firstDirtyOffset,
  )
  const [first] = dirty
  assert(first !== undefined, 'a round that is due has dirty segments')
  return round.runTask({
    kind: 'map-keys',
    ...commonOf(round),
    checkedFrom: Number.POSITIVE_INFINITY,
    segments: dirty.map(described),
    aborted: log.abortedBetween(first.baseOffset, endOffset),
    fromPosition: log.floorPlace(first, Math.max(firstDirtyOffset, first.baseOffset)).position,
    firstDirtyOffset,
    endOffset,
    mapBytesMax: round.mapBytesMax,
    loadFactor: round.loadFactor,
    hashKey: round.hashKey,
  })
}

async function cleanGroup(
  round: Round,
  group: readonly LogSegment[],
  about: {
    mapped: MappedKeys
    transactions: TransactionsState
    lastOfProducers: readonly LastOfProducer[]
    cleanedOffset: number
  },
  report: RoundReport,
): Promise<
  | { kind: 'swapped'; transactions: TransactionsState }
  | Extract<RoundEnd, { kind: 'aborted' | 'failed' }>
> {
  const { partition } = round
  const { log } = partition
  if (!round.isCurrent() || !stands(log, group)) return ABORTED
  const base = (group[0] as LogSegment).baseOffset
  const modifiedMs = group.reduce((latest, one) => Math.max(latest, one.modifiedMs), 0)
  const done = await round.runTask({
    kind: 'clean-group',
    ...commonOf(round),
    // The first pass has checked the dirty part, from the batch on that it begins in.
    checkedFrom: round.found.firstDirtyOffset,
    segments: group.map(described),
    aborted: log.abortedBetween(base, endOf(log, group)),
    mapped: about.mapped,
    transactions: about.transactions,
    nowMs: round.nowMs,
    deleteRetentionMs: partition.config['delete.retention.ms'],
    upperOffset: about.cleanedOffset,
    lastOfProducers: about.lastOfProducers,
    modifiedMs,
  })
  if (done.kind === 'failed' || done.kind === 'aborted') return done
  assert(done.kind === 'clean-group', 'a task answers what it was asked')
  await offered(log, base)
  // Old segments may have been deleted meanwhile: what was read of them must not come back.
  if (!round.isCurrent() || !stands(log, group)) {
    log.parts.directory.withdrawCleaned(base)
    return ABORTED
  }
  const entries = entriesOf(base, done.entries)
  log.replace(group, { ...done.summary, modifiedMs, entries, abortedGone: done.abortedGone })
  round.onSwapped()
  report.recordsRead += done.recordsRead
  report.recordsKept += done.recordsKept
  report.bytesBefore += group.reduce((sum, one) => sum + one.file.size, 0)
  report.bytesAfter += done.summary.size
  return { kind: 'swapped', transactions: done.transactions }
}

/** Rejects with StorageError. */
function offered(log: PartitionLog, base: number): Promise<void> {
  return new Promise((resolve, reject) => {
    log.parts.directory.offerCleaned(base, (error) => (error ? reject(error) : resolve()))
  })
}

function commonOf(round: Round) {
  const { abort, bufferBytes, bytesPerSecondMax, decompressedBytesMax } = round
  const directory = round.partition.log.parts.directory.path
  return { directory, abort, bufferBytes, bytesPerSecondMax, decompressedBytesMax }
}

function described({ baseOffset, file }: LogSegment) {
  return { baseOffset, size: file.size }
}

function sized(segment: LogSegment) {
  return { baseOffset: segment.baseOffset, size: segment.file.size, segment }
}

/** Base offset of what stands behind `segments`. */
function endOf(log: PartitionLog, segments: readonly LogSegment[]): number {
  const last = segments.at(-1)
  const next = last && log.segments[log.segments.indexOf(last) + 1]
  return next?.baseOffset ?? log.logEndOffset
}

/** Whether `group` is still a part of the log. */
function stands(log: PartitionLog, group: readonly LogSegment[]): boolean {
  const at = log.segments.indexOf(group[0] as LogSegment)
  return at >= 0 && group.every((one, i) => log.segments[at + i] === one)
}

function lastOf(log: PartitionLog): LastOfProducer[] {
  return [...log.producers.entries()].map(({ producerId, producerEpoch, batches }) => {
    return { producerId, producerEpoch, lastDataOffset: batches.at(-1)?.lastOffset ?? -1 }
  })
}

function entriesOf(segmentBase: number, numbers: Float64Array): IndexEntry[] {
  const entries: IndexEntry[] = []
  for (let i = 0; i < numbers.length; i += ENTRY_NUMBERS) {
    const [offset = 0, position = 0, maxTimestampBefore = -1] = numbers.subarray(i)
    entries.push({ offset, segmentBase, position, maxTimestampBefore })
  }
  return entries
}

/**
 * Keeps the partitions of one thread in bounds: deletes segments that nobody wants any more and has
 * logs compacted. The work on bytes is done by task threads; the decisions and the swap of segments
 * are done here, on the partitions' own thread. Source: Kafka's LogManager.cleanupLogs and
 * LogCleaner.
 */
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { BrokerConfig } from '../config/broker.ts'
import type { TopicConfig } from '../config/topic.ts'
import { type Cleanable, cleanable } from '../log/compaction.ts'
import { expired } from '../log/retention.ts'
import { StorageError } from '../storage/storage-error.ts'
import { type Round, type RoundReport, runRound } from './cleaning-round.ts'
import type { LogSegment } from './log-segment.ts'
import type { RunTask } from './mailbox/task.ts'
import type { Partition } from './partition.ts'

/** Kafka looks for old segments this long after a start for the first time. */
const FIRST_CHECK_MS = 30_000

/** What a cleaner needs of its thread. */
export interface CleanerHost {
  readonly clock: Clock
  readonly log: Log
  readonly runTask: RunTask
  /** Threads that hold partitions share the memory of offset maps. */
  readonly threadCount: number
  brokerConfig(): BrokerConfig
  /** The partitions of this thread. */
  partitions(): Iterable<Partition>
  /** Whether `partition` is still this thread's. */
  owns(partition: Partition): boolean
  /** Its index journal has something to write. */
  changed(partition: Partition): void
  /** It has to be opened again. */
  failed(partition: Partition, error: Error): void
}

/** Lives on the thread of its partitions. */
export class Cleaner {
  readonly #host: CleanerHost
  /** Rounds under way; setting the word ends the task. */
  readonly #rounds = new Map<Partition, SharedArrayBuffer>()
  /** Their logs hold something that no round can get past. */
  readonly #uncleanable = new WeakSet<Partition>()
  #nextCheckMs: number
  #nextRoundMs = 0
  #closed = false

  constructor(host: CleanerHost) {
    this.#host = host
    this.#nextCheckMs = host.clock.monotonicMs() + Math.min(FIRST_CHECK_MS, this.#checkIntervalMs)
  }

  get #checkIntervalMs(): number {
    return this.#host.brokerConfig()['log.retention.check.interval.ms']
  }

  get #backoffMs(): number {
    return this.#host.brokerConfig()['log.cleaner.backoff.ms']
  }

  /** Work of the clock, about once a second. */
  onTick(): void {
    const nowMs = this.#host.clock.monotonicMs()
    if (nowMs >= this.#nextCheckMs) {
      this.#nextCheckMs = nowMs + this.#checkIntervalMs
      for (const partition of this.#host.partitions()) this.#deleteOld(partition)
    }
    const config = this.#host.brokerConfig()
    if (!config['log.cleaner.enable'] || nowMs < this.#nextRoundMs) return
    if (this.#rounds.size >= config['log.cleaner.threads']) return
    const next = this.#dirtiest()
    if (next === undefined) this.#nextRoundMs = nowMs + this.#backoffMs
    else void this.#clean(next.partition, next.found)
  }

  /** Ends what is under way for a partition that is deleted or fails. */
  abort(partition: Partition): void {
    const abort = this.#rounds.get(partition)
    if (abort === undefined) return
    const words = new Int32Array(abort)
    Atomics.store(words, 0, 1)
    Atomics.notify(words, 0)
  }

  /** Ends everything; what task threads still answer is ignored. */
  close(): void {
    this.#closed = true
    for (const partition of this.#rounds.keys()) this.abort(partition)
  }

  #deleteOld(partition: Partition): void {
    if (!partition.online) return
    const { log, config } = partition
    const nowMs = this.#host.clock.wallMs()
    const verdict = expired(
      log.segments.map(segmentView),
      {
        logStartOffset: log.logStartOffset,
        highWatermark: log.logEndOffset,
        logEndOffset: log.logEndOffset,
      },
      {
        deletes: config['cleanup.policy'].includes('delete'),
        retentionMs: config['retention.ms'],
        retentionBytes: config['retention.bytes'],
      },
      nowMs,
    )
    if (verdict === undefined) return
    try {
      log.advanceStartTo(verdict.newStart, nowMs, false)
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      partition.storageFailed(error)
      return
    }
    this.#host.changed(partition)
    this.#host.log.info('old segments are deleted', {
      partition: log.parts.name,
      segments: verdict.count,
      because: verdict.reasons.join(),
      logStartOffset: log.logStartOffset,
    })
  }

  /** The partition that needs a round most, or `undefined`: none does. */
  #dirtiest(): { partition: Partition; found: Cleanable } | undefined {
    const nowMs = this.#host.clock.wallMs()
    let best: { partition: Partition; found: Cleanable } | undefined
    for (const partition of this.#host.partitions()) {
      const { config } = partition
      if (!partition.online || !config['cleanup.policy'].includes('compact')) continue
      if (this.#rounds.has(partition) || this.#uncleanable.has(partition)) continue
      this.#rollOverdue(partition, nowMs)
      const found = cleanable(logView(partition), rulesOf(config), nowMs)
      if (!found.due) continue
      if (best === undefined || found.dirtyRatio > best.found.dirtyRatio)
        best = { partition, found }
    }
    return best
  }

  /** Records in the active segment must not wait longer than they may. KIP-354. */
  #rollOverdue(partition: Partition, nowMs: number): void {
    const { log, config } = partition
    const active = log.activeSegment
    if (active === undefined || active.file.size === 0) return
    const { firstTimestamp } = active
    const sinceMs = firstTimestamp > 0 ? firstTimestamp : active.createdMs
    if (nowMs - sinceMs <= config['max.compaction.lag.ms']) return
    try {
      log.roll(nowMs)
      this.#host.changed(partition)
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      partition.storageFailed(error)
    }
  }

  async #clean(partition: Partition, found: Cleanable): Promise<void> {
    const abort = new SharedArrayBuffer(4)
    const { log: out, clock } = this.#host
    const { name } = partition.log.parts
    const startedMs = clock.monotonicMs()
    this.#rounds.set(partition, abort)
    out.debug('compaction begins', { partition: name, ...found })
    try {
      const end = await runRound(this.#roundOf(partition, found, abort))
      if (end.kind === 'failed' && !end.passing) {
        this.#uncleanable.add(partition)
        const error = end.message
        out.error('a partition is not compacted any more until the next start', {
          partition: name,
          error,
        })
      } else if (end.kind === 'failed') {
        this.#nextRoundMs = clock.monotonicMs() + this.#backoffMs
        out.warn('compaction has to wait', { partition: name, error: end.message })
      } else if (end.kind === 'cleaned') {
        out.info('a partition is compacted', described(name, end, clock.monotonicMs() - startedMs))
      }
    } catch (error) {
      // The swap stopped halfway, or this is a bug of ours: the log on disk has the word.
      if (!this.#isCurrent(partition)) return
      partition.goOffline()
      this.#host.failed(partition, error as Error)
    } finally {
      this.#rounds.delete(partition)
    }
  }

  #roundOf(partition: Partition, found: Cleanable, abort: SharedArrayBuffer): Round {
    const host = this.#host
    const config = host.brokerConfig()
    return {
      partition,
      found,
      abort,
      runTask: host.runTask,
      nowMs: host.clock.wallMs(),
      hashKey: newHashKey(),
      mapBytesMax: config['log.cleaner.dedupe.buffer.size'] / host.threadCount,
      loadFactor: config['log.cleaner.io.buffer.load.factor'],
      bufferBytes: Math.ceil(config['log.cleaner.io.buffer.size'] / 2),
      bytesPerSecondMax: config['log.cleaner.io.max.bytes.per.second'],
      decompressedBytesMax: config['odradek.decompressed.batch.bytes.max'],
      isCurrent: () => this.#isCurrent(partition),
      onSwapped: () => host.changed(partition),
    }
  }

  #isCurrent(partition: Partition): boolean {
    return !this.#closed && partition.online && this.#host.owns(partition)
  }
}

function described(
  partition: string,
  { cleanedOffset, keys, recordsRead, recordsKept, bytesBefore, bytesAfter }: RoundReport,
  tookMs: number,
) {
  return {
    partition,
    upToOffset: cleanedOffset,
    keys,
    records: `${recordsKept} of ${recordsRead}`,
    bytes: `${bytesAfter} of ${bytesBefore}`,
    ms: Math.round(tookMs),
  }
}

function segmentView(segment: LogSegment) {
  const { baseOffset, maxTimestamp, firstTimestamp, modifiedMs, file } = segment
  const largestTimestamp = maxTimestamp >= 0 ? maxTimestamp : modifiedMs
  return { baseOffset, size: file.size, largestTimestamp, firstTimestamp }
}

function logView({ log }: Partition) {
  return {
    segments: log.segments.map(segmentView),
    logStartOffset: log.logStartOffset,
    logEndOffset: log.logEndOffset,
    lastStableOffset: log.lastStableOffset,
    cleanedOffset: log.cleanedOffset,
    settledOffset: log.settledOffset,
  }
}

function rulesOf(config: TopicConfig) {
  return {
    minCleanableDirtyRatio: config['min.cleanable.dirty.ratio'],
    minCompactionLagMs: config['min.compaction.lag.ms'],
    maxCompactionLagMs: config['max.compaction.lag.ms'],
  }
}

/** Nobody can choose keys that collide. */
function newHashKey(): [number, number] {
  const [first = 0, second = 0] = crypto.getRandomValues(new Uint32Array(2))
  return [first, second]
}

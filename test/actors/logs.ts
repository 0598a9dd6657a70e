/** Logs and partitions over memory for tests, with the shell around them that they need. */
import { setTimeout as immediately } from 'node:timers/promises'
import { replayBatch } from '../../src/actors/log-recovery.ts'
import { factsOf } from '../../src/actors/log-segment.ts'
import { Partition, type PartitionHost } from '../../src/actors/partition.ts'
import { type LogParts, PartitionLog } from '../../src/actors/partition-log.ts'
import {
  effectiveBroker,
  effectiveTopic,
  staticLayers,
  topicDefaults,
} from '../../src/config/effective.ts'
import type { TopicConfig } from '../../src/config/topic.ts'
import { CodecError, type Codecs } from '../../src/protocol/compression.ts'
import { baseOffset } from '../../src/protocol/record-batch.ts'
import { BufferPool } from '../../src/ring/arena.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { crc32c } from '../log/batches.ts'

export const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAA'

/** The topic configuration with these texts set. */
export function topicConfig(texts: Record<string, string> = {}): TopicConfig {
  return effectiveTopic(
    new Map(Object.entries(texts)),
    topicDefaults(effectiveBroker(staticLayers())),
  )
}

/** What partition 0 of topic `t` needs of `storage`. */
export function partsOf(storage: Storage, over: Partial<LogParts> = {}): LogParts {
  return {
    name: 't-0',
    slot: 1,
    directory: storage.directory('t', 0, TOPIC_ID),
    index: storage.index,
    clock: { wallMs: () => 5000, monotonicMs: () => 5000 },
    crc32c,
    random: () => 0.5,
    ...over,
  }
}

/** The log of partition 0 of topic `t`, opened. */
export function openLogOn(
  storage: Storage,
  texts: Record<string, string> = {},
  trustCheckpoint = true,
): PartitionLog {
  const log = new PartitionLog(partsOf(storage), topicConfig(texts))
  log.open(trustCheckpoint)
  return log
}

/** Appends a batch as it is and lets the log learn from it what a partition would tell it. */
export function appendTo(log: PartitionLog, batch: Buffer, nowMs = 5000): void {
  log.append(batch, factsOf(batch, 0), nowMs)
  replayBatch(log, batch, 0)
}

/** Writes what waits for the index; resolves when the transaction holds or failed. */
export function writeIndex(log: PartitionLog): Promise<Error | undefined> {
  const update = log.takeIndexUpdate()
  if (update === undefined) return Promise.resolve(undefined)
  return new Promise((resolve) =>
    log.parts.index.write([update], (error) => {
      if (error === undefined) log.indexWritten(update)
      else log.indexFailed(update)
      resolve(error)
    }),
  )
}

/** Lets all that was deferred to microtasks and the event loop's next turn happen. */
export async function settle(): Promise<void> {
  await immediately(0)
}

/** Base offsets of the batches that one read answers; 'corrupt' where it says so. */
export function readAt(
  log: PartitionLog,
  offset: number,
  options: { maxBytes?: number; upperOffset?: number; minOneBatch?: boolean } = {},
): number[] | 'corrupt' {
  const upper = options.upperOffset ?? log.logEndOffset
  const { maxBytes = 1, minOneBatch = true } = options
  const read = log.read(offset, maxBytes, upper, minOneBatch, pool)
  if (read.corrupt) return 'corrupt'
  const found: number[] = []
  if (read.buffer === undefined) return found
  for (let at = read.from; at < read.to; at += factsOf(read.buffer.bytes, at).length) {
    found.push(baseOffset(read.buffer.bytes, at))
  }
  pool.release(read.buffer)
  return found
}

/** All bytes that reads one after the other answer from `offset` to `upper`. */
export function readBytes(log: PartitionLog, offset = log.logStartOffset, maxBytes = 1000): Buffer {
  const parts: Buffer[] = []
  let next = offset
  while (next < log.logEndOffset) {
    const read = log.read(next, maxBytes, log.logEndOffset, true, pool)
    if (read.buffer === undefined) break
    const bytes = Buffer.from(read.buffer.bytes.subarray(read.from, read.to))
    pool.release(read.buffer)
    for (let at = 0; at < bytes.length; ) {
      const facts = factsOf(bytes, at)
      at += facts.length
      next = facts.lastOffset + 1
    }
    parts.push(bytes)
  }
  return Buffer.concat(parts)
}

export const pool = new BufferPool({ shared: false })

const noCodecs: Codecs = {
  decompress: () => {
    throw new CodecError('no codecs here')
  },
  compress: () => {
    throw new CodecError('no codecs here')
  },
}

/** A host that notes what it hears. */
export function hostOf(groupCommit = false): PartitionHost & { heard: string[] } {
  const heard: string[] = []
  return {
    heard,
    pool,
    codecs: noCodecs,
    decompressedBytesMax: 1 << 20,
    groupCommit,
    advanced: () => heard.push('advanced'),
    diskRefused: (_partition, error) => heard.push(`refused: ${error.message}`),
    failed: (_partition, error) => heard.push(`failed: ${error.message}`),
  }
}

/** Partition 0 of topic `t`, opened and online. */
export function partitionOn(
  storage: Storage,
  texts: Record<string, string> = {},
  host: PartitionHost = hostOf(),
  over: Partial<LogParts> = {},
): Partition {
  const partition = new Partition(partsOf(storage, over), 0, topicConfig(texts), host)
  partition.log.open(true)
  partition.goOnline()
  return partition
}

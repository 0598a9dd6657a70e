/** What both brokers hold before they are compared, made by cases that are compared as well. */
import { Produce } from '../../../src/protocol/apis/00-produce.ts'
import { CreateTopics } from '../../../src/protocol/apis/19-create-topics.ts'
import { DeleteRecords } from '../../../src/protocol/apis/21-delete-records.ts'
import { batchOf, recordsOf, T0 } from './batches.ts'
import { type Case, inAllVersions } from './case.ts'
import type { Side } from './side.ts'

/** The topic that tells when metadata has arrived. */
export const BARRIER = 'barrier'
/** One partition for each scenario of Produce. */
export const PLAIN = 'plain'
export const PLAIN_PARTITIONS = 150
export const COMPACTED = 'compacted'
export const APPEND_TIME = 'append-time'
export const GZIPPED = 'gzipped'
export const UNPACKED = 'unpacked'
export const SMALL = 'small'
/** Read only after it was filled; see PLACES. */
export const FILLED = 'filled'
/** What the partitions of FILLED hold. */
export const PLACES = {
  empty: 0,
  /** Ten batches of ten records. */
  even: 1,
  /** Ten batches of ten records, the first 35 deleted. */
  cut: 2,
  /** Times that go up and down. */
  unordered: 3,
  /** A batch of each codec. */
  packed: 4,
  /** Batches of idempotent producers. */
  idempotent: 5,
  /** Two batches of 60 kB. */
  large: 6,
  /** Everything deleted. */
  emptied: 7,
} as const
export const FILLED_PARTITIONS = 8

/** The scenarios that have a partition of their own in PLAIN, by its index. */
export const scenarioOf: string[] = []

/** A partition of PLAIN for one scenario. */
export function takePartition(scenario: string): number {
  if (scenarioOf.length === PLAIN_PARTITIONS) throw new Error('there are too few partitions')
  return scenarioOf.push(scenario) - 1
}

/** A topic by name or by id, as the version wants it. */
export function topicIn(side: Side, topic: string): { topic: string; topicId: string } {
  return { topic, topicId: side.topicId(topic) }
}

/** The cases that make the world. */
export function worldCases(): Case[] {
  return [...topicCases(), ...fillingCases()]
}

function topicCases(): Case[] {
  const topics = [
    topic(BARRIER, 1),
    topic(PLAIN, PLAIN_PARTITIONS),
    topic(COMPACTED, 2, { 'cleanup.policy': 'compact' }),
    topic(APPEND_TIME, 2, { 'message.timestamp.type': 'LogAppendTime' }),
    topic(GZIPPED, 2, { 'compression.type': 'gzip' }),
    topic(UNPACKED, 2, { 'compression.type': 'uncompressed' }),
    topic(SMALL, 2, { 'max.message.bytes': '2000' }),
    topic(FILLED, FILLED_PARTITIONS),
  ]
  const [barrier, ...others] = topics
  return [
    ...inAllVersions(
      CreateTopics,
      'the barrier',
      () => ({ topics: [barrier!], timeoutMs: 20_000 }),
      {
        since: 7,
      },
    ),
    ...inAllVersions(CreateTopics, 'the world', () => ({ topics: others, timeoutMs: 20_000 }), {
      since: 7,
      changesMetadata: true,
    }),
  ]
}

function topic(name: string, numPartitions: number, configs: Record<string, string> = {}) {
  return {
    name,
    numPartitions,
    replicationFactor: 1,
    // Some records are of 1970: they must not go while the test runs.
    configs: Object.entries({ 'retention.ms': '-1', ...configs }).map(([key, value]) => ({
      name: key,
      value,
    })),
  }
}

function fillingCases(): Case[] {
  const even = Array.from({ length: 10 }, (_, n) => batchAt(n * 10))
  const times = [50, 10, 90, 30, 70]
  const unordered = times.map((seconds) =>
    batchOf({ records: [at(seconds + 5), at(seconds), at(seconds + 2)] }),
  )
  const packed = [0, 1, 2, 3, 4].map((codec) => batchOf({ records: recordsOf(5) }, codec))
  const idempotent = [0, 3, 6].map((baseSequence) =>
    batchOf({ producerId: 8_000_000, producerEpoch: 2, baseSequence }),
  )
  const large = [0, 1].map(() => batchOf({ records: recordsOf(3, 20_000) }))
  const other = batchOf({ producerId: 8_000_001, producerEpoch: 0, baseSequence: 0 })
  return [
    ...fill(PLACES.even, even),
    ...fill(PLACES.cut, even),
    ...fill(PLACES.unordered, unordered),
    ...fill(PLACES.packed, packed),
    ...fill(PLACES.idempotent, [...idempotent, other]),
    ...fill(PLACES.large, large),
    ...fill(PLACES.emptied, even),
    ...deleteTo(PLACES.cut, 35),
    ...deleteTo(PLACES.emptied, -1),
  ]
}

/** Ten records, numbered from `first`, a second apart. */
function batchAt(first: number): Buffer {
  return batchOf({ records: Array.from({ length: 10 }, (_, i) => at(first + i)) })
}

function at(seconds: number) {
  const timestamp = T0 + seconds * 1000
  return { timestamp, key: Buffer.from(`k${seconds}`), value: Buffer.from(`v${seconds}`) }
}

function fill(index: number, batches: readonly Buffer[]): Case[] {
  return batches.flatMap((records) =>
    inAllVersions(
      Produce,
      'filling',
      () => ({
        acks: -1,
        timeoutMs: 10_000,
        topicData: [{ name: FILLED, partitionData: [{ index, records: Buffer.from(records) }] }],
      }),
      { since: 9, until: 9 },
    ),
  )
}

function deleteTo(partitionIndex: number, offset: number): Case[] {
  return inAllVersions(
    DeleteRecords,
    'cutting',
    () => ({
      topics: [{ name: FILLED, partitions: [{ partitionIndex, offset }] }],
      timeoutMs: 10_000,
    }),
    { since: 2 },
  )
}

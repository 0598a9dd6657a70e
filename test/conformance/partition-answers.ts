/** All that a broker says about a partition, for a comparison of two brokers with the same log. */
import { Fetch } from '../../src/protocol/apis/01-fetch.ts'
import { ListOffsets } from '../../src/protocol/apis/02-list-offsets.ts'
import { DescribeProducers } from '../../src/protocol/apis/61-describe-producers.ts'
import { lastOffset } from '../../src/protocol/record-batch.ts'
import { batchesIn } from '../crash/segments.ts'
import type { RawConnection } from '../support/raw-connection.ts'

const READ_UNCOMMITTED = 0
const READ_COMMITTED = 1
const LATEST = -1
const EARLIEST = -2
const MAX_TIMESTAMP = -3

/** Plain values: they are kept as JSON. */
export interface PartitionAnswers {
  readonly fetched: Readonly<Record<string, Fetched>>
  readonly listed: readonly Listed[]
  readonly producers: readonly object[]
}

/** What a consumer gets that begins at an offset. */
export interface Fetched {
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly aborted: readonly { readonly producerId: number; readonly firstOffset: number }[]
  /** Base and last offset of each batch. */
  readonly batches: readonly (readonly [number, number])[]
}

interface Listed {
  readonly asked: number
  readonly isolationLevel: number
  readonly offset: number
  readonly timestamp: number
}

/** Asks about partition 0 of a topic: reads from `offsets` on, and where `timestamps` are. */
export async function partitionAnswers(
  connection: RawConnection,
  topic: string,
  about: { offsets: readonly number[]; timestamps: readonly number[] },
): Promise<PartitionAnswers> {
  const fetched: Record<string, Fetched> = {}
  const listed: Listed[] = []
  for (const isolationLevel of [READ_UNCOMMITTED, READ_COMMITTED]) {
    for (const from of about.offsets) {
      const read = await readFrom(connection, topic, from, isolationLevel)
      fetched[`from ${from}, isolation ${isolationLevel}`] = read.answer
    }
    for (const asked of [LATEST, EARLIEST, MAX_TIMESTAMP, ...about.timestamps]) {
      listed.push(await list(connection, topic, asked, isolationLevel))
    }
  }
  return { fetched, listed, producers: await producersOf(connection, topic) }
}

/** The bytes from an offset to the end, and what was said about them. */
export async function readFrom(
  connection: RawConnection,
  topic: string,
  from: number,
  isolationLevel: number = READ_UNCOMMITTED,
): Promise<{ answer: Fetched; bytes: Buffer }> {
  const pieces: Buffer[] = []
  const aborted = new Map<number, { producerId: number; firstOffset: number }>()
  let offset = from
  for (;;) {
    const found = await fetchOnce(connection, topic, offset, isolationLevel)
    for (const one of found.abortedTransactions ?? []) aborted.set(one.firstOffset, { ...one })
    const { highWatermark, lastStableOffset, logStartOffset } = found
    const records = found.records ?? Buffer.alloc(0)
    const last = batchesIn(records).at(-1)
    if (last !== undefined) {
      pieces.push(records)
      offset = lastOffset(last.bytes, 0) + 1
      continue
    }
    const bytes = Buffer.concat(pieces)
    const batches = batchesIn(bytes).map((one) => [one.baseOffset, one.lastOffset] as const)
    const answer = {
      highWatermark,
      lastStableOffset,
      logStartOffset,
      aborted: [...aborted.values()].sort((a, b) => a.firstOffset - b.firstOffset),
      batches,
    }
    return { answer, bytes }
  }
}

async function fetchOnce(
  connection: RawConnection,
  topic: string,
  fetchOffset: number,
  isolationLevel: number,
) {
  const answer = await connection.ask(Fetch, 12, {
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 1 << 20,
    isolationLevel,
    topics: [{ topic, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1 << 20 }] }],
  })
  const found = answer.responses[0]?.partitions[0]
  if (found?.errorCode !== 0) throw new Error(`Fetch at ${fetchOffset}: ${found?.errorCode}`)
  return found
}

async function list(
  connection: RawConnection,
  topic: string,
  asked: number,
  isolationLevel: number,
): Promise<Listed> {
  const answer = await connection.ask(ListOffsets, 7, {
    replicaId: -1,
    isolationLevel,
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: asked }] }],
  })
  const found = answer.topics[0]?.partitions[0]
  if (found?.errorCode !== 0) throw new Error(`ListOffsets of ${asked}: ${found?.errorCode}`)
  const { offset, timestamp } = found
  return { asked, isolationLevel, offset, timestamp }
}

async function producersOf(connection: RawConnection, topic: string): Promise<object[]> {
  const answer = await connection.ask(DescribeProducers, 0, {
    topics: [{ name: topic, partitionIndexes: [0] }],
  })
  const found = answer.topics[0]?.partitions[0]
  if (found?.errorCode !== 0) throw new Error(`DescribeProducers: ${found?.errorCode}`)
  return found.activeProducers
    .map((producer) => ({ ...producer }))
    .sort((a, b) => a.producerId - b.producerId)
}

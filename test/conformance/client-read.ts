/** Reads a partition from its start with plain Fetch requests: what a producer wrote is judged by
 *  other code than the consumer's. */
import { crc32c } from '@node-rs/crc32'
import { ClusterClient } from '../../src/client/cluster-client.ts'
import type { ClientOptions } from '../../src/client/options.ts'
import { createCodecs } from '../../src/codecs/codecs.ts'
import { Fetch } from '../../src/protocol/apis/01-fetch.ts'
import { CodecId, type CompressedCodec } from '../../src/protocol/compression.ts'
import * as batch from '../../src/protocol/record-batch.ts'

/** A record that was read. */
export interface ReadRecord {
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly batch.RecordHeader[]
}

const codecs = createCodecs()
const BYTES_MAX = 64 * 1024 * 1024
const BY_NAME_VERSION = 12

/** All records of a partition up to its high watermark. Throws for a wrong checksum. */
export async function readPartition(
  target: ClientOptions,
  topic: string,
  partition: number,
): Promise<ReadRecord[]> {
  const cluster = new ClusterClient(target, { name: 'reader', allowAutoTopicCreation: false })
  try {
    await cluster.topicMetadata(topic, 10_000)
    const records: ReadRecord[] = []
    for (let offset = 0, end = 1; offset < end; ) {
      const leaderId = cluster.metadata.leaderOf(topic, partition)
      const answer = await cluster.requestNode(
        leaderId,
        Fetch,
        {
          maxWaitMs: 0,
          minBytes: 0,
          maxBytes: BYTES_MAX,
          topics: [
            {
              topic,
              partitions: [{ partition, fetchOffset: offset, partitionMaxBytes: BYTES_MAX }],
            },
          ],
        },
        { versionMax: BY_NAME_VERSION },
      )
      const one = answer.responses[0]?.partitions[0]
      if (one === undefined || one.errorCode !== 0) throw new Error(`fetch: ${one?.errorCode}`)
      end = one.highWatermark
      const bytes = one.records ?? Buffer.alloc(0)
      if (bytes.length === 0 && offset < end) throw new Error('nothing below the high watermark')
      for (let at = 0; at < bytes.length; at += batch.batchSize(bytes, at)) {
        records.push(...readBatch(bytes, at))
        offset = batch.lastOffset(bytes, at) + 1
      }
    }
    return records
  } finally {
    cluster.close()
  }
}

function readBatch(bytes: Buffer, at: number): ReadRecord[] {
  const end = at + batch.batchSize(bytes, at)
  if (crc32c(bytes.subarray(at + batch.CRC_FROM, end)) !== batch.crc(bytes, at)) {
    throw new Error('a batch with a wrong checksum')
  }
  const codec = batch.compressionOf(bytes, at)
  const section = bytes.subarray(at + batch.RECORD_BATCH_OVERHEAD, end)
  const plain =
    codec === CodecId.uncompressed
      ? section
      : Buffer.from(codecs.decompress(codec as CompressedCodec, section, BYTES_MAX))
  const cursor = new batch.RecordCursor()
  cursor.reset(plain, 0, plain.length, batch.recordsCount(bytes, at))
  const records: ReadRecord[] = []
  while (cursor.next()) {
    records.push({
      offset: batch.baseOffset(bytes, at) + cursor.offsetDelta,
      timestamp: batch.baseTimestamp(bytes, at) + cursor.timestampDelta,
      key: cursor.key(),
      value: cursor.value(),
      headers: cursor.headers(),
    })
  }
  return records
}

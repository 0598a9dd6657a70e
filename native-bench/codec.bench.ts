/** Decoding requests and encoding answers: the compiled codecs. */

import { Produce } from '../src/protocol/apis/00-produce.ts'
import { Fetch } from '../src/protocol/apis/01-fetch.ts'
import { Metadata } from '../src/protocol/apis/03-metadata.ts'
import { decodeRequest, encodeRequest, encodeResponse } from '../src/protocol/compile.ts'
import type { Api, RequestInput, ResponseInput } from '../src/protocol/schema.ts'
import { Writer } from '../src/protocol/writer.ts'
import { batchOf } from './batches.ts'
import type { Suite, Task } from './harness.ts'

const TIMES = 100
const TOPIC_ID = 'b2RyYWRlayBiZW5jaCAhIQ'

export function codec(): Suite {
  const batch = batchOf(15, 1024)
  const produce = (partitions: number): RequestInput<typeof Produce> => ({
    acks: -1,
    timeoutMs: 30_000,
    topicData: [
      {
        name: 'bench',
        partitionData: Array.from({ length: partitions }, (_, index) => ({
          index,
          records: batch,
        })),
      },
    ],
  })
  const fetch = (partitions: number): RequestInput<typeof Fetch> => ({
    maxWaitMs: 500,
    minBytes: 1,
    topics: [
      {
        topicId: TOPIC_ID,
        partitions: Array.from({ length: partitions }, (_, partition) => ({
          partition,
          fetchOffset: 1_000_000 + partition,
          partitionMaxBytes: 1 << 20,
        })),
      },
    ],
  })
  return {
    tasks: [
      decoding('Produce v12, 1 partition', Produce, 12, produce(1)),
      decoding('Produce v12, 100 partitions', Produce, 12, produce(100)),
      decoding('Fetch v17, 1 partition', Fetch, 17, fetch(1)),
      decoding('Fetch v17, 100 partitions', Fetch, 17, fetch(100)),
      encoding('Fetch v17, 6 partitions of 15 KiB', Fetch, 17, fetched(6, batch)),
      encoding('Metadata v13, 100 topics of 10 partitions', Metadata, 13, metadata(100, 10)),
    ],
  }
}

function decoding<A extends Api>(
  name: string,
  api: A,
  version: number,
  input: RequestInput<A>,
): Task {
  const writer = new Writer()
  writer.startFrame()
  encodeRequest(api, version, input, writer)
  const frame = Buffer.concat(writer.finishFrame())
  return {
    name: `decode ${name}`,
    times: TIMES,
    limit: 'memcpy 1 KiB',
    run: () => {
      for (let i = 0; i < TIMES; i++) decodeRequest(api, version, frame, 4)
    },
  }
}

function encoding<A extends Api>(
  name: string,
  api: A,
  version: number,
  input: ResponseInput<A>,
): Task {
  const writer = new Writer()
  const encode = () => {
    writer.startFrame()
    encodeResponse(api, version, input, writer)
    return writer.finishFrame()
  }
  return {
    name: `encode ${name}`,
    times: TIMES,
    limit: 'memcpy 1 KiB',
    run: () => {
      for (let i = 0; i < TIMES; i++) encode()
    },
  }
}

function fetched(partitions: number, records: Buffer): ResponseInput<typeof Fetch> {
  return {
    responses: [
      {
        topicId: TOPIC_ID,
        partitions: Array.from({ length: partitions }, (_, partitionIndex) => ({
          partitionIndex,
          highWatermark: 1_000_000,
          records,
        })),
      },
    ],
  }
}

function metadata(topics: number, partitions: number): ResponseInput<typeof Metadata> {
  return {
    brokers: [{ nodeId: 1, host: '127.0.0.1', port: 9092 }],
    topics: Array.from({ length: topics }, (_, i) => ({
      name: `topic-${i}`,
      topicId: TOPIC_ID,
      partitions: Array.from({ length: partitions }, (_, partitionIndex) => ({
        partitionIndex,
        leaderId: 1,
        replicaNodes: [1],
        isrNodes: [1],
      })),
    })),
  }
}

/** A topic of one partition to compact: written whole, watched from outside. */
import { setTimeout as sleep } from 'node:timers/promises'
import { crc32c } from '@node-rs/crc32'
import { Produce } from '../../src/protocol/apis/00-produce.ts'
import { DescribeLogDirs } from '../../src/protocol/apis/35-describe-log-dirs.ts'
import { IncrementalAlterConfigs } from '../../src/protocol/apis/44-incremental-alter-configs.ts'
import { buildBatch } from '../../src/protocol/record-batch.ts'
import { expectNone, prepare, type Wire } from '../brokers/wire.ts'

const SEGMENT_BYTES = 64 * 1024 * 1024
const RECORDS_OF_BATCH = 15
const BATCHES_AT_ONCE = 16
const VALUE_BYTES = 1024
const TOPIC_RESOURCE = 2
const BROKER_RESOURCE = 4
const SET = 0
const LOOK_MS = 250

/** `count` records of 1 KiB, of which one in ten has a key that did not come before. */
export async function fill(wire: Wire, topic: string, count: number): Promise<void> {
  await prepare(wire, topic, 1, { 'segment.bytes': String(SEGMENT_BYTES) })
  const value = Buffer.alloc(VALUE_BYTES)
  for (let i = 0; i < VALUE_BYTES; i++) value[i] = Math.random() * 256
  const keys = Math.ceil(count / 10)
  let left = count
  while (left > 0) {
    const sends: Promise<void>[] = []
    for (let i = 0; i < BATCHES_AT_ONCE && left > 0; i++) {
      const records = Array.from({ length: Math.min(RECORDS_OF_BATCH, left) }, () => ({
        timestamp: Date.now(),
        key: Buffer.from(`key-${Math.floor(Math.random() * keys)}`),
        value,
      }))
      left -= records.length
      sends.push(produce(wire, topic, buildBatch({ records }, crc32c)))
    }
    await Promise.all(sends)
  }
}

/** Resolves when the batch is acknowledged, acks=all. */
export async function produce(wire: Wire, name: string, records: Buffer): Promise<void> {
  const answer = await wire.ask(Produce, 9, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 30_000,
    topicData: [{ name, partitionData: [{ index: 0, records }] }],
  })
  expectNone(answer.responses[0]?.partitionResponses[0]?.errorCode ?? -1, `Produce ${name}`)
}

/**
 * The broker looks for partitions to compact several times a second: the longer it waits, the more
 * of what it does besides is counted.
 */
export async function lookOften(wire: Wire): Promise<void> {
  await alter(wire, BROKER_RESOURCE, '', { 'log.cleaner.backoff.ms': '200' })
}

/** From now on the topic is compacted, as soon as there is anything to gain. */
export async function compact(wire: Wire, topic: string): Promise<void> {
  const configs = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.01' }
  await alter(wire, TOPIC_RESOURCE, topic, configs)
}

async function alter(
  wire: Wire,
  resourceType: number,
  resourceName: string,
  values: Record<string, string>,
): Promise<void> {
  const configs = Object.entries(values).map(([name, value]) => {
    return { name, configOperation: SET, value }
  })
  const answer = await wire.ask(IncrementalAlterConfigs, 1, {
    resources: [{ resourceType, resourceName, configs }],
    validateOnly: false,
  })
  const errorCode = answer.responses[0]?.errorCode ?? -1
  expectNone(errorCode, `IncrementalAlterConfigs ${resourceName}`)
}

/** Bytes of its segments. */
export async function sizeOf(wire: Wire, topic: string): Promise<number> {
  const answer = await wire.ask(DescribeLogDirs, 4, { topics: [{ topic, partitions: [0] }] })
  const topics = answer.results.flatMap((result) => result.topics)
  return topics.find(({ name }) => name === topic)?.partitions[0]?.partitionSize ?? 0
}

/** Looks until the log is a fraction of `before` and shrinks no more; `onShrink`: when it has. */
export async function watch(
  wire: Wire,
  topic: string,
  before: number,
  options: { readonly quietMs: number; onShrink(): void },
): Promise<number> {
  let size = before
  let changedMs = performance.now()
  while (size > before / 2 || performance.now() - changedMs < options.quietMs) {
    await sleep(LOOK_MS)
    const now = await sizeOf(wire, topic)
    if (now === size) continue
    size = now
    changedMs = performance.now()
    options.onShrink()
  }
  return size
}

/**
 * DescribeLogDirs 1-5 (KIP-113, v4 KIP-827, v5 cordoned flag).
 * Kept: one data directory with the sum of the segment files of each partition; null asks for all,
 *   unknown partitions are left out; total and usable bytes of its volume.
 */
import { statfsSync } from 'node:fs'
import type { PartitionImage } from '../../cluster/image.ts'
import { DescribeLogDirs } from '../../protocol/apis/35-describe-log-dirs.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { RequestOf, ResponseInput } from '../../protocol/schema.ts'
import type { BrokerContext } from '../context.ts'
import { defineHandler } from './handler.ts'

type Request = RequestOf<typeof DescribeLogDirs>
type Directory = NonNullable<ResponseInput<typeof DescribeLogDirs>['results']>[number]

export const describeLogDirs = defineHandler(DescribeLogDirs, [1, 5], (request, exchange) => {
  const { context } = exchange
  const partitions = partitionsAsked(request, context)
  sizesOf(context, partitions, (sizes) => {
    exchange.reply({ results: [directoryOf(context, partitions, sizes)] })
  })
})

function partitionsAsked({ topics }: Request, { image }: BrokerContext): PartitionImage[] {
  if (topics === null) return image.topics().flatMap(({ partitions }) => partitions)
  const asked = new Set<PartitionImage>()
  for (const { topic, partitions } of topics) {
    for (const index of partitions) {
      const partition = image.topic(topic)?.partitions[index]
      if (partition) asked.add(partition)
    }
  }
  return [...asked]
}

/**
 * Asks each owning thread once. A partition whose thread was lost, or that is offline, has no size.
 */
function sizesOf(
  context: BrokerContext,
  partitions: readonly PartitionImage[],
  answer: (sizes: ReadonlyMap<number, number>) => void,
): void {
  const byThread = new Map<number, number[]>()
  for (const { thread, slot } of partitions) {
    const slots = byThread.get(thread)
    if (slots) slots.push(slot)
    else byThread.set(thread, [slot])
  }
  const sizes = new Map<number, number>()
  let threadsLeft = byThread.size
  if (threadsLeft === 0) answer(sizes)
  for (const [thread, slots] of byThread) {
    context.callPartitions(thread, { kind: 'log-sizes', slots }, (result) => {
      slots.forEach((slot, at) => {
        const size = result?.[at] ?? -1
        if (size >= 0) sizes.set(slot, size)
      })
      threadsLeft -= 1
      if (threadsLeft === 0) answer(sizes)
    })
  }
}

function directoryOf(
  context: BrokerContext,
  partitions: readonly PartitionImage[],
  sizes: ReadonlyMap<number, number>,
): Directory {
  const topics = new Map<string, { partitionIndex: number; partitionSize: number }[]>()
  for (const { topic, index, slot } of partitions) {
    const partitionSize = sizes.get(slot)
    if (partitionSize === undefined) continue
    const described = { partitionIndex: index, partitionSize, offsetLag: 0, isFutureKey: false }
    const list = topics.get(topic.name)
    if (list) list.push(described)
    else topics.set(topic.name, [described])
  }
  return {
    errorCode: ErrorCode.NONE,
    logDir: context.dataDir,
    topics: [...topics].map(([name, list]) => ({ name, partitions: list })),
    ...volumeOf(context.dataDir),
  }
}

/** -1 as in Kafka where the volume does not say. */
function volumeOf(directory: string): { totalBytes: number; usableBytes: number } {
  try {
    const { bsize, blocks, bavail } = statfsSync(directory)
    return { totalBytes: bsize * blocks, usableBytes: bsize * bavail }
  } catch {
    return { totalBytes: -1, usableBytes: -1 }
  }
}

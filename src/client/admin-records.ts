/** The admin client's calls about the records of partitions. */
import { ListOffsets } from '../protocol/apis/02-list-offsets.ts'
import { DeleteRecords } from '../protocol/apis/21-delete-records.ts'
import { DescribeProducers } from '../protocol/apis/61-describe-producers.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { CallOptions } from './admin-base.ts'
import { AdminConfigs } from './admin-configs.ts'
import { kafkaError } from './errors.ts'
import { byTopic, type TopicPartition } from './topic-partition.ts'

const offsetSpecs = {
  latest: -1,
  earliest: -2,
  maxTimestamp: -3,
  earliestLocal: -4,
  latestTiered: -5,
} as const

/** Which offset: a place by name, or the first record not older than a time in ms since 1970. */
export type OffsetSpec = keyof typeof offsetSpecs | number

/** What consumers of an isolation level see. */
export type IsolationLevel = 'readUncommitted' | 'readCommitted'

/** An offset that was found. */
export interface ListedOffset extends TopicPartition {
  /** -1: there is none. */
  readonly offset: number
  /** -1 but for `maxTimestamp` and a time. */
  readonly timestamp: number
  /** -1: not known. */
  readonly leaderEpoch: number
}

/** A producer that a partition remembers. */
export interface ProducerState {
  readonly producerId: number
  readonly producerEpoch: number
  readonly lastSequence: number
  readonly lastTimestamp: number
  /** -1: never in a transaction. */
  readonly coordinatorEpoch: number
  /** -1: no transaction is open. */
  readonly currentTransactionStartOffset: number
}

/** Calls about records. */
export class AdminRecords extends AdminConfigs {
  /** Offsets of partitions, in the order asked for. Rejects with PartialError. */
  listOffsets(
    partitions: readonly (TopicPartition & { readonly at: OffsetSpec })[],
    options: CallOptions & { readonly isolationLevel?: IsolationLevel } = {},
  ): Promise<ListedOffset[]> {
    const isolationLevel = options.isolationLevel === 'readCommitted' ? 1 : 0
    return this.askLeaders(partitions, options, 'offsets', async (leaderId, mine) => {
      const body = (version: number) => ({
        replicaId: -1,
        ...(version >= 2 ? { isolationLevel } : {}),
        topics: [...byTopic(mine)].map(([name, of]) => ({
          name,
          partitions: of.map(({ partition, at }) => ({
            partitionIndex: partition,
            timestamp: typeof at === 'number' ? at : offsetSpecs[at],
          })),
        })),
        timeoutMs: this.timeoutMs(options),
      })
      const answer = await this.cluster.requestNode(leaderId, ListOffsets, body)
      const found = answers(answer.topics, ({ name }) => name)
      return mine.map(({ topic, partition }) => {
        const one = found.get(`${topic} ${partition}`)
        const code = one?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
        if (one === undefined || code !== ErrorCode.NONE) return kafkaError(code)
        const { offset, timestamp, leaderEpoch } = one
        return { topic, partition, offset, timestamp, leaderEpoch }
      })
    })
  }

  /** Deletes the records before an offset; -1: all that there are. Answers where each partition
   *  begins now, in the order asked for. Rejects with PartialError. */
  deleteRecords(
    partitions: readonly (TopicPartition & { readonly beforeOffset: number })[],
    options: CallOptions = {},
  ): Promise<(TopicPartition & { readonly lowWatermark: number })[]> {
    return this.askLeaders(partitions, options, 'deletion', async (leaderId, mine) => {
      const body = {
        topics: [...byTopic(mine)].map(([name, of]) => ({
          name,
          partitions: of.map(({ partition, beforeOffset }) => ({
            partitionIndex: partition,
            offset: beforeOffset,
          })),
        })),
        timeoutMs: this.timeoutMs(options),
      }
      const answer = await this.cluster.requestNode(leaderId, DeleteRecords, body)
      const found = answers(answer.topics, ({ name }) => name)
      return mine.map(({ topic, partition }) => {
        const one = found.get(`${topic} ${partition}`)
        const code = one?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
        if (one === undefined || code !== ErrorCode.NONE) return kafkaError(code)
        return { topic, partition, lowWatermark: one.lowWatermark }
      })
    })
  }

  /** The producers that partitions remember, in the order asked for. Rejects with PartialError.
   *  KIP-664. */
  describeProducers(
    partitions: readonly TopicPartition[],
    options: CallOptions = {},
  ): Promise<(TopicPartition & { readonly producers: readonly ProducerState[] })[]> {
    return this.askLeaders(partitions, options, 'producers', async (leaderId, mine) => {
      const body = {
        topics: [...byTopic(mine)].map(([name, of]) => ({
          name,
          partitionIndexes: of.map(({ partition }) => partition),
        })),
      }
      const answer = await this.cluster.requestNode(leaderId, DescribeProducers, body)
      const found = answers(answer.topics, ({ name }) => name)
      return mine.map(({ topic, partition }) => {
        const one = found.get(`${topic} ${partition}`)
        const code = one?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
        if (one === undefined || code !== ErrorCode.NONE) return kafkaError(code, one?.errorMessage)
        const producers = one.activeProducers.map(({ currentTxnStartOffset, ...rest }) => ({
          ...rest,
          currentTransactionStartOffset: currentTxnStartOffset,
        }))
        return { topic, partition, producers }
      })
    })
  }
}

/** Answers of partitions by topic and partition. */
function answers<
  P extends { readonly partitionIndex: number },
  T extends { readonly partitions: readonly P[] },
>(topics: readonly T[], nameOf: (topic: T) => string): Map<string, T['partitions'][number]> {
  const found = new Map<string, T['partitions'][number]>()
  for (const topic of topics) {
    for (const one of topic.partitions) found.set(`${nameOf(topic)} ${one.partitionIndex}`, one)
  }
  return found
}

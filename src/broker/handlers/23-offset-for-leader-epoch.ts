/**
 * OffsetForLeaderEpoch 2-4 (KIP-101, KIP-279, v2 KIP-320).
 * Kept: the largest epoch not above the asked one, and where it ends; an epoch that is not known
 *   (-1, or above the leader's) is -1 and -1 without error; the end of the present epoch is the log
 *   end also for consumers; a wrong current epoch is FENCED or UNKNOWN_LEADER_EPOCH.
 */
import type { EpochAsked, PartitionAnswers } from '../../actors/mailbox/partition.ts'
import { OffsetForLeaderEpoch } from '../../protocol/apis/23-offset-for-leader-epoch.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { completeByOwners, type OpenAnswer } from './ask-owners.ts'
import { defineHandler } from './handler.ts'

type Answer = PartitionAnswers['epoch-ends'][number]

export const offsetForLeaderEpoch = defineHandler(
  OffsetForLeaderEpoch,
  [2, 4],
  (request, exchange) => {
    const { context } = exchange
    const open: OpenAnswer<EpochAsked, Answer>[] = []
    const topics = request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) => {
        const image = context.image.topic(topic)?.partitions[partition]
        if (image === undefined) return { partition, ...UNKNOWN }
        const answer = { partition, ...LOST }
        const item = { slot: image.slot, leaderEpoch, currentLeaderEpoch }
        open.push({ thread: image.thread, item, into: answer })
        return answer
      }),
    }))
    completeByOwners(
      open,
      LOST,
      (thread, partitions, answer) =>
        context.callPartitions(thread, { kind: 'epoch-ends', partitions }, answer),
      () => exchange.reply({ topics }),
    )
  },
)

const NO_END = { leaderEpoch: -1, endOffset: -1 }
const UNKNOWN: Answer = { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ...NO_END }
const LOST: Answer = { errorCode: ErrorCode.KAFKA_STORAGE_ERROR, ...NO_END }

/** What a topic is made of that nobody described: a topic on first use, or a coordinator's own. */
import type { BrokerConfig } from '../config/broker.ts'
import type { NewTopic } from './commands.ts'

/**
 * The topic that comes to be when a name is used for the first time: with the broker's defaults, or,
 * for a coordinator's own topic, as its coordinator needs it.
 */
export function newTopicOnFirstUse(name: string, config: BrokerConfig): NewTopic {
  switch (name) {
    case '__consumer_offsets':
      return compacted(name, {
        partitions: config['offsets.topic.num.partitions'],
        replicationFactor: config['offsets.topic.replication.factor'],
        segmentBytes: config['offsets.topic.segment.bytes'],
        // Kafka leaves the batches of this topic as the coordinator compressed them.
        more: [['compression.type', 'producer']],
      })
    case '__transaction_state':
      return compacted(name, {
        partitions: config['transaction.state.log.num.partitions'],
        replicationFactor: config['transaction.state.log.replication.factor'],
        segmentBytes: config['transaction.state.log.segment.bytes'],
        more: [
          ['compression.type', 'uncompressed'],
          ['unclean.leader.election.enable', 'false'],
        ],
      })
    default:
      return { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] }
  }
}

function compacted(
  name: string,
  shape: {
    partitions: number
    replicationFactor: number
    segmentBytes: number
    more: readonly (readonly [string, string])[]
  },
): NewTopic {
  const configs: readonly (readonly [string, string])[] = [
    ['cleanup.policy', 'compact'],
    ...shape.more,
    ['segment.bytes', String(shape.segmentBytes)],
  ]
  return {
    name,
    numPartitions: shape.partitions,
    replicationFactor: shape.replicationFactor,
    assignments: [],
    configs: configs.map(([key, value]) => ({ name: key, value })),
  }
}

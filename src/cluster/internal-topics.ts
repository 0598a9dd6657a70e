/** What a topic is made of that nobody described: a topic on first use, or a coordinator's own. */
import type { BrokerConfig } from '../config/broker.ts'
import type { NewTopic } from './commands.ts'

/** The topic that groups are kept in. */
export const OFFSETS_TOPIC = '__consumer_offsets'

/** The topic that transactions are kept in. */
export const TRANSACTIONS_TOPIC = '__transaction_state'

/** The topic that share partitions are kept in. */
export const SHARE_STATE_TOPIC = '__share_group_state'

/**
 * The topic that comes to be when a name is used for the first time: with the broker's defaults,
 * or, for a coordinator's own topic, as its coordinator needs it.
 */
export function newTopicOnFirstUse(name: string, config: BrokerConfig): NewTopic {
  switch (name) {
    case OFFSETS_TOPIC:
      return internalTopic(name, {
        partitions: config['offsets.topic.num.partitions'],
        replicationFactor: config['offsets.topic.replication.factor'],
        configs: {
          'cleanup.policy': 'compact',
          // The batches stay as the coordinator compressed them.
          'compression.type': 'producer',
          'segment.bytes': String(config['offsets.topic.segment.bytes']),
        },
      })
    case TRANSACTIONS_TOPIC:
      return internalTopic(name, {
        partitions: config['transaction.state.log.num.partitions'],
        replicationFactor: config['transaction.state.log.replication.factor'],
        configs: {
          'cleanup.policy': 'compact',
          'compression.type': 'uncompressed',
          'min.insync.replicas': String(config['transaction.state.log.min.isr']),
          'segment.bytes': String(config['transaction.state.log.segment.bytes']),
          'unclean.leader.election.enable': 'false',
        },
      })
    case SHARE_STATE_TOPIC:
      return internalTopic(name, {
        partitions: config['share.coordinator.state.topic.num.partitions'],
        replicationFactor: -1,
        configs: {
          'cleanup.policy': 'delete',
          'compression.type': 'producer',
          'retention.ms': '-1',
          'segment.bytes': String(config['share.coordinator.state.topic.segment.bytes']),
        },
      })
    default:
      return { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] }
  }
}

function internalTopic(
  name: string,
  shape: {
    partitions: number
    replicationFactor: number
    configs: Readonly<Record<string, string>>
  },
): NewTopic {
  const configs = Object.entries(shape.configs).map(([key, value]) => ({ name: key, value }))
  const { partitions: numPartitions, replicationFactor } = shape
  return { name, numPartitions, replicationFactor, assignments: [], configs }
}

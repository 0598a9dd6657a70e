/**
 * Changes of the cluster's metadata. The controller decides them, the metadata store keeps them,
 * and every thread applies them to its image in the same order. Plain values: they cross threads
 * and the disk as msgpackr records. Each is idempotent, so a delta that is applied twice does no
 * harm.
 */

/** Key and text of each configuration that is set, in the order of setting. */
export type ConfigEntries = readonly (readonly [key: string, text: string])[]

/** One partition as it is kept: its place for life and the start of the broker that made it. */
export interface PartitionRecord {
  /** Durable number of the partition (u32), never given out twice, not even after a deletion. */
  slot: number
  /**
   * The broker's start count when the partition came to be; leader epoch 0 belongs to that start.
   */
  createdAtStart: number
}

/** One change of metadata. */
export type MetadataDelta =
  | {
      kind: 'topic-created'
      name: string
      /** Topic id (KIP-516) in Kafka's base64url form. */
      id: string
      internal: boolean
      /** By partition index, from 0, without gaps. */
      partitions: readonly PartitionRecord[]
      configs: ConfigEntries
    }
  | { kind: 'topic-deleted'; name: string; id: string }
  | {
      kind: 'partitions-added'
      name: string
      id: string
      /** Index of the first added partition. */
      firstIndex: number
      partitions: readonly PartitionRecord[]
    }
  | { kind: 'topic-configs-set'; name: string; id: string; configs: ConfigEntries }
  /** `broker` is the node id as text, or '' for the defaults of the whole cluster. */
  | { kind: 'broker-configs-set'; broker: string; configs: ConfigEntries }
  /** No entries: the group has no configuration of its own any more. */
  | { kind: 'group-configs-set'; group: string; configs: ConfigEntries }
  /** No entries: the subscription is gone (KIP-714). */
  | { kind: 'client-metrics-set'; subscription: string; configs: ConfigEntries }
  /** All slots below `next` were given out at some time; on loading it comes first. */
  | { kind: 'slots-reserved'; next: number }

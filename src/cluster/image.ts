/**
 * The cluster as one thread knows it. Written only by `apply`, with the controller's deltas in the
 * controller's order; everybody else on the thread reads. Look-ups are on the way of each Produce
 * and Fetch: they are Map or array reads and allocate nothing.
 */
import { assert, unreachable } from '../base/assert.ts'
import type { BrokerConfig } from '../config/broker.ts'
import { effectiveBroker, effectiveTopic, topicDefaults } from '../config/effective.ts'
import type { TopicConfig } from '../config/topic.ts'
import type { ConfigEntries, MetadataDelta, PartitionRecord } from './delta.ts'
import { type Placement, threadOf } from './placement.ts'
import { collisionKey } from './topic-name.ts'

/** A partition and where it lives. Immutable, one object for its whole life on this thread. */
export interface PartitionImage {
  readonly topic: TopicImage
  /** Kafka's partition number within the topic. */
  readonly index: number
  /** Durable number (u32), never reused; names the partition between threads. */
  readonly slot: number
  /** The thread that owns the partition. */
  readonly thread: number
  /** Rises by one with each start of the broker, as a single KRaft node's does. */
  readonly leaderEpoch: number
}

/**
 * A topic; `partitions` grows and `configs` changes, the object stays until the topic is deleted.
 */
export interface TopicImage {
  readonly name: string
  /** Topic id (KIP-516) in base64url form. */
  readonly id: string
  readonly internal: boolean
  /** By partition index. */
  readonly partitions: readonly PartitionImage[]
  /** The topic's own configurations, as text. */
  readonly configs: ReadonlyMap<string, string>
  /** Effective configuration; the same object until a topic or broker configuration changes. */
  readonly config: TopicConfig
}

/** What has just changed; listeners hear it after the image shows it. */
export type ImageChange =
  | { kind: 'partition-created'; partition: PartitionImage }
  | { kind: 'partition-deleted'; partition: PartitionImage }
  | { kind: 'topic-config-changed'; topic: TopicImage }
  /**
   * `broker` is the node id as text or ''; every topic's effective configuration may differ now.
   */
  | { kind: 'broker-config-changed'; broker: string }
  | { kind: 'group-config-changed'; group: string }
  | { kind: 'client-metrics-changed'; subscription: string }

/** What an image needs to know from its thread. */
export interface ImageOptions {
  /** 22 characters, base64url. */
  readonly clusterId: string
  readonly nodeId: number
  /** How often the broker was started on its data directory, this time included. */
  readonly startCount: number
  readonly placement: Placement
  /** Static configuration of the broker: command line, environment, file. */
  readonly config: BrokerConfig
}

const noConfigs: ReadonlyMap<string, string> = new Map()

/** A topic with its effective configuration, computed at the first look after a change. */
class Topic implements TopicImage {
  readonly name: string
  readonly id: string
  readonly internal: boolean
  readonly partitions: PartitionImage[] = []
  configs: ReadonlyMap<string, string>
  readonly #defaults: () => TopicConfig
  #config: TopicConfig | undefined

  constructor(delta: MetadataDelta & { kind: 'topic-created' }, defaults: () => TopicConfig) {
    this.name = delta.name
    this.id = delta.id
    this.internal = delta.internal
    this.configs = new Map(delta.configs)
    this.#defaults = defaults
  }

  get config(): TopicConfig {
    this.#config ??= effectiveTopic(this.configs, this.#defaults())
    return this.#config
  }

  forgetConfig(): void {
    this.#config = undefined
  }
}

/** The metadata of one thread. */
export class ClusterImage {
  readonly clusterId: string
  readonly nodeId: number
  readonly startCount: number
  readonly placement: Placement
  readonly #staticConfig: BrokerConfig
  readonly #byName = new Map<string, Topic>()
  readonly #byId = new Map<string, Topic>()
  readonly #bySlot = new Map<number, PartitionImage>()
  /** Names with a period or underscore, by the form in which they would collide. */
  readonly #byCollisionKey = new Map<string, string>()
  readonly #broker = new Map<string, ReadonlyMap<string, string>>()
  readonly #groups = new Map<string, ReadonlyMap<string, string>>()
  readonly #clientMetrics = new Map<string, ReadonlyMap<string, string>>()
  readonly #listeners: ((change: ImageChange) => void)[] = []
  /** Undefined after a creation or deletion, until somebody asks for the order. */
  #sorted: readonly Topic[] | undefined
  #nextSlot = 0
  #changeCount = 0
  #brokerConfig: BrokerConfig
  #topicDefaults: TopicConfig | undefined

  constructor(options: ImageOptions) {
    this.clusterId = options.clusterId
    this.nodeId = options.nodeId
    this.startCount = options.startCount
    this.placement = options.placement
    this.#staticConfig = options.config
    this.#brokerConfig = options.config
  }

  /** hot. */
  topic(name: string): TopicImage | undefined {
    return this.#byName.get(name)
  }

  /** hot. `id` in base64url form. */
  topicById(id: string): TopicImage | undefined {
    return this.#byId.get(id)
  }

  /** hot. The partition with a durable number. */
  partition(slot: number): PartitionImage | undefined {
    return this.#bySlot.get(slot)
  }

  /**
   * All topics sorted by name, in UTF-16 order as Java sorts; a list that later changes leave
   * alone.
   */
  topics(): readonly TopicImage[] {
    this.#sorted ??= [...this.#byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
    return this.#sorted
  }

  /** The topic whose name collides with others of this `collisionKey`. */
  topicColliding(key: string): string | undefined {
    return this.#byCollisionKey.get(key)
  }

  get topicCount(): number {
    return this.#byName.size
  }

  /** Partitions of all topics together. */
  get partitionCount(): number {
    return this.#bySlot.size
  }

  /** The lowest slot that was never given out. */
  get nextSlot(): number {
    return this.#nextSlot
  }

  /** Deltas that were applied since the start of the thread. */
  get changeCount(): number {
    return this.#changeCount
  }

  /** Dynamic broker configurations: of this node ('1'), or of the whole cluster (''). */
  brokerConfigs(broker: string): ReadonlyMap<string, string> {
    return this.#broker.get(broker) ?? noConfigs
  }

  /** The broker's configuration as it holds now: the static one under what was set dynamically. */
  get brokerConfig(): BrokerConfig {
    return this.#brokerConfig
  }

  /** What holds for a topic that sets nothing itself. */
  get topicDefaults(): TopicConfig {
    this.#topicDefaults ??= topicDefaults(this.#brokerConfig)
    return this.#topicDefaults
  }

  /** Own configurations of the groups that have any. */
  get groupConfigs(): ReadonlyMap<string, ReadonlyMap<string, string>> {
    return this.#groups
  }

  /** Client metrics subscriptions by name (KIP-714). */
  get clientMetrics(): ReadonlyMap<string, ReadonlyMap<string, string>> {
    return this.#clientMetrics
  }

  /** Hears each later change once, in order; the returned function ends that. */
  onChange(listener: (change: ImageChange) => void): () => void {
    this.#listeners.push(listener)
    return () => {
      const at = this.#listeners.indexOf(listener)
      if (at >= 0) this.#listeners.splice(at, 1)
    }
  }

  /** Takes in one change and tells the listeners. A change that is already in does nothing. */
  apply(delta: MetadataDelta): void {
    this.#changeCount += 1
    switch (delta.kind) {
      case 'topic-created':
        this.#createTopic(delta)
        break
      case 'topic-deleted':
        this.#deleteTopic(delta.id)
        break
      case 'partitions-added':
        this.#addPartitions(delta)
        break
      case 'topic-configs-set':
        this.#setTopicConfigs(delta)
        break
      case 'broker-configs-set':
        this.#setBrokerConfigs(delta)
        break
      case 'group-configs-set':
        setOrDelete(this.#groups, delta.group, delta.configs)
        this.#tell({ kind: 'group-config-changed', group: delta.group })
        break
      case 'client-metrics-set':
        setOrDelete(this.#clientMetrics, delta.subscription, delta.configs)
        this.#tell({ kind: 'client-metrics-changed', subscription: delta.subscription })
        break
      case 'slots-reserved':
        this.#nextSlot = Math.max(this.#nextSlot, delta.next)
        break
      default:
        unreachable(delta)
    }
  }

  #createTopic(delta: MetadataDelta & { kind: 'topic-created' }): void {
    if (this.#byId.has(delta.id)) return
    assert(!this.#byName.has(delta.name), 'the controller creates a name only while it is free')
    const topic = new Topic(delta, () => this.topicDefaults)
    this.#byName.set(topic.name, topic)
    this.#byId.set(topic.id, topic)
    const key = collisionKey(topic.name)
    if (key !== undefined) this.#byCollisionKey.set(key, topic.name)
    this.#sorted = undefined
    this.#placePartitions(topic, delta.partitions)
  }

  #addPartitions(delta: MetadataDelta & { kind: 'partitions-added' }): void {
    const topic = this.#byId.get(delta.id)
    assert(topic, 'partitions are added to a topic that exists')
    if (topic.partitions.length > delta.firstIndex) return
    assert(topic.partitions.length === delta.firstIndex, 'partitions are added without a gap')
    this.#placePartitions(topic, delta.partitions)
  }

  #placePartitions(topic: Topic, records: readonly PartitionRecord[]): void {
    const firstIndex = topic.partitions.length
    for (const { slot, createdAtStart } of records) {
      assert(!this.#bySlot.has(slot), 'a slot belongs to one partition')
      const partition: PartitionImage = {
        topic,
        index: topic.partitions.length,
        slot,
        thread: threadOf(this.placement, slot, topic.internal),
        leaderEpoch: this.startCount - createdAtStart,
      }
      topic.partitions.push(partition)
      this.#bySlot.set(slot, partition)
      this.#nextSlot = Math.max(this.#nextSlot, slot + 1)
    }
    // Listeners hear of a partition only when the whole topic can be seen.
    for (let index = firstIndex; index < topic.partitions.length; index++) {
      this.#tell({ kind: 'partition-created', partition: topic.partitions[index]! })
    }
  }

  #deleteTopic(id: string): void {
    const topic = this.#byId.get(id)
    if (!topic) return
    this.#byId.delete(id)
    this.#byName.delete(topic.name)
    const key = collisionKey(topic.name)
    if (key !== undefined) this.#byCollisionKey.delete(key)
    this.#sorted = undefined
    for (const partition of topic.partitions) this.#bySlot.delete(partition.slot)
    for (const partition of topic.partitions) this.#tell({ kind: 'partition-deleted', partition })
  }

  #setTopicConfigs(delta: MetadataDelta & { kind: 'topic-configs-set' }): void {
    const topic = this.#byId.get(delta.id)
    assert(topic, 'a topic whose configuration changes exists')
    topic.configs = new Map(delta.configs)
    topic.forgetConfig()
    this.#tell({ kind: 'topic-config-changed', topic })
  }

  #setBrokerConfigs(delta: MetadataDelta & { kind: 'broker-configs-set' }): void {
    setOrDelete(this.#broker, delta.broker, delta.configs)
    this.#brokerConfig = effectiveBroker({
      static: this.#staticConfig.layers.static,
      dynamicDefault: this.brokerConfigs(''),
      dynamicBroker: this.brokerConfigs(String(this.nodeId)),
    })
    this.#topicDefaults = undefined
    for (const topic of this.#byName.values()) topic.forgetConfig()
    this.#tell({ kind: 'broker-config-changed', broker: delta.broker })
  }

  #tell(change: ImageChange): void {
    for (const listener of [...this.#listeners]) listener(change)
  }
}

function setOrDelete(
  map: Map<string, ReadonlyMap<string, string>>,
  key: string,
  configs: ConfigEntries,
): void {
  if (configs.length === 0) map.delete(key)
  else map.set(key, new Map(configs))
}

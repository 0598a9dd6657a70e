/** Committed offsets of all groups, with those that open transactions hold back. */

/** What was committed for a partition. */
export interface CommittedOffset {
  readonly offset: number
  /** -1: not known. */
  readonly leaderEpoch: number
  readonly metadata: string
  /** Wall milliseconds. */
  readonly commitTimestampMs: number
  /** Wall milliseconds; -1: the group's retention decides. */
  readonly expireTimestampMs: number
  /** ZERO_UUID where it was not recorded. */
  readonly topicId: string
}

/** One offset of one group. */
export interface OffsetKey {
  readonly group: string
  readonly topic: string
  readonly partition: number
}

/** The offsets of one group: by topic, by partition. */
export type GroupOffsets = ReadonlyMap<string, ReadonlyMap<number, CommittedOffset>>

interface PendingOffset {
  readonly key: OffsetKey
  readonly committed: CommittedOffset
  /** Position in the order of replay. */
  readonly order: number
}

/** Lives on the coordinator's thread; bounded by what is in the topic. */
export class OffsetStore {
  readonly #byGroup = new Map<string, Map<string, Map<number, CommittedOffset>>>()
  /** By partition of the log and producer id. */
  readonly #pending = new Map<string, PendingOffset[]>()
  /** How many open transactions hold an offset, by `nameOf` the key. */
  readonly #pendingCounts = new Map<string, number>()
  /** Order of the latest commit of offsets that are also pending. */
  readonly #orders = new Map<string, number>()
  #order = 0
  #size = 0

  /** Offsets of all groups. */
  get size(): number {
    return this.#size
  }

  get(groupId: string, topic: string, partition: number): CommittedOffset | undefined {
    return this.#byGroup.get(groupId)?.get(topic)?.get(partition)
  }

  /** undefined: the group has committed nothing. */
  ofGroup(groupId: string): GroupOffsets | undefined {
    return this.#byGroup.get(groupId)
  }

  groupIds(): IterableIterator<string> {
    return this.#byGroup.keys()
  }

  set(key: OffsetKey, committed: CommittedOffset): void {
    this.#order++
    if (this.#pendingCounts.size > 0) {
      const name = nameOf(key)
      if (this.#pendingCounts.has(name)) this.#orders.set(name, this.#order)
    }
    this.#put(key, committed)
  }

  /** Forgets an offset, and what open transactions hold for it. */
  delete(key: OffsetKey): void {
    this.#remove(key)
    if (!this.hasPending(key)) return
    for (const [transaction, offsets] of this.#pending) {
      const left = offsets.filter((one) => nameOf(one.key) !== nameOf(key))
      if (left.length === 0) this.#pending.delete(transaction)
      else this.#pending.set(transaction, left)
    }
    this.#pendingCounts.delete(nameOf(key))
    this.#orders.delete(nameOf(key))
  }

  /** An offset that holds once the transaction of `producerId` commits. */
  setPending(
    origin: { readonly partition: number; readonly producerId: number },
    key: OffsetKey,
    committed: CommittedOffset,
  ): void {
    const transaction = transactionOf(origin.partition, origin.producerId)
    const offsets = this.#pending.get(transaction) ?? []
    this.#pending.set(transaction, offsets)
    this.#order++
    offsets.push({ key, committed, order: this.#order })
    const name = nameOf(key)
    this.#pendingCounts.set(name, (this.#pendingCounts.get(name) ?? 0) + 1)
  }

  /** Whether an open transaction may change this offset. KIP-447. */
  hasPending(key: OffsetKey): boolean {
    return this.#pendingCounts.size > 0 && this.#pendingCounts.has(nameOf(key))
  }

  /** Whether an open transaction holds any offset of the group. */
  groupHasPending(groupId: string): boolean {
    for (const offsets of this.#pending.values()) {
      if (offsets.some(({ key }) => key.group === groupId)) return true
    }
    return false
  }

  /** Every offset of the group that open transactions hold. */
  *pendingOf(groupId: string): IterableIterator<OffsetKey> {
    for (const offsets of this.#pending.values()) {
      for (const { key } of offsets) if (key.group === groupId) yield key
    }
  }

  /** What the transaction held becomes committed, unless something newer was; or is dropped. */
  endTransaction(partition: number, producerId: number, commit: boolean): void {
    const transaction = transactionOf(partition, producerId)
    const offsets = this.#pending.get(transaction)
    if (offsets === undefined) return
    this.#pending.delete(transaction)
    for (const { key, committed, order } of offsets) {
      const name = nameOf(key)
      if (commit && order > (this.#orders.get(name) ?? 0)) this.#put(key, committed)
      const left = (this.#pendingCounts.get(name) ?? 1) - 1
      if (left > 0) {
        this.#pendingCounts.set(name, left)
        continue
      }
      this.#pendingCounts.delete(name)
      this.#orders.delete(name)
    }
  }

  /** Forgets all groups of a partition of the log. */
  deletePartition(partition: number, partitionOf: (groupId: string) => number): void {
    for (const [groupId, topics] of this.#byGroup) {
      if (partitionOf(groupId) !== partition) continue
      for (const offsets of topics.values()) this.#size -= offsets.size
      this.#byGroup.delete(groupId)
    }
    for (const [transaction, offsets] of this.#pending) {
      if (!transaction.startsWith(`${partition}:`)) continue
      this.#pending.delete(transaction)
      for (const { key } of offsets) {
        this.#pendingCounts.delete(nameOf(key))
        this.#orders.delete(nameOf(key))
      }
    }
  }

  #put({ group, topic, partition }: OffsetKey, committed: CommittedOffset): void {
    let topics = this.#byGroup.get(group)
    if (topics === undefined) {
      topics = new Map()
      this.#byGroup.set(group, topics)
    }
    let partitions = topics.get(topic)
    if (partitions === undefined) {
      partitions = new Map()
      topics.set(topic, partitions)
    }
    if (!partitions.has(partition)) this.#size++
    partitions.set(partition, committed)
  }

  #remove({ group, topic, partition }: OffsetKey): void {
    const topics = this.#byGroup.get(group)
    const partitions = topics?.get(topic)
    if (topics === undefined || partitions === undefined) return
    if (partitions.delete(partition)) this.#size--
    if (partitions.size === 0) topics.delete(topic)
    if (topics.size === 0) this.#byGroup.delete(group)
  }
}

function transactionOf(partition: number, producerId: number): string {
  return `${partition}:${producerId}`
}

/** Unique: a topic's name holds no slash. */
function nameOf({ group, topic, partition }: OffsetKey): string {
  return `${topic}/${partition}/${group}`
}

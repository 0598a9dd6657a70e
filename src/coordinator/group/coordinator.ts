/** The state of the group coordinator: all groups and committed offsets of its partitions. */
import type { NewTopic } from '../../cluster/commands.ts'
import type { ClusterImage } from '../../cluster/image.ts'
import type { BrokerConfig } from '../../config/broker.ts'
import type { GroupConfig } from '../../config/group.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { CoordinatorMachine, CoordinatorRecord, ReplayOrigin, Turn } from '../runtime.ts'
import { OffsetStore } from './offsets.ts'
import type { RegexEngine } from './regex.ts'
import { GroupRegistry, partitionOfGroup } from './registry.ts'
import type { ShareStateAccess } from './share-states.ts'

/** What the coordinator knows of the world. */
export interface GroupParts {
  readonly image: ClusterImage
  /** 0 up to and without 1. */
  random(): number
  /**
   * The engine of regular expressions; undefined: it is not loaded yet. It is there when a request
   * brings an expression.
   */
  regexEngine(): RegexEngine | undefined
  /** The effective configuration of one group. */
  groupConfig(groupId: string): GroupConfig
  /**
   * Creates topics; `done` is called once, now or later, with a sentence for each one that there is
   * not now, by its name.
   */
  createTopics(
    topics: readonly NewTopic[],
    done: (failures: ReadonlyMap<string, string>) => void,
  ): void
  /** The coordinator of share partitions. */
  readonly shareStates: ShareStateAccess
}

/** How one type of record changes the state. */
export type Replay = (
  coordinator: GroupCoordinator,
  record: CoordinatorRecord,
  origin: ReplayOrigin,
) => void

/** Lives on the coordinator's thread. Operations read it; only `replay` changes what is logged. */
export class GroupCoordinator implements CoordinatorMachine {
  readonly groups = new GroupRegistry()
  readonly offsets = new OffsetStore()
  readonly parts: GroupParts
  /** Partitions of `__consumer_offsets`; 0 while there is no such topic. */
  partitionCount = 0
  readonly #replays: ReadonlyMap<number, Replay>
  readonly #onLoaded: (coordinator: GroupCoordinator, turn: Turn) => void

  constructor(
    parts: GroupParts,
    replays: ReadonlyMap<number, Replay>,
    onLoaded: (coordinator: GroupCoordinator, turn: Turn) => void,
  ) {
    this.parts = parts
    this.#replays = replays
    this.#onLoaded = onLoaded
  }

  get config(): BrokerConfig {
    return this.parts.image.brokerConfig
  }

  partitionOf(groupId: string): number {
    return partitionOfGroup(groupId, this.partitionCount)
  }

  replay(record: CoordinatorRecord, origin: ReplayOrigin): void {
    this.#replays.get(record.schema.type)?.(this, record, origin)
  }

  onTransactionEnd(partition: number, producerId: number, commit: boolean): void {
    this.offsets.endTransaction(partition, producerId, commit)
  }

  onLoaded(turn: Turn): void {
    this.#onLoaded(this, turn)
  }

  onUnloaded(partition: number): void {
    for (const group of this.groups.all()) {
      if (this.partitionOf(group.groupId) !== partition) continue
      this.groups.delete(group.groupId)
      group.abandon(ErrorCode.NOT_COORDINATOR)
    }
    this.offsets.deletePartition(partition, (groupId) => this.partitionOf(groupId))
  }
}

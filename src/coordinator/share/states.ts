/**
 * The share coordinator: what share groups have to know of each of their partitions after a start.
 * It holds the records of `__share_group_state`. Source: Kafka's ShareCoordinatorShard, KIP-932.
 */
import { ErrorCode } from '../../protocol/errors.ts'
import { ShareSnapshot, type ShareSnapshotValue } from '../../protocol/records/share-snapshot.ts'
import { ShareUpdate, type ShareUpdateValue } from '../../protocol/records/share-update.ts'
import { partitionOfGroup } from '../group/registry.ts'
import {
  type CoordinatorMachine,
  type CoordinatorRecord,
  type ReplayOrigin,
  recordOf,
  type Turn,
} from '../runtime.ts'
import { type StateBatch, StateBatches } from './state-batches.ts'

/** A partition of a topic as one share group sees it. */
export interface ShareKey {
  readonly groupId: string
  readonly topicId: string
  readonly partition: number
}

/** What is kept of a share partition. */
export interface ShareState {
  readonly snapshotEpoch: number
  /** Rises when somebody sets the start offset: who knows an older one is out. */
  readonly stateEpoch: number
  readonly leaderEpoch: number
  /** -1: follows from the group's settings when it is first read. */
  readonly startOffset: number
  /** Records from the start offset on that are done with; -1: not known. */
  readonly deliveryCompleteCount: number
  readonly batches: readonly StateBatch[]
}

/** What a share partition tells after a change. */
export interface ShareWrite {
  readonly stateEpoch: number
  readonly leaderEpoch: number
  readonly startOffset: number
  readonly deliveryCompleteCount: number
  readonly changes: readonly StateBatch[]
}

/** The start offset of a share partition that was never read. */
export const UNINITIALIZED = -1

interface Kept extends Omit<ShareState, 'batches'> {
  readonly key: ShareKey
  readonly batches: StateBatches
  readonly createdMs: number
  /** Since the snapshot. */
  readonly updates: number
}

/** The name of a share partition, as FindCoordinator takes it. */
export function nameOf({ groupId, topicId, partition }: ShareKey): string {
  return `${groupId}:${topicId}:${partition}`
}

/** Lives on the coordinator's thread; bounded by what is in the topic. */
export class ShareStates implements CoordinatorMachine {
  /** Partitions of `__share_group_state`; 0 while there is no such topic. */
  partitionCount = 0
  /** By partition of the topic, and there by name. */
  readonly #states: Map<string, Kept>[] = []
  readonly #records: number[] = []
  readonly #updatesMax: () => number

  /** `updatesMax`: share.coordinator.snapshot.update.records.per.snapshot. */
  constructor(updatesMax: () => number) {
    this.#updatesMax = updatesMax
  }

  partitionOf(key: ShareKey): number {
    return partitionOfGroup(nameOf(key), this.partitionCount)
  }

  /** Records of a partition of the topic that a start would replay. */
  recordsOf(partition: number): number {
    return this.#records[partition] ?? 0
  }

  /** The share partitions that are kept in a partition of the topic. */
  keysOf(partition: number): ShareKey[] {
    return [...(this.#states[partition]?.values() ?? [])].map(({ key }) => key)
  }

  /** How many they are. */
  countOf(partition: number): number {
    return this.#states[partition]?.size ?? 0
  }

  #keptOf(key: ShareKey): Kept | undefined {
    return this.#states[this.partitionOf(key)]?.get(nameOf(key))
  }

  /** Logs the whole state again, so that older records are not needed any more. */
  snapshot(turn: Turn, key: ShareKey): void {
    const kept = this.#keptOf(key)
    if (kept === undefined) return
    turn.change(snapshotRecord(kept, { ...kept, changes: [] }, turn.nowMs))
  }

  /** Older records than the last `left` of a partition of the topic are gone. */
  onTrimmed(partition: number, left: number): void {
    this.#records[partition] = left
  }

  /** What is kept now; undefined: nothing. */
  read(key: ShareKey): ShareState | undefined {
    const kept = this.#keptOf(key)
    if (kept === undefined) return undefined
    const { snapshotEpoch, stateEpoch, leaderEpoch, startOffset, deliveryCompleteCount } = kept
    const batches = kept.batches.all()
    return {
      snapshotEpoch,
      stateEpoch,
      leaderEpoch,
      startOffset,
      deliveryCompleteCount,
      batches,
    }
  }

  /** Begins anew at an offset. `onlyNew`: what is there already stays. */
  initialize(
    turn: Turn,
    key: ShareKey,
    to: { stateEpoch: number; startOffset: number; onlyNew: boolean },
  ): void {
    const kept = this.#keptOf(key)
    if (kept !== undefined && to.onlyNew) return
    const { stateEpoch, startOffset } = to
    turn.change(
      recordOf(ShareSnapshot, key, {
        snapshotEpoch: kept === undefined ? 0 : kept.snapshotEpoch + 1,
        stateEpoch: Math.max(stateEpoch, kept === undefined ? stateEpoch : kept.stateEpoch + 1),
        leaderEpoch: kept?.leaderEpoch ?? 0,
        startOffset,
        deliveryCompleteCount: startOffset === UNINITIALIZED ? -1 : 0,
        createTimestamp: turn.nowMs,
        writeTimestamp: turn.nowMs,
        stateBatches: [],
      }),
    )
  }

  /** Takes in a change of a share partition. */
  write(turn: Turn, key: ShareKey, write: ShareWrite): ErrorCode {
    const kept = this.#keptOf(key)
    if (kept === undefined) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    if (write.stateEpoch < kept.stateEpoch) return ErrorCode.FENCED_STATE_EPOCH
    turn.change(
      kept.updates < this.#updatesMax()
        ? updateRecord(kept, write)
        : snapshotRecord(kept, write, turn.nowMs),
    )
    return ErrorCode.NONE
  }

  /** Forgets a share partition. */
  delete(turn: Turn, key: ShareKey): void {
    if (this.#keptOf(key) === undefined) return
    turn.change(recordOf(ShareSnapshot, key, null))
  }

  replay({ schema, key, value }: CoordinatorRecord, { partition }: ReplayOrigin): void {
    const share = key as unknown as ShareKey
    const states = this.#states[partition] ?? new Map<string, Kept>()
    this.#states[partition] = states
    this.#records[partition] = this.recordsOf(partition) + 1
    if (value === null) states.delete(nameOf(share))
    else if (schema.type === ShareSnapshot.type) {
      replaySnapshot(states, share, value as unknown as ShareSnapshotValue)
    } else if (schema.type === ShareUpdate.type) {
      replayUpdate(states, share, value as unknown as ShareUpdateValue)
    }
  }

  onTransactionEnd(): void {
    // Nobody writes here within transactions.
  }

  onLoaded(): void {
    // Nothing waits for a time.
  }

  onUnloaded(partition: number): void {
    this.#records[partition] = 0
    this.#states[partition]?.clear()
  }
}

function replaySnapshot(states: Map<string, Kept>, key: ShareKey, value: ShareSnapshotValue): void {
  const batches = new StateBatches()
  batches.update(value.stateBatches, value.startOffset)
  const { snapshotEpoch, stateEpoch, leaderEpoch, startOffset, deliveryCompleteCount } = value
  states.set(nameOf(key), {
    key,
    snapshotEpoch,
    stateEpoch,
    leaderEpoch,
    startOffset,
    deliveryCompleteCount,
    batches,
    createdMs: value.createTimestamp,
    updates: 0,
  })
}

/** An update without its snapshot says too little. */
function replayUpdate(states: Map<string, Kept>, key: ShareKey, value: ShareUpdateValue): void {
  const kept = states.get(nameOf(key))
  if (kept === undefined || value.snapshotEpoch !== kept.snapshotEpoch) return
  // -1: the start stays where it was.
  const startOffset = Math.max(kept.startOffset, value.startOffset)
  kept.batches.update(value.stateBatches, startOffset)
  states.set(nameOf(key), {
    ...kept,
    leaderEpoch: Math.max(kept.leaderEpoch, value.leaderEpoch),
    startOffset,
    deliveryCompleteCount: value.deliveryCompleteCount,
    updates: kept.updates + 1,
  })
}

function updateRecord({ key, snapshotEpoch }: Kept, write: ShareWrite): CoordinatorRecord {
  return recordOf(ShareUpdate, key, {
    snapshotEpoch,
    leaderEpoch: write.leaderEpoch,
    startOffset: write.startOffset,
    deliveryCompleteCount: write.deliveryCompleteCount,
    stateBatches: write.changes,
  })
}

function snapshotRecord(kept: Kept, write: ShareWrite, nowMs: number): CoordinatorRecord {
  const all = new StateBatches()
  all.update(kept.batches.all(), write.startOffset)
  all.update(write.changes, write.startOffset)
  return recordOf(ShareSnapshot, kept.key, {
    snapshotEpoch: kept.snapshotEpoch + 1,
    stateEpoch: kept.stateEpoch,
    leaderEpoch: write.leaderEpoch,
    startOffset: write.startOffset,
    deliveryCompleteCount: write.deliveryCompleteCount,
    createTimestamp: kept.createdMs,
    writeTimestamp: nowMs,
    stateBatches: all.all(),
  })
}

/**
 * The share partitions that are in use: read from the share coordinator when they are first needed,
 * written to it with every change. A write that fails makes a share partition forgotten, and what
 * was acquired of it is available again.
 */
import type { PartitionImage } from '../../cluster/image.ts'
import { resetDurationMs } from '../../config/group.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { ShareHost } from './host.ts'
import {
  type AcknowledgementBatch,
  type AcquiredRecords,
  type Acquisition,
  type ShareLimits,
  SharePartition,
} from './share-partition.ts'
import type { StateBatch } from './state-batches.ts'
import { nameOf, type ShareKey, type ShareState, UNINITIALIZED } from './states.ts'

const LATEST = -1
const EARLIEST = -2

/** A share partition in use. */
export interface ActivePartition {
  readonly key: ShareKey
  readonly image: PartitionImage
  readonly partition: SharePartition
  readonly stateEpoch: number
}

interface Active extends ActivePartition {
  cancelUnlock: (() => void) | undefined
  unlockAtMs: number
}

type Loaded = (errorCode: ErrorCode, active?: ActivePartition) => void

/** Lives on the coordinator's thread; bounded by the share partitions that have a state. */
export class SharePartitions {
  readonly #host: ShareHost
  readonly #active = new Map<string, Active>()
  readonly #loading = new Map<string, Loaded[]>()
  readonly #waiters = new Map<string, Set<() => void>>()

  constructor(host: ShareHost) {
    this.#host = host
  }

  /** What the settings of a group allow now. */
  limitsOf(groupId: string): ShareLimits {
    const config = this.#host.groupConfig(groupId)
    return {
      locksMax: config['share.partition.max.record.locks'],
      lockMs: config['share.record.lock.duration.ms'],
      deliveriesMax: config['share.delivery.count.limit'],
    }
  }

  /** Hands out the share partition, now or when it was read. */
  use(key: ShareKey, done: Loaded): void {
    const name = nameOf(key)
    const active = this.#active.get(name)
    if (active !== undefined) {
      done(ErrorCode.NONE, active)
      return
    }
    const loading = this.#loading.get(name)
    if (loading !== undefined) {
      loading.push(done)
      return
    }
    const waiting = [done]
    this.#loading.set(name, waiting)
    this.#load(key, (errorCode, loaded) => {
      // Forgotten meanwhile: what was read may be out of date.
      if (this.#loading.get(name) !== waiting) {
        for (const one of waiting) one(ErrorCode.NOT_LEADER_OR_FOLLOWER)
        return
      }
      this.#loading.delete(name)
      if (loaded !== undefined) this.#active.set(name, loaded)
      for (const one of waiting) one(errorCode, loaded)
    })
  }

  /** Gives records to a member. Nothing, if the share partition was forgotten meanwhile. */
  acquire(key: ShareKey, asked: Acquisition): AcquiredRecords[] {
    const active = this.#active.get(nameOf(key))
    if (active === undefined) return []
    const acquired = active.partition.acquire(asked, this.limitsOf(key.groupId))
    this.#setUnlock(active)
    return acquired
  }

  /** Takes in what a member says of its records; `done` is called when that is kept. */
  acknowledge(
    { key, partition }: ActivePartition,
    memberId: string,
    batches: readonly AcknowledgementBatch[],
    done: (errorCode: ErrorCode, errorMessage: string | null) => void,
  ): void {
    const limits = this.limitsOf(key.groupId)
    const wasFull = !partition.hasRoom(limits)
    const nowMs = this.#host.monotonicMs()
    const said = partition.acknowledge(memberId, batches, limits, nowMs)
    if (said.errorCode !== ErrorCode.NONE) {
      done(said.errorCode, said.errorMessage)
      return
    }
    this.#changed(key, said.changes, (errorCode) => done(errorCode, null))
    if (wasFull || partition.hasAvailable) this.#wake(nameOf(key))
  }

  /** Takes back all that a member of a group has. */
  releaseAll(groupId: string, memberId: string): void {
    for (const { key, partition } of [...this.#active.values()]) {
      if (key.groupId !== groupId) continue
      const changes = partition.release(memberId, this.limitsOf(groupId))
      if (changes.length === 0) continue
      this.#changed(key, changes, () => undefined)
      this.#wake(nameOf(key))
    }
  }

  /** The log does not reach back to what is to be fetched next: leaves out what is gone. */
  catchUp({ key, image, partition }: ActivePartition, done: () => void): void {
    const asked = { timestamp: EARLIEST, readCommitted: false }
    this.#host.findOffset(image, asked, (errorCode, offset) => {
      const { startOffset } = partition
      if (errorCode === ErrorCode.NONE) partition.onLogStart(offset)
      // Nothing but progress wakes: who is behind the end of the log would ask again at once.
      if (partition.startOffset !== startOffset) this.#wake(nameOf(key))
      done()
    })
  }

  /** Forgets share partitions without writing; whoever waits for them looks again. */
  forget(which: (key: ShareKey) => boolean): void {
    for (const [name, active] of [...this.#active]) {
      if (!which(active.key)) continue
      this.#active.delete(name)
      active.cancelUnlock?.()
      this.#wake(name)
    }
  }

  /** As forget, for one; also while it is read. */
  forgetOne(key: ShareKey): void {
    const name = nameOf(key)
    this.#loading.delete(name)
    this.forget((one) => nameOf(one) === name)
  }

  /** `wake` is called whenever there may be more to acquire of a share partition. */
  watch(key: ShareKey, wake: () => void): void {
    const name = nameOf(key)
    const waiters = this.#waiters.get(name)
    if (waiters === undefined) this.#waiters.set(name, new Set([wake]))
    else waiters.add(wake)
  }

  unwatch(key: ShareKey, wake: () => void): void {
    const name = nameOf(key)
    const waiters = this.#waiters.get(name)
    waiters?.delete(wake)
    if (waiters?.size === 0) this.#waiters.delete(name)
  }

  #wake(name: string): void {
    for (const wake of [...(this.#waiters.get(name) ?? [])]) wake()
  }

  #load(key: ShareKey, done: (errorCode: ErrorCode, loaded?: Active) => void): void {
    const image = this.#host.image.topicById(key.topicId)?.partitions[key.partition]
    if (image === undefined) {
      done(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
      return
    }
    this.#host.readState(key, (errorCode, state) => {
      // A client asks again when it is told that there is no leader.
      if (errorCode !== ErrorCode.NONE) done(ErrorCode.NOT_LEADER_OR_FOLLOWER)
      else if (state === undefined) done(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
      else if (state.startOffset !== UNINITIALIZED) {
        done(ErrorCode.NONE, activeOf(key, image, state, state.startOffset))
      } else {
        this.#findStart(key.groupId, image, (problem, offset) => {
          if (problem !== ErrorCode.NONE) done(problem)
          else done(ErrorCode.NONE, activeOf(key, image, state, offset))
        })
      }
    })
  }

  /** Where a group begins that has read nothing yet. */
  #findStart(
    groupId: string,
    image: PartitionImage,
    done: (errorCode: ErrorCode, offset: number) => void,
  ): void {
    const config = this.#host.groupConfig(groupId)
    const readCommitted = config['share.isolation.level'] === 'read_committed'
    const reset = config['share.auto.offset.reset']
    const find = (timestamp: number, found: (errorCode: ErrorCode, offset: number) => void) => {
      this.#host.findOffset(image, { timestamp, readCommitted }, found)
    }
    if (reset === 'earliest') find(EARLIEST, done)
    else if (reset === 'latest') find(LATEST, done)
    else {
      find(this.#host.wallMs() - resetDurationMs(reset), (errorCode, offset) => {
        if (errorCode === ErrorCode.NONE && offset < 0) find(LATEST, done)
        else done(errorCode, offset)
      })
    }
  }

  #changed(key: ShareKey, changes: readonly StateBatch[], done: (errorCode: ErrorCode) => void) {
    const active = this.#active.get(nameOf(key))
    if (active === undefined || changes.length === 0) {
      if (active !== undefined) this.#setUnlock(active)
      done(ErrorCode.NONE)
      return
    }
    const { partition, stateEpoch, image } = active
    const { startOffset, deliveryCompleteCount } = partition
    const write = {
      stateEpoch,
      leaderEpoch: image.leaderEpoch,
      startOffset,
      deliveryCompleteCount,
      changes: changes.filter(({ lastOffset }) => lastOffset >= startOffset),
    }
    this.#setUnlock(active)
    this.#host.writeState(key, write, (errorCode) => {
      if (errorCode !== ErrorCode.NONE && this.#active.get(nameOf(key)) === active) {
        this.forgetOne(key)
      }
      done(errorCode)
    })
  }

  /** One timer for each share partition, for the lock that ends first. */
  #setUnlock(active: Active): void {
    const nextMs = active.partition.nextUnlockMs()
    if (nextMs === undefined) {
      active.cancelUnlock?.()
      active.cancelUnlock = undefined
      active.unlockAtMs = Infinity
      return
    }
    if (nextMs >= active.unlockAtMs) return
    active.cancelUnlock?.()
    active.unlockAtMs = nextMs
    const delayMs = Math.max(0, nextMs - this.#host.monotonicMs())
    active.cancelUnlock = this.#host.after(delayMs, () => this.#unlock(active))
  }

  #unlock(active: Active): void {
    const { key, partition } = active
    active.unlockAtMs = Infinity
    active.cancelUnlock = undefined
    const changes = partition.unlock(this.#host.monotonicMs(), this.limitsOf(key.groupId))
    this.#changed(key, changes, () => undefined)
    if (changes.length > 0) this.#wake(nameOf(key))
  }
}

function activeOf(
  key: ShareKey,
  image: PartitionImage,
  { batches, stateEpoch }: ShareState,
  startOffset: number,
): Active {
  const partition = new SharePartition(startOffset, batches)
  return { key, image, partition, stateEpoch, cancelUnlock: undefined, unlockAtMs: Infinity }
}

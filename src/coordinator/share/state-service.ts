/**
 * The share coordinator as its shell sees it. It serves the group coordinator and the share
 * partitions of this broker by call; there are no others who would ask. KIP-932.
 */
import { ErrorCode } from '../../protocol/errors.ts'
import type { ShareProgress, ShareStart } from '../group/share-states.ts'
import type { SharePlace } from '../group/share-topics.ts'
import { type CoordinatorHost, CoordinatorRuntime, type Now, type Turn } from '../runtime.ts'
import { type ShareKey, type ShareState, ShareStates, type ShareWrite } from './states.ts'

/**
 * Records of one partition of `__share_group_state` beyond what is kept. With more, all that is
 * kept is written again, and what is older is deleted: a start reads no more than this.
 */
export const SHARE_RECORDS_MAX = 10_000

/** What the service is made of. */
export interface ShareStateParts {
  readonly host: CoordinatorHost
  /** The offset of the next record of a partition of the topic; -1: not known now. */
  endOffset(partition: number): number
  /** Deletes the records of a partition of the topic below an offset. */
  trim(partition: number, offset: number): void
  now(): Now
  /** share.coordinator.snapshot.update.records.per.snapshot. */
  updatesMax(): number
}

/** Lives on the coordinator's thread. */
export class ShareStateService {
  readonly states: ShareStates
  readonly runtime: CoordinatorRuntime
  readonly #parts: ShareStateParts

  constructor(parts: ShareStateParts) {
    this.#parts = parts
    this.states = new ShareStates(() => parts.updatesMax())
    this.runtime = new CoordinatorRuntime({
      machine: this.states,
      host: parts.host,
      now: () => parts.now(),
    })
  }

  /** Why a share partition cannot be served now. */
  problemOf(key: ShareKey): ErrorCode {
    if (this.states.partitionCount === 0) return ErrorCode.COORDINATOR_NOT_AVAILABLE
    return this.runtime.problemOf(this.states.partitionOf(key))
  }

  /** See ShareStateAccess. */
  initialize(
    groupId: string,
    to: { stateEpoch: number; onlyNew: boolean; starts: readonly ShareStart[] },
    done: (errorCode: ErrorCode) => void,
  ): void {
    const { stateEpoch, onlyNew } = to
    this.#each(groupId, to.starts, done, (turn, key, { startOffset }) => {
      this.states.initialize(turn, key, { stateEpoch, startOffset, onlyNew })
    })
  }

  /** See ShareStateAccess. */
  delete(
    groupId: string,
    places: readonly SharePlace[],
    done: (errorCode: ErrorCode) => void,
  ): void {
    this.#each(groupId, places, done, (turn, key) => this.states.delete(turn, key))
  }

  progress(groupId: string, places: readonly SharePlace[]): ShareProgress[] {
    return places.map(({ topicId, partition }) => {
      const key = { groupId, topicId, partition }
      const errorCode = this.problemOf(key)
      const state = errorCode === ErrorCode.NONE ? this.states.read(key) : undefined
      return {
        errorCode,
        startOffset: state?.startOffset ?? -1,
        leaderEpoch: state?.leaderEpoch ?? 0,
        deliveryCompleteCount: Math.max(0, state?.deliveryCompleteCount ?? 0),
      }
    })
  }

  read(key: ShareKey): { errorCode: ErrorCode; state?: ShareState | undefined } {
    const errorCode = this.problemOf(key)
    return errorCode === ErrorCode.NONE
      ? { errorCode, state: this.states.read(key) }
      : { errorCode }
  }

  write(key: ShareKey, write: ShareWrite, done: (errorCode: ErrorCode) => void): void {
    const problem = this.problemOf(key)
    if (problem !== ErrorCode.NONE) {
      done(problem)
      return
    }
    const index = this.states.partitionOf(key)
    this.runtime.run(index, (turn) => {
      const outcome = this.states.write(turn, key, write)
      turn.onEnd((errorCode) => done(errorCode || outcome))
    })
    this.#trim(index)
  }

  /** Each state in a batch of its own, which is never too large. */
  #trim(index: number): void {
    const needed = this.states.countOf(index)
    if (this.states.recordsOf(index) < SHARE_RECORDS_MAX + needed) return
    const keys = this.states.keysOf(index)
    const offset = this.#parts.endOffset(index)
    if (offset < 0) return
    this.states.onTrimmed(index, 0)
    let open = keys.length
    let outcome: ErrorCode = ErrorCode.NONE
    for (const key of keys) {
      if (this.runtime.phase(index) !== 'active') return
      this.runtime.run(index, (turn) => {
        this.states.snapshot(turn, key)
        turn.onEnd((errorCode) => {
          open--
          outcome ||= errorCode
          if (open === 0 && outcome === ErrorCode.NONE) this.#parts.trim(index, offset)
        })
      })
    }
  }

  /** What concerns one partition of the topic is one batch; `done` is called with the last. */
  #each<P extends SharePlace>(
    groupId: string,
    places: readonly P[],
    done: (errorCode: ErrorCode) => void,
    run: (turn: Turn, key: ShareKey, place: P) => void,
  ): void {
    const byPartition = new Map<number, { key: ShareKey; place: P }[]>()
    for (const place of places) {
      const key = { groupId, topicId: place.topicId, partition: place.partition }
      const problem = this.problemOf(key)
      if (problem !== ErrorCode.NONE) {
        done(problem)
        return
      }
      const index = this.states.partitionOf(key)
      const others = byPartition.get(index)
      if (others === undefined) byPartition.set(index, [{ key, place }])
      else others.push({ key, place })
    }
    let open = byPartition.size + 1
    let outcome: ErrorCode = ErrorCode.NONE
    const onOne = (errorCode: ErrorCode) => {
      open--
      outcome ||= errorCode
      if (open === 0) done(outcome)
    }
    for (const [index, asked] of byPartition) {
      this.runtime.run(index, (turn) => {
        for (const { key, place } of asked) run(turn, key, place)
        turn.onEnd(onOne)
      })
    }
    onOne(ErrorCode.NONE)
  }
}

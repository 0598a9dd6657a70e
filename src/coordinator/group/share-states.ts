/**
 * What share groups need of the share coordinator, which keeps the state of their partitions. It
 * answers later, and in the order in which it was asked. KIP-932.
 */
import { ErrorCode } from '../../protocol/errors.ts'
import type { Turn } from '../runtime.ts'
import type { SharePlace } from './share-topics.ts'

/** Where a share partition begins anew. */
export interface ShareStart extends SharePlace {
  /** -1: where the group's settings say, when it is first read. */
  readonly startOffset: number
}

/** Where a share partition is. */
export interface ShareProgress {
  readonly errorCode: ErrorCode
  /** -1: it was never read. */
  readonly startOffset: number
  readonly leaderEpoch: number
  /** Records from the start offset on that are done with. */
  readonly deliveryCompleteCount: number
}

/** The share coordinator as groups see it. */
export interface ShareStateAccess {
  /** Sets where share partitions begin. `onlyNew`: those that have a state keep it. */
  initialize(
    groupId: string,
    to: { stateEpoch: number; onlyNew: boolean; starts: readonly ShareStart[] },
    done: (errorCode: ErrorCode) => void,
  ): void
  /** Forgets share partitions; those that nobody knows are no failure. */
  delete(groupId: string, places: readonly SharePlace[], done: (errorCode: ErrorCode) => void): void
  /** Answers in the order of `places`. */
  progress(
    groupId: string,
    places: readonly SharePlace[],
    done: (progress: readonly ShareProgress[]) => void,
  ): void
}

/** Runs `then` in a turn of its own once the records of `turn` are durable; else `failed`. */
export function afterwards(
  turn: Turn,
  failed: (errorCode: ErrorCode) => void,
  then: (later: Turn) => void,
): void {
  turn.onEnd((errorCode) => goOn(turn, errorCode, failed, then))
}

/** Runs `then` in a turn of its own unless something failed. */
export function goOn(
  turn: Turn,
  errorCode: ErrorCode,
  failed: (errorCode: ErrorCode) => void,
  then: (later: Turn) => void,
): void {
  if (errorCode !== ErrorCode.NONE) failed(errorCode)
  else if (!turn.resume(then)) failed(ErrorCode.NOT_COORDINATOR)
}

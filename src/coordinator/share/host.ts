/** What share partitions need of the world. Nothing here blocks: answers come by call. */
import type { ClusterImage, PartitionImage } from '../../cluster/image.ts'
import type { GroupConfig } from '../../config/group.ts'
import type { ErrorCode } from '../../protocol/errors.ts'
import type { ShareKey, ShareState, ShareWrite } from './states.ts'

/** How much a partition has from an offset on. */
export interface LogAhead {
  readonly errorCode: ErrorCode
  readonly bytes: number
}

/** Somebody who waits for partitions to advance. */
export interface LogWaiter {
  /** Durable numbers of the partitions. */
  readonly slots: readonly number[]
  /** One of them advanced, or is gone; it waits no more. */
  wake(): void
}

/** The thread around. */
export interface ShareHost {
  readonly image: ClusterImage
  groupConfig(groupId: string): GroupConfig
  monotonicMs(): number
  wallMs(): number
  /** Runs `then` once after at least `delayMs`; the returned function cancels. */
  after(delayMs: number, then: () => void): () => void
  /** What the share coordinator keeps; undefined: nothing. */
  readState(key: ShareKey, done: (errorCode: ErrorCode, state?: ShareState) => void): void
  writeState(key: ShareKey, write: ShareWrite, done: (errorCode: ErrorCode) => void): void
  /** The offset of a time or of a named place (OffsetSpec); -1: there is none. */
  findOffset(
    partition: PartitionImage,
    asked: { timestamp: number; readCommitted: boolean },
    done: (errorCode: ErrorCode, offset: number) => void,
  ): void
  /** Looks ahead in partitions, in the order asked, and has them tell when they advance. */
  lookAhead(
    asked: readonly { partition: PartitionImage; fetchOffset: number }[],
    readCommitted: boolean,
    done: (ahead: readonly LogAhead[]) => void,
  ): void
  /** `waiter` is woken once; who looks ahead after this misses nothing. */
  waitFor(waiter: LogWaiter): void
  stopWaiting(waiter: LogWaiter): void
}

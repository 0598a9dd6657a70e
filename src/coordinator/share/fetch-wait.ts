/** A ShareFetch that waits until one of its partitions has records to acquire. */
import { ErrorCode } from '../../protocol/errors.ts'
import type { ShareFetchPlan, ShareOutcome, SharePatience, ShareTarget } from './commands.ts'
import type { LogAhead, LogWaiter, ShareHost } from './host.ts'
import type { ActivePartition, SharePartitions } from './share-partitions.ts'
import type { ShareKey } from './states.ts'

/** What a wait is made of. */
export interface FetchWaitParts {
  readonly host: ShareHost
  readonly partitions: SharePartitions
  readonly groupId: string
  /** In the order in which they are to be served. */
  readonly keys: readonly ShareKey[]
  readonly patience: SharePatience
}

/** Ends once, with what may be read. Bounded by connections: each has one request under way. */
export class FetchWait implements LogWaiter {
  slots: readonly number[] = []
  readonly #parts: FetchWaitParts
  readonly #done: (plan: ShareFetchPlan) => void
  readonly #readCommitted: boolean
  readonly #wake = () => this.wake()
  #failed: ShareOutcome[] = []
  #active: ActivePartition[] = []
  #cancelTimer: (() => void) | undefined
  #timedOut: boolean
  #looking = false
  /** Something happened while it looked. */
  #again = false
  #ended = false
  /** Whether it waits for the logs. */
  #waiting = false

  constructor(parts: FetchWaitParts, done: (plan: ShareFetchPlan) => void) {
    this.#parts = parts
    this.#done = done
    const config = parts.host.groupConfig(parts.groupId)
    this.#readCommitted = config['share.isolation.level'] === 'read_committed'
    this.#timedOut = parts.patience.maxWaitMs <= 0
  }

  start(): void {
    const { host, keys, partitions, patience } = this.#parts
    for (const key of keys) partitions.watch(key, this.#wake)
    if (!this.#timedOut) {
      this.#cancelTimer = host.after(patience.maxWaitMs, () => {
        this.#timedOut = true
        this.#look()
      })
    }
    this.#look()
  }

  /** A log advanced, or a share partition has more to give. */
  wake(): void {
    this.#waiting = false
    this.#look()
  }

  /** Nothing is waited for any more. */
  stop(): void {
    if (!this.#ended) this.#end([])
  }

  #look(): void {
    if (this.#ended) return
    if (this.#looking) {
      this.#again = true
      return
    }
    this.#looking = true
    this.#again = false
    this.#use(() => this.#lookAhead())
  }

  /** Has all share partitions loaded. */
  #use(then: () => void): void {
    const { keys, partitions } = this.#parts
    const used: (ActivePartition | undefined)[] = []
    this.#failed = []
    let open = keys.length + 1
    const onOne = () => {
      open--
      if (open > 0) return
      this.#active = used.filter((one) => one !== undefined)
      then()
    }
    for (const [at, key] of keys.entries()) {
      partitions.use(key, (errorCode, active) => {
        used[at] = active
        if (active === undefined) this.#failed.push(outcome(key, errorCode))
        onOne()
      })
    }
    onOne()
  }

  #lookAhead(): void {
    if (this.#ended) return
    const { host, partitions, groupId } = this.#parts
    const limits = partitions.limitsOf(groupId)
    const candidates = this.#active.filter(({ partition }) => {
      return partition.hasAvailable || partition.hasRoom(limits)
    })
    this.#waitForLogs(candidates)
    const asked = candidates.map(({ image, partition }) => {
      return { partition: image, fetchOffset: partition.nextFetchOffset }
    })
    host.lookAhead(asked, this.#readCommitted, (ahead) => this.#onAhead(candidates, ahead))
  }

  /** Before looking, so that what comes in between wakes. */
  #waitForLogs(candidates: readonly ActivePartition[]): void {
    const { host } = this.#parts
    if (this.#waiting) host.stopWaiting(this)
    this.slots = candidates.map(({ image }) => image.slot)
    this.#waiting = this.slots.length > 0
    if (this.#waiting) host.waitFor(this)
  }

  #onAhead(candidates: readonly ActivePartition[], ahead: readonly LogAhead[]): void {
    if (this.#ended) return
    const behind = candidates.filter((_, at) => {
      return ahead[at]!.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE
    })
    this.#catchUp(behind, (moved) => {
      if (this.#ended) return
      if (!moved) this.#settle(candidates, ahead)
      else this.#lookAhead()
    })
  }

  /**
   * Where the log begins later than it did when the group was there, the group goes on from its
   * start. `moved`: whether any does; one that is behind the end of its log stays.
   */
  #catchUp(behind: readonly ActivePartition[], done: (moved: boolean) => void): void {
    let open = behind.length + 1
    let moved = false
    const onOne = () => {
      open--
      if (open === 0) done(moved)
    }
    for (const active of behind) {
      const { startOffset } = active.partition
      this.#parts.partitions.catchUp(active, () => {
        moved ||= active.partition.startOffset !== startOffset
        onOne()
      })
    }
    onOne()
  }

  #settle(candidates: readonly ActivePartition[], ahead: readonly LogAhead[]): void {
    const targets: ShareTarget[] = []
    let bytesAhead = 0
    let redelivers = false
    for (const [at, active] of candidates.entries()) {
      const { errorCode, bytes } = ahead[at]!
      if (errorCode !== ErrorCode.NONE) {
        if (errorCode !== ErrorCode.OFFSET_OUT_OF_RANGE) {
          this.#failed.push(outcome(active.key, errorCode))
        }
      } else if (bytes > 0) {
        targets.push(this.#targetOf(active))
        bytesAhead += bytes
        redelivers ||= active.partition.hasAvailable
      }
    }
    this.#looking = false
    const enough = redelivers || bytesAhead >= Math.max(1, this.#parts.patience.minBytes)
    if (enough || this.#timedOut || this.#failed.length > 0) this.#end(targets)
    else if (this.#again) this.#look()
  }

  #targetOf({ key, image, partition }: ActivePartition): ShareTarget {
    const { topicId, partition: index } = key
    return {
      topicId,
      partition: index,
      slot: image.slot,
      thread: image.thread,
      fetchOffset: partition.nextFetchOffset,
      readCommitted: this.#readCommitted,
    }
  }

  #end(targets: readonly ShareTarget[]): void {
    const { host, keys, partitions } = this.#parts
    this.#ended = true
    this.#cancelTimer?.()
    if (this.#waiting) host.stopWaiting(this)
    for (const key of keys) partitions.unwatch(key, this.#wake)
    this.#done({ targets, failed: this.#failed })
  }
}

function outcome({ topicId, partition }: ShareKey, errorCode: ErrorCode): ShareOutcome {
  return { topicId, partition, errorCode, errorMessage: null }
}

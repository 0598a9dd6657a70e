/** What share groups ask of the share coordinator, answered at once from a map. */
import type { ShareStateAccess } from '../../src/coordinator/group/share-states.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'

export class MemoryShareStates implements ShareStateAccess {
  /** Start offsets by group, topic id and partition. */
  readonly starts = new Map<string, number>()
  /** What the next call answers instead of doing anything. */
  nextError: ErrorCode = ErrorCode.NONE

  initialize: ShareStateAccess['initialize'] = (groupId, { onlyNew, starts }, done) => {
    const errorCode = this.#takeError()
    for (const { topicId, partition, startOffset } of errorCode === ErrorCode.NONE ? starts : []) {
      const name = `${groupId}:${topicId}:${partition}`
      if (!onlyNew || !this.starts.has(name)) this.starts.set(name, startOffset)
    }
    done(errorCode)
  }

  delete: ShareStateAccess['delete'] = (groupId, places, done) => {
    const errorCode = this.#takeError()
    for (const { topicId, partition } of errorCode === ErrorCode.NONE ? places : []) {
      this.starts.delete(`${groupId}:${topicId}:${partition}`)
    }
    done(errorCode)
  }

  progress: ShareStateAccess['progress'] = (groupId, places, done) => {
    done(
      places.map(({ topicId, partition }) => ({
        errorCode: ErrorCode.NONE,
        startOffset: this.starts.get(`${groupId}:${topicId}:${partition}`) ?? -1,
        leaderEpoch: 0,
        deliveryCompleteCount: 0,
      })),
    )
  }

  #takeError(): ErrorCode {
    const errorCode = this.nextError
    this.nextError = ErrorCode.NONE
    return errorCode
  }
}

/** What is logged of the records in flight: ranges of offsets with their state. KIP-932. */
import { RangeList } from './ranges.ts'

/** States of a record in flight, as they are logged. ACQUIRED never is. */
export const RecordState = {
  AVAILABLE: 0,
  ACQUIRED: 1,
  ACKNOWLEDGED: 2,
  ARCHIVED: 4,
} as const

/** One of RecordState. */
export type RecordState = (typeof RecordState)[keyof typeof RecordState]

/** Records that are in one state and were delivered equally often, as they are logged. */
export interface StateBatch {
  readonly firstOffset: number
  readonly lastOffset: number
  readonly deliveryState: number
  readonly deliveryCount: number
}

/** The batches of a share partition, of which later ones win. */
export class StateBatches {
  readonly #list = new RangeList<Omit<StateBatch, 'firstOffset' | 'lastOffset'>>(
    (a, b) => a.deliveryState === b.deliveryState && a.deliveryCount === b.deliveryCount,
  )

  /** Takes in what has changed; what lies below `startOffset` is forgotten. */
  update(changes: readonly StateBatch[], startOffset: number): void {
    for (const { firstOffset, lastOffset, deliveryState, deliveryCount } of changes) {
      if (firstOffset <= lastOffset) {
        this.#list.set(firstOffset, lastOffset, { deliveryState, deliveryCount })
      }
    }
    this.#list.dropBelow(startOffset)
  }

  /** All of them, ascending. */
  all(): StateBatch[] {
    return this.#list.all.map(({ first, last, value }) => ({
      firstOffset: first,
      lastOffset: last,
      deliveryState: value.deliveryState,
      deliveryCount: value.deliveryCount,
    }))
  }
}

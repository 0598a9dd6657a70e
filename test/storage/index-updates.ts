/** What an index may be told, as little as there can be. */
import type { Checkpoint, IndexUpdate } from '../../src/storage/storage.ts'

/** An update of `slot` that says nothing but what is `given`. */
export function indexUpdate(
  slot: number,
  given: Partial<Omit<IndexUpdate, 'checkpoint'>> & { checkpoint?: Partial<Checkpoint> },
): IndexUpdate {
  return {
    slot,
    clear: false,
    rewrites: [],
    entries: [],
    summaries: [],
    aborted: [],
    abortedRemoved: [],
    producers: [],
    producersRemoved: [],
    epochs: undefined,
    segmentsRemoved: [],
    ...given,
    checkpoint: {
      segmentBase: 0,
      position: 0,
      endOffset: 0,
      recoveryPoint: 0,
      maxTimestamp: -1,
      maxTimestampPosition: 0,
      firstTimestamp: -1,
      indexedPosition: 0,
      ...given.checkpoint,
    },
  }
}

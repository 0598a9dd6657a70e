/**
 * What is asked of those who keep the records of share groups in flight, and what they answer.
 * Plain values that cross threads. A fetch takes three steps: `share-fetch` says where there are
 * records, the asker reads them where they are, `share-acquire` says which of them it may have.
 */
import type { ShareFetch } from '../../protocol/apis/78-share-fetch.ts'
import type { ShareAcknowledge } from '../../protocol/apis/79-share-acknowledge.ts'
import type { ErrorCode } from '../../protocol/errors.ts'
import type { RequestOf } from '../../protocol/schema.ts'
import type { AcquiredRecords } from './share-partition.ts'

/** How long a fetch may wait, and for how much. */
export interface SharePatience {
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
}

/** What was read of a share partition, to acquire from. */
export interface ShareRead {
  readonly topicId: string
  readonly partition: number
  readonly errorCode: ErrorCode
  readonly fetchOffset: number
  /** First and last offset of each batch, one after the other. */
  readonly bounds: readonly number[]
  /** Places in the list of batches, of those whose transaction was aborted. */
  readonly aborted: readonly number[]
}

/** Commands; each is answered exactly once. */
export type ShareCommand =
  | {
      kind: 'share-fetch'
      /** Names the connection of the client: the share session ends with it. */
      connection: string
      request: RequestOf<typeof ShareFetch>
    }
  /** There was less than it looked: waits again. */
  | { kind: 'share-wait'; groupId: string; memberId: string; patience: SharePatience }
  | {
      kind: 'share-acquire'
      groupId: string
      memberId: string
      maxRecords: number
      batchSize: number
      exact: boolean
      reads: readonly ShareRead[]
    }
  | {
      kind: 'share-acknowledge'
      request: RequestOf<typeof ShareAcknowledge>
    }

/** How something ended for one partition. */
export interface ShareOutcome {
  readonly topicId: string
  readonly partition: number
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
}

/** Where to read. */
export interface ShareTarget {
  readonly topicId: string
  readonly partition: number
  readonly slot: number
  readonly thread: number
  readonly fetchOffset: number
  readonly readCommitted: boolean
}

/** Where there are records, or why there are none. */
export interface ShareFetchPlan {
  readonly targets: readonly ShareTarget[]
  /** Partitions that cannot be fetched from. */
  readonly failed: readonly ShareOutcome[]
}

/** The answer to a command, by its kind. */
export interface ShareAnswers {
  'share-fetch': {
    errorCode: ErrorCode
    lockMs: number
    acknowledged: readonly ShareOutcome[]
    plan: ShareFetchPlan
  }
  'share-wait': ShareFetchPlan
  /** In the order of the reads. */
  'share-acquire': readonly (readonly AcquiredRecords[])[]
  'share-acknowledge': {
    errorCode: ErrorCode
    lockMs: number
    acknowledged: readonly ShareOutcome[]
  }
}

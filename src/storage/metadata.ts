/** What the controller needs of the place where metadata is kept. */
import type { MetadataDelta } from '../cluster/delta.ts'

/** Producer ids that are handed out at once (KIP-730). */
export const PRODUCER_ID_BLOCK_SIZE = 1000

/** What a store holds when it is loaded. */
export interface LoadedMetadata {
  /** 22 characters, base64url. */
  readonly clusterId: string
  /**
   * How often the broker was started on this directory, this time included when counted already.
   */
  readonly startCount: number
  /** Applied in this order to an empty image they give the present one. */
  readonly deltas: readonly MetadataDelta[]
}

/** Files of a topic that was deleted. */
export interface DeletedTopicFiles {
  readonly name: string
  readonly id: string
  readonly partitions: number
}

/** A place for metadata; all calls but `close` are synchronous. */
export interface Metadata {
  load(): LoadedMetadata
  /** Keeps changes: all of them or, when it throws StorageError, none. */
  append(deltas: readonly MetadataDelta[]): void
  /** The first id of a block of PRODUCER_ID_BLOCK_SIZE that nobody has or will get again. */
  nextProducerIdBlock(): number
  /** Counts a start of the broker; answers 1 for the first. */
  beginStart(): number
  /** Topics that were deleted since `forgetDeleted`: a crash may have left their files. */
  deletedTopics(): readonly DeletedTopicFiles[]
  /** The files of these topics are gone for good. */
  forgetDeleted(topics: readonly DeletedTopicFiles[]): void
  close(): Promise<void>
}

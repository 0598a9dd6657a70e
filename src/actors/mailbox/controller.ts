/**
 * What the controller actor accepts and answers. The controller is the one writer of metadata; it
 * lives on the coordinator's thread. All messages here are rare: they cross threads as msgpackr.
 */
import type {
  AlteredResource,
  CreatedTopic,
  DeletedTopic,
  GrownTopic,
  MorePartitions,
  NewTopic,
  Outcome,
  ResourceAlteration,
  TopicToDelete,
} from '../../cluster/commands.ts'
import type { MetadataDelta } from '../../cluster/delta.ts'

/** Commands, each answered exactly once. */
export type ControllerCommand =
  | { kind: 'create-topics'; topics: readonly NewTopic[]; validateOnly: boolean }
  | { kind: 'delete-topics'; topics: readonly TopicToDelete[] }
  | { kind: 'create-partitions'; topics: readonly MorePartitions[]; validateOnly: boolean }
  | {
      kind: 'alter-configs'
      /** False: what is not named is reset (AlterConfigs). */
      incremental: boolean
      validateOnly: boolean
      resources: readonly ResourceAlteration[]
    }
  | { kind: 'allocate-producer-ids' }
  /** Back to an empty cluster; never asked by a client. */
  | { kind: 'reset' }

/** The answer to a command, by its kind; lists are in the order of asking. */
export interface ControllerAnswers {
  'create-topics': readonly CreatedTopic[]
  'delete-topics': readonly DeletedTopic[]
  'create-partitions': readonly GrownTopic[]
  'alter-configs': readonly AlteredResource[]
  /**
   * Producer ids `first` up to and without `first + count` belong to the asker alone. `count` is 0
   * with an error code.
   */
  'allocate-producer-ids': { errorCode: number; first: number; count: number }
  reset: readonly Outcome[]
}

/** Sent by the controller to every thread; a thread answers once it has applied it. */
export interface MetadataUpdate {
  kind: 'metadata-update'
  deltas: readonly MetadataDelta[]
}

import {
  array,
  bytes,
  defineMessage,
  int32,
  type MessageOf,
  nullable,
  string,
  struct,
} from '../schema.ts'

/** What the leader of a classic group assigns to a member, inside of SyncGroup. An int16
 *  version stands before it. */
export const ConsumerProtocolAssignment = defineMessage({
  name: 'ConsumerProtocolAssignment',
  versions: [0, 3],
  flexibleFrom: null,
  fields: {
    assignedPartitions: array(
      struct({
        topic: string(),
        partitions: array(int32()),
      }),
    ),
    userData: nullable(bytes()),
  },
})
/** Decoded. */
export type ConsumerProtocolAssignment = MessageOf<typeof ConsumerProtocolAssignment>

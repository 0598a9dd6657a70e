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

/** What a member of a classic group subscribes to, inside of JoinGroup. An int16 version stands
 *  before it. v1 KIP-429 (owned partitions); v3 KIP-881 (rack). */
export const ConsumerProtocolSubscription = defineMessage({
  name: 'ConsumerProtocolSubscription',
  versions: [0, 3],
  flexibleFrom: null,
  fields: {
    topics: array(string()),
    userData: nullable(bytes()),
    ownedPartitions: array(
      struct({
        topic: string(),
        partitions: array(int32()),
      }),
    )
      .since(1)
      .ignorable(),
    generationId: int32().since(2).default(-1).ignorable(),
    rackId: nullable(string()).since(3).ignorable(),
  },
})
/** Decoded. */
export type ConsumerProtocolSubscription = MessageOf<typeof ConsumerProtocolSubscription>

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

/** ConsumerProtocolSubscription. */
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
